# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit of the fleet finds exactly what is planted: ``ansible-playbook vigil.ports.audit``, over SSH, with scans
from three namespaces that are not the hosts' own."""

from __future__ import annotations

import collections
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules.registry import CATALOGUE
from fleet import playbook
from fleet.control import Fleet
from fleet.hosts import HOSTS, UNREACHABLE
from fleet.layout import CHECKOUT, INTEGRATION
from lxml import etree

# Where the pipeline looks for the report of the fleet.
REPORT_DIR = CHECKOUT / ".cache" / "fleet-report"
VANTAGES = ("internet", "office", "dmz")
IN_SCOPE = {*HOSTS, UNREACHABLE}


@dataclasses.dataclass(frozen=True, order=True)
class Verdict:
    """What a finding says, without its words."""

    host: str
    rule: str
    status: str
    severity: str
    protocol: str
    port: str
    address: str
    vantage: str

    @classmethod
    def read(cls, row: dict[str, Any]) -> Verdict:
        return cls(**{field.name: str(row.get(field.name) or "-") for field in dataclasses.fields(cls)})


@dataclasses.dataclass(frozen=True)
class Audit:
    """A finished run of the playbook."""

    status: int
    output: str
    run: Path
    results: dict[str, Any]

    def verdicts(self) -> collections.Counter[Verdict]:
        rows = (row for row in self.results["findings"] if row["status"] != "pass")
        return collections.Counter(Verdict.read(row) for row in rows)


def truth(units: bool) -> Iterator[dict[str, Any]]:
    """The planted findings, one row each."""
    planted = yaml.safe_load((INTEGRATION / "truth.yml").read_text(encoding="utf-8"))["findings"]
    for entry in planted:
        if entry.get("when") == "units" and not units:
            continue
        row = {"status": "fail", "protocol": "tcp" if "port" in entry else None, **entry}
        for vantage in entry.get("vantages", [None]):
            yield {**row, "vantage": vantage}


@pytest.fixture(scope="module")
def audit(fleet: Fleet) -> Audit:
    """The playbook, run once."""
    shutil.rmtree(REPORT_DIR, ignore_errors=True)
    settings = {"audit_report_dir": str(REPORT_DIR), "audit_accept_gaps": ["gone1:unreachable"]}
    status, output = playbook.run("vigil.ports.audit", "-e", json.dumps(settings))
    run = REPORT_DIR / "latest"
    if not (run / "results.json").exists():
        pytest.fail(f"no results:\n{output[-4000:]}", pytrace=False)
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return Audit(status, output, run.resolve(), results)


def compared(fleet: Fleet, audit: Audit) -> tuple[collections.Counter[Verdict], collections.Counter[Verdict]]:
    """What is planted and what was found, as far as this machine lets the truth be planted."""
    expected = collections.Counter(Verdict.read(row) for row in truth(fleet.units))
    found = audit.verdicts()
    if not fleet.units:  # said as a skip by test_verdicts_on_units
        planted = {(one.host, one.port) for one in expected if one.rule == "wrong-owner"}
        found = collections.Counter(
            {one: n for one, n in found.items() if one.rule != "wrong-owner" or (one.host, one.port) in planted}
        )
    return expected, found


def test_finds_exactly_what_is_planted(fleet: Fleet, audit: Audit) -> None:
    expected, found = compared(fleet, audit)
    missed, invented = expected - found, found - expected
    words = {Verdict.read(row): row["message"] for row in audit.results["findings"]}
    differences = [f"not found: {one}" for one in sorted(missed)]
    differences += [f"invented: {one}: {words[one]}" for one in sorted(invented)]
    assert not differences, "\n".join([f"{len(differences)} differences", *differences[:40]])


def test_verdicts_on_units(fleet: Fleet, audit: Audit) -> None:
    if not fleet.units:
        pytest.skip("control groups cannot be made here: verdicts on units are not compared")
    judged = [one for one in audit.verdicts() if (one.host, one.port) == ("app1", "8091")]
    assert [(one.rule, one.status) for one in judged] == [("wrong-owner", "fail")]


def test_namespaces_are_told_apart(audit: Audit) -> None:
    rows = [row for row in audit.results["findings"] if row["rule"] == "undeclared-listener" and row["host"] == "ns1"]
    assert [(row["port"], row["namespace"]) for row in rows] == [(8094, "netns/blue")]


def test_every_rule_fires_somewhere(audit: Audit) -> None:
    catalogue = {row["rule"] for row in audit.results["findings"]}
    fired = {one.rule for one in audit.verdicts()}
    assert catalogue <= fired
    assert fired == set(CATALOGUE) - {"unapproved"}  # nothing is proposed here: test_baseline does that


def test_every_host_is_in_the_results_and_the_clean_ones_are_clean(fleet: Fleet, audit: Audit) -> None:
    assert {row["host"] for row in audit.results["hosts"]} == IN_SCOPE
    _planted, found = compared(fleet, audit)
    wrong = {one.host for one in found}
    assert IN_SCOPE - wrong == {"web1", "scan-internet", "scan-office", "scan-dmz"}


def test_the_gate_fails_the_run(audit: Audit) -> None:
    assert audit.status != 0
    assert audit.results["gate"]["passed"] is False
    assert "Traceback" not in audit.output


def test_reports_are_whole(audit: Audit) -> None:
    names = {path.name for path in audit.run.iterdir() if not path.name.startswith(".")}
    assert {"evidence", "results.json", "junit.xml", "report.md", "summary.md", "manifest.json"} <= names
    suites = etree.parse(str(audit.run / "junit.xml"))
    assert suites.findall(".//failure")
    assert suites.findall(".//error")
    assert suites.findall(".//skipped")
    assert (audit.run / "summary.md").stat().st_size < 60_000


def test_hostile_names_reach_no_report_raw(audit: Audit) -> None:
    for path in audit.run.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"\x1b" not in content, path
            content.decode("utf-8")
    report = (audit.run / "report.md").read_text(encoding="utf-8")
    assert "](http://attacker.example" not in report
    assert "<script>" not in report
    assert "\x1b[31m" not in audit.output


def test_secrets_in_command_lines_stay_on_the_host(audit: Audit) -> None:
    for path in audit.run.rglob("*"):
        if path.is_file():
            assert b"hunter2" not in path.read_bytes(), path


def evidence(audit: Audit, host: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((audit.run / "evidence" / "hosts" / f"{host}.json").read_text(encoding="utf-8"))
    return found


def listeners(audit: Audit, host: str, port: int) -> list[dict[str, Any]]:
    rows = evidence(audit, host)["listening"]["listeners"]
    return [row for row in rows if row["port"] == port]


def test_sockets_are_told_apart_by_the_kernels_own_flags(audit: Audit) -> None:
    [dual], [single] = listeners(audit, "dual1", 8081), listeners(audit, "dual1", 8082)
    assert (dual["family"], dual["v6only"]) == ("ipv6", False)
    assert (single["family"], single["v6only"]) == ("ipv6", True)
    [bound] = listeners(audit, "dual1", 8083)
    assert (bound["address"], bound["interface"]) == ("0.0.0.0", "lo")
    [mapped] = listeners(audit, "dual1", 8087)
    assert (mapped["family"], mapped["address"]) == ("ipv4", "198.18.0.15")
    [shared] = listeners(audit, "dual1", 8085)
    assert shared["sockets"] == 3
    assert len({owner["pid"] for owner in shared["owners"]}) == 3


def test_owners_are_the_real_ones(audit: Audit) -> None:
    [web] = [row for row in listeners(audit, "web1", 443) if row["family"] == "ipv4"]
    assert {owner["name"] for owner in web["owners"]} == {"nginx"}
    assert len(web["owners"]) == 2
    [deleted] = listeners(audit, "hostile1", 4445)
    assert [owner["executable_deleted"] for owner in deleted["owners"]] == [True]
    assert deleted["owners"][0]["executable"] == "/tmp/metricsd"
    [held] = listeners(audit, "app1", 7777)
    assert [owner["pid"] for owner in held["owners"]] == [1]
    [unseen] = listeners(audit, "noroot1", 8080)
    assert unseen["owners"] == []
    assert unseen["owners_state"] == "unknown"


def test_nothing_is_left_on_the_hosts(audit: Audit, reach: Any) -> None:
    for name in HOSTS:
        host = reach(name)
        assert host.run("pgrep -x nmap").rc == 1
        assert host.check_output("find /tmp/.ansible-* -type f 2>/dev/null || true") == ""
