# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of what is declared: secrets, templates, days, and files that are no YAML."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.audits import Auditing
from faults.conftest import Telling
from faults.inside import Inside
from faults.table import assessed, failed, fault, no_run, not_assessed

WHOLE = "Everything in scope was looked at"
DECLARED = """vigil_ports__vaulted:
  - {port: 8099, required: false, justification: Kept from view, owner: web-team}
"""


def vaulted(folder: Path, text: str) -> tuple[str, ...]:
    """Arguments for an inventory with host variables of web1 in an encrypted file."""
    variables = folder / "secret" / "host_vars" / "web1.yml"
    variables.parent.mkdir(parents=True)
    variables.write_text(text, encoding="utf-8")
    for word in ("right", "wrong"):
        (folder / word).write_text(word, encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-vault"))
    subprocess.run((program, "encrypt", "--vault-password-file", str(folder / "right"), str(variables)), check=True)
    hosts = folder / "secret" / "hosts.yml"
    hosts.write_text("all: {hosts: {web1: {}}}\n", encoding="utf-8")
    return ("-i", str(hosts))


@fault(
    "vault-right-password",
    area="declarations",
    fault="A file with declarations is encrypted, and the password is right",
    cause="ansible-vault",
    says=assessed("web1", line="8099"),
)
def test_declarations_in_an_encrypted_file(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    inventory = vaulted(tmp_path, DECLARED)
    told(audit(arguments=(*inventory, "--vault-password-file", str(tmp_path / "right"))))


@fault(
    "vault-wrong-password",
    area="declarations",
    fault="A file with declarations is encrypted, and the password is wrong",
    cause="ansible-vault",
    says=no_run(line="no vault secrets were found that could decrypt", exit_status=4),
)
def test_declarations_that_another_password_encrypts(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    inventory = vaulted(tmp_path, DECLARED)
    told(audit(arguments=(*inventory, "--vault-password-file", str(tmp_path / "wrong"))))


@fault(
    "vault-no-password",
    area="declarations",
    fault="A file with declarations is encrypted, and there is no password",
    cause="ansible-vault",
    says=no_run(line="Attempting to decrypt but no vault secrets found", exit_status=4),
)
def test_encrypted_declarations_without_a_password(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(audit(arguments=vaulted(tmp_path, DECLARED)))


@fault(
    "vault-one-value",
    area="declarations",
    fault="One value of a declaration is encrypted, and there is no password",
    cause="a value of ansible-vault in the variables of the host",
    says=not_assessed("web1:inventory-invalid", line="undecryptable variable"),
)
def test_one_encrypted_value_without_a_password(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    inventory = vaulted(tmp_path, "unused")
    secret = (tmp_path / "secret" / "host_vars" / "web1.yml").read_text(encoding="utf-8")
    lines = "".join(f"        {line}\n" for line in secret.splitlines())
    text = (
        f"vigil_ports__more:\n  - port: 8099\n    required: false\n    owner: x\n    justification: !vault |\n{lines}"
    )
    (tmp_path / "secret" / "host_vars" / "web1.yml").write_text(text, encoding="utf-8")
    told(audit(arguments=inventory))


@fault(
    "template-undefined",
    area="declarations",
    fault="A declaration is a template with a variable that is not there",
    cause="the template in the variables of the host",
    says=not_assessed("web1:inventory-invalid", line="vigil_ports__more: 'nowhere' is undefined"),
)
def test_a_template_that_cannot_be_resolved(audit: Auditing, told: Telling) -> None:
    declared = [{"port": "{{ nowhere }}", "justification": "x", "owner": "y"}]
    told(audit(host_vars={"web1": {"vigil_ports__more": declared}}))


@fault(
    "layer-no-list",
    area="declarations",
    fault="A layer of declarations is no list",
    cause="a mapping in the variables of the host",
    says=not_assessed("web1:inventory-invalid", line="vigil_ports__more: wrong type: a mapping"),
)
def test_a_layer_that_is_no_list(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"web1": {"vigil_ports__more": {"port": 8099}}}))


def beside(folder: Path, text: str) -> tuple[str, ...]:
    """Arguments for an inventory with this text as the host variables of web1."""
    (folder / "beside" / "host_vars").mkdir(parents=True)
    (folder / "beside" / "host_vars" / "web1.yml").write_text(text, encoding="utf-8")
    (folder / "beside" / "hosts.yml").write_text("all: {hosts: {web1: {}}}\n", encoding="utf-8")
    return ("-i", str(folder / "beside" / "hosts.yml"))


@fault(
    "yaml-broken",
    area="declarations",
    fault="A file with declarations is no YAML",
    cause="a bracket that nobody closes, in the variables of the host",
    says=no_run(line="YAML parsing failed", exit_status=4),
)
def test_declarations_that_are_no_yaml(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(audit(arguments=beside(tmp_path, "vigil_ports__more: [{port: 8099\n")))


@fault(
    "yaml-key-twice",
    area="declarations",
    fault="A key stands twice in a declaration",
    cause="the key port twice, in the variables of the host: YAML takes the last, and Ansible warns",
    says=failed("web1:missing-listener:tcp/8098", line="tcp/8098"),
)
def test_a_key_that_stands_twice(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    text = "vigil_ports__more:\n  - {port: 443, port: 8098, justification: x, owner: y}\n"
    run = audit(arguments=beside(tmp_path, text))
    told(run)
    assert "duplicate" in run.output.lower()


def excused(expires: str) -> dict[str, Any]:
    """web1, whose web server nobody declares any more, with an exception."""
    exception = {"port": [80, 443], "reason": "x", "owner": "y", "expires": expires}
    return {"web1": {"vigil_ports__web": [], "vigil_exceptions__web": [exception]}}


EXPIRED = tuple(
    f"web1:{rule}:tcp/{port}" for port in (80, 443) for rule in ("exception-expired", "undeclared-listener")
)
EXPIRED += tuple(f"web1:undeclared-exposure:tcp/{port}@office" for port in (80, 443))


@fault(
    "expiry-leap-day",
    area="declarations",
    fault="An exception expires on the leap day, which is today",
    cause="audit_date 2028-02-29",
    says=assessed("web1", line="2028-02-29"),
)
def test_an_exception_holds_to_the_end_of_a_leap_day(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars=excused("2028-02-29"), audit_date="2028-02-29"))


@fault(
    "expiry-day-after-leap-day",
    area="declarations",
    fault="An exception expired on the leap day, which was yesterday",
    cause="audit_date 2028-03-01",
    says=failed(*EXPIRED, line="expired on 2028-02-29, 1 day ago"),
)
def test_an_exception_does_not_hold_after_a_leap_day(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars=excused("2028-02-29"), audit_date="2028-03-01"))


@fault(
    "expiry-no-such-day",
    area="declarations",
    fault="An exception expires on a day that the year does not have",
    cause="expires 2027-02-29",
    says=not_assessed("web1:inventory-invalid", line="no such day"),
)
def test_an_exception_to_a_day_that_does_not_exist(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars=excused("2027-02-29")))


@fault(
    "expiry-year-end",
    area="declarations",
    fault="An exception expires with the year, and the control node is already in the next one",
    cause="faketime at 23:30 UTC on December 31st, TZ=Pacific/Kiritimati (14 hours ahead)",
    says=assessed("web1", line="2026-12-31"),
)
def test_the_day_is_that_of_utc(audit: Auditing, told: Telling) -> None:
    around = ("env", "TZ=UTC", "faketime", "2026-12-31 23:30:00", "env", "TZ=Pacific/Kiritimati")
    run = audit(host_vars=excused("2026-12-31"), audit_date="", around=around)
    told(run)
    assert run.results()["run"]["audit_date"] == "2026-12-31"


@fault(
    "date-far-future",
    area="declarations",
    fault="The audit is dated at the end of the calendar",
    cause="audit_date 9999-12-31",
    says=failed(*EXPIRED, line="expired on 2028-02-29"),
)
def test_the_last_day_of_the_calendar(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars=excused("2028-02-29"), audit_date="9999-12-31"))


LISTENS = "import socket, time; one = socket.create_server(('0.0.0.0', 4444)); time.sleep(300)"


@pytest.fixture
def taken(web1: Inside) -> Iterator[None]:
    """A program that nobody declared listens on tcp/4444."""
    program = web1.start(sys.executable, "-c", LISTENS)
    try:
        yield
    finally:
        web1.run("pkill -f '[4]444'")  # nsenter, which was started, is not what listens
        program.wait(10)


@fault(
    "exception-for-everything",
    area="declarations",
    fault="An exception covers every port until the end of the calendar, and a backdoor listens",
    cause="port 1-65535, expires 9999-12-31; a process listens on tcp/4444",
    says=failed("web1:too-broad:tcp/1-65535", line="65535 ports of tcp; the limit is 500 (audit_too_broad_ports)"),
)
@pytest.mark.usefixtures("taken")
def test_an_exception_for_everything(audit: Auditing, told: Telling) -> None:
    everything = {"port": "1-65535", "reason": "Migration", "owner": "web-team", "expires": "9999-12-31"}
    told(audit(host_vars={"web1": {"vigil_exceptions__everything": [everything]}}))


@fault(
    "dynamic-port-of-another",
    area="declarations",
    fault="A process takes a port on a host that declares a dynamic port for another one, reachable from any",
    cause="port dynamic for the process rpc.statd; another process listens on tcp/4444",
    says=failed(
        "web1:undeclared-listener:tcp/4444",
        "web1:undeclared-exposure:tcp/4444@office",
        line="listens on tcp/4444 at 0.0.0.0, undeclared",
    ),
)
@pytest.mark.usefixtures("taken")
def test_a_dynamic_port_of_another_process(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"web1": {"vigil_ports__statd": [shared("dynamic", "rpc.statd")]}}))


@fault(
    "shared-port-of-neither",
    area="declarations",
    fault="A process takes a port that two declarations share, and is of neither",
    cause="ports 4400-4499 for nginx, and for java; another process listens on tcp/4444",
    says=failed("web1:wrong-owner:tcp/4444", line="instead of"),
)
@pytest.mark.usefixtures("taken")
def test_a_shared_port_of_neither_process(audit: Auditing, told: Telling) -> None:
    entries = [shared("4400-4499", "nginx"), {**shared("4400-4499", "java"), "owner": "build-team"}]
    told(audit(host_vars={"web1": {"vigil_ports__previews": entries}}))


def shared(port: str, process: str) -> dict[str, Any]:
    """A declaration for one process, which does not have to listen."""
    about = {"required": False, "reachable_from": "any", "justification": "Of the test", "owner": "web-team"}
    return {"port": port, "process": process, **about}
