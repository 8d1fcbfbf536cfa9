# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Least privilege, tried on a real host with a real sudo: what docs/least-privilege.md says is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.audits import Audit, Auditing
from faults.inside import Inside, inside
from fleet.layout import CHECKOUT
from testinfra.host import Host

Json = dict[str, Any]
PAGE = (CHECKOUT / "docs" / "least-privilege.md").read_text(encoding="utf-8")
INTERPRETER = "/usr/bin/python3"
SECRETS = ("planted-argument-1", "planted-environment-2", "planted-url-3", "planted-become-4", "planted-vault-5")


@pytest.fixture
def noroot1(fleet: object) -> Iterator[Inside]:
    with inside("noroot1") as host:
        yield host


@pytest.fixture
def audit(fleet: object, tmp_path: Path) -> Auditing:
    return Auditing(tmp_path)


def documented(kind: str) -> str:
    """The block of the page with the language ``kind``."""
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"docs/least-privilege.md has no block of {kind}"
    return found[1]


def with_sudoers(host: Inside) -> None:
    host.own_folder("/etc/sudoers.d")
    host.run(
        f"cat > /etc/sudoers.d/vigil-ports <<'END'\n{documented('text')}END\nchmod 440 /etc/sudoers.d/vigil-ports\n"
        "visudo -cqf /etc/sudoers.d/vigil-ports"
    )


def coverage(run: Audit) -> Json:
    (host,) = run.results()["hosts"]
    found: Json = host["coverage"]
    return found


def gaps(run: Audit) -> list[str]:
    return sorted(row["gap"] for row in run.results()["findings"] if row["status"] == "not_assessed")


def test_without_privileges_the_report_names_what_is_lost(audit: Auditing) -> None:
    run = audit("noroot1")
    assert coverage(run)["privileged"] is False
    assert coverage(run)["sources"]["tcp_ipv4"] == "netlink"
    unknown = ("namespaces-unknown", "owner-unknown:tcp/22", "translation-unknown")
    assert gaps(run) == [f"noroot1:{what}" for what in unknown]
    assert run.exit_status == 2


def test_the_documented_line_of_sudoers_is_enough_and_gives_no_other_command(
    audit: Auditing, noroot1: Inside, reach: Callable[[str], Host]
) -> None:
    with_sudoers(noroot1)
    run = audit("noroot1", host_vars={"noroot1": {"ansible_become": True, "ansible_python_interpreter": INTERPRETER}})
    assert coverage(run)["privileged"] is True, run.output
    assert coverage(run)["owners"]["complete"] is True
    assert not [gap for gap in gaps(run) if "owners" in gap]
    for refused in ("id", "/bin/sh -c id", "/bin/sh -c 'echo BECOME-SUCCESS-x ; id'", f"{INTERPRETER} -c 'print(1)'"):
        assert reach("noroot1").run(f"sudo -n {refused}").rc != 0, refused


def test_a_python_with_capabilities_sees_every_owner_without_root(audit: Auditing, noroot1: Inside) -> None:
    noroot1.own_folder("/usr/local/lib")
    noroot1.run(documented("sh"))
    interpreter = "/usr/local/lib/vigil-ports/python3"
    run = audit("noroot1", host_vars={"noroot1": {"ansible_python_interpreter": interpreter}})
    assert coverage(run)["privileged"] is True, run.output
    assert coverage(run)["owners"]["complete"] is True


def test_no_secret_leaves_the_host_or_the_vault(
    audit: Auditing, noroot1: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_sudoers(noroot1)
    argument, environment, url, become, vaulted = SECRETS
    listen = "import socket, time; s = socket.create_server(('0.0.0.0', 8099)); time.sleep(600)"
    telling = noroot1.start(
        INTERPRETER,
        "-c",
        listen,
        f"--password={argument}",
        f"PGPASSWORD={environment}",
        f"https://me:{url}@db.example/",
    )
    password, variables, log = tmp_path / "vault-password", tmp_path / "vaulted.yml", tmp_path / "ansible.log"
    password.write_text("opens the vault", encoding="utf-8")
    declared = "{port: 8099, justification: From the vault, owner: vault-team}"
    variables.write_text(f"db_password: {vaulted}\nvigil_ports__vaulted: [{declared}]\n", encoding="utf-8")
    vault = Path(sys.executable).with_name("ansible-vault")
    subprocess.run((vault, "encrypt", "--vault-password-file", password, variables), check=True, capture_output=True)
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(log))
    host = {"ansible_become": True, "ansible_become_password": become, "ansible_python_interpreter": INTERPRETER}
    try:
        run = audit(
            "noroot1",
            host_vars={"noroot1": host},
            arguments=("-vvv", "--diff", "-e", f"@{variables}", "--vault-password-file", str(password)),
        )
    finally:
        telling.terminate()
        telling.wait()
    (evidence,) = (run.run / "evidence" / "hosts").iterdir()
    assert "vault-team" in evidence.read_text(encoding="ascii"), run.output
    assert "--password=[redacted]" in evidence.read_text(encoding="ascii")
    files = [path for path in run.report_dir.rglob("*") if path.is_file()]
    written = {path: path.read_text(encoding="utf-8", errors="replace") for path in files}  # a database among them
    written |= {log: log.read_text(encoding="utf-8"), Path("stdout"): run.output}
    assert len(written) > 6
    assert [(path, secret) for path, text in written.items() for secret in SECRETS if secret in text] == []
    modes = {path: path.stat().st_mode & 0o777 for path in run.report_dir.rglob("*") if not path.is_symlink()}
    assert {path: oct(mode) for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}
