# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts send the scanners out and are listed again: those of this audit, by the names of the inventory."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from .conftest import Json, Playbooks

KNOWN: Json = {"audit_scan_depth": "known", "audit_scan_engine": "connect", "audit_fail_on": "never"}
_DECLARED: Json = {"protocol": "tcp", "justification": "A test of the second listing.", "owner": "tests"}
HERE: Json = {"vigil_addresses": {"default": ["127.0.0.1"]}}


def _runs(playbook: Playbooks) -> list[Path]:
    return sorted(path for path in playbook.report_dir.iterdir() if path.is_dir() and not path.is_symlink())


def _vantages(run: Path) -> list[Json]:
    results: Json = json.loads((run / "results.json").read_text(encoding="utf-8"))
    vantages: list[Json] = results["coverage"]["vantages"]
    return vantages


def test_each_of_two_audits_in_one_command_scans_into_a_run_of_its_own(playbook: Playbooks) -> None:
    play = [
        {"ansible.builtin.import_playbook": "vigil.ports.audit", "vars": {"audit_hosts": "web1"}},
        {"ansible.builtin.import_playbook": "vigil.ports.audit", "vars": {"audit_hosts": "db1"}},
    ]
    ended = playbook(play, hosts={"web1": HERE, "db1": HERE}, variables=KNOWN)
    assert ended.exit_status == 0, ended.output
    runs = {json.loads((run / "evidence/run.json").read_text())["hosts"][0]: run for run in _runs(playbook)}
    assert runs.keys() == {"web1", "db1"}
    for run in runs.values():
        (vantage,) = _vantages(run)
        (scanner,) = vantage["scanners"]
        assert (scanner["status"], scanner["targets"], scanner["complete"]) == ("scanned", 1, 1)
        verified = playbook("vigil.ports.verify", "-e", f"run_dir={run}", hosts={"web1": HERE, "db1": HERE})
        assert verified.exit_status == 0, verified.output


def test_a_later_audit_without_a_scan_sends_nobody_out(playbook: Playbooks) -> None:
    play = [
        {"ansible.builtin.import_playbook": "vigil.ports.audit", "vars": {"audit_hosts": "web1"}},
        {
            "ansible.builtin.import_playbook": "vigil.ports.audit",
            "vars": {"audit_hosts": "db1", "audit_scan_depth": "none"},
        },
    ]
    ended = playbook(play, hosts={"web1": HERE, "db1": HERE}, variables=KNOWN)
    assert ended.exit_status == 0, ended.output
    assert ended.output.count("Scan from a vantage point") == 1


def test_a_host_with_a_colon_in_its_name_sends_the_scanners_out_and_is_listed_again(
    playbook: Playbooks, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        declared = {"vigil_ports": [{**_DECLARED, "port": server.getsockname()[1], "process": "nobody"}]}
        dynamic = tmp_path / "dynamic"
        hosts = {"all": {"hosts": ["db:22"]}, "_meta": {"hostvars": {"db:22": {**HERE, **declared}}}}
        dynamic.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(hosts)}\nEND\n")
        dynamic.chmod(0o755)
        settings = {**KNOWN, "audit_verify_bind": "all"}
        ended = playbook("vigil.ports.audit", "-i", str(dynamic), "-e", "audit_hosts=all,!web1", variables=settings)
    assert ended.exit_status == 0, ended.output
    results = ended.read("results.json")
    (row,) = results["hosts"]
    assert (row["host"], row["relisted"]["status"]) == ("db:22", "listed")
    assert [one["status"] for one in results["coverage"]["vantages"][0]["scanners"]] == ["scanned"]


def test_the_implicit_localhost_stays_the_control_node(playbook: Playbooks) -> None:
    ended = playbook("vigil.ports.audit", "-e", "audit_hosts=localhost", variables={**KNOWN, **HERE})
    assert ended.exit_status == 0, ended.output
    (row,) = ended.read("results.json")["hosts"]
    assert (row["host"], row["status"]) == ("localhost", "gathered"), row["message"]
