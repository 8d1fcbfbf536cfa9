# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services that start, restart or hide between the listing and the scan of the real fleet: a restart is not called
tampering, and what is hidden is not called a restart. What is planted on ``hides1`` is in ``truth.yml``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fleet import playbook
from testinfra.host import Host

pytestmark = pytest.mark.usefixtures("fleet")
Json = dict[str, Any]
PORT = 8999
LATE = {"port": PORT, "reachable_from": "any", "justification": "Starts when it likes", "owner": "app-team"}
PID_FILE = "/run/late.pid"
SERVE = f"echo $$ > {PID_FILE}; exec /usr/bin/python3 /run/fleet/planted_socket.py 0.0.0.0 {PORT}"
START = [
    {"ansible.builtin.command": {"argv": ["sh", "-c", f"setsid --fork sh -c '{SERVE}' </dev/null >/dev/null 2>&1"]}},
    {"ansible.builtin.wait_for": {"host": "127.0.0.1", "port": PORT, "timeout": 20}},
]
STOP = [{"ansible.builtin.command": {"argv": ["sh", "-c", f"kill $(cat {PID_FILE}); rm {PID_FILE}"]}}]


@pytest.fixture(autouse=True)
def nothing_stays(reach: Any) -> Iterator[None]:
    yield
    host: Host = reach("web1")
    host.run(f"kill $(cat {PID_FILE}); rm {PID_FILE}")


def stage(name: str, **variables: Any) -> Json:
    return {
        "ansible.builtin.include_role": {"name": "vigil.ports.audit", "tasks_from": name, "public": name == "open"},
        "vars": variables,
    }


def audited(folder: Path, *tasks: Any, **variables: Any) -> tuple[str, Json]:
    """What the playbook of these tasks said, and the results of web1. The port is declared in the play's vars."""
    flat = [task for some in tasks for task in (some if isinstance(some, list) else [some])]
    play = {"hosts": "web1", "gather_facts": False, "vars": {"vigil_ports__late": [LATE]}, "tasks": flat}
    book = folder / "stages.yml"
    book.write_text(json.dumps([play]), encoding="utf-8")
    _status, output = playbook.run(str(book), *options(folder, **variables))
    return output, results(folder, output)


def options(folder: Path, **variables: Any) -> list[str]:
    known = {
        "audit_scan_depth": "known",
        "audit_scan_versions": False,
        "vigil_vantages": [{"name": "office", "scanners": ["scan-office"]}],
        "audit_report_dir": str(folder / "reports"),
    }
    return ["-e", json.dumps({**known, **variables})]


def results(folder: Path, output: str) -> Json:
    file = folder / "reports" / "latest" / "results.json"
    assert file.exists(), output
    found: Json = json.loads(file.read_text(encoding="utf-8"))
    return found


def wrong(found: Json) -> dict[tuple[str, str], Json]:
    """What did not pass, by rule and status."""
    return {(row["rule"], row["status"]): row for row in found["findings"] if row["status"] != "pass"}


def test_a_service_that_starts_between_listing_and_scan_is_neither_hidden_nor_missing(tmp_path: Path) -> None:
    output, found = audited(
        tmp_path, stage("open"), stage("gather"), START, stage("scan"), stage("relist"), stage("judge")
    )
    assert wrong(found) == {}, output
    assert found["gate"]["passed"]
    [row] = [row for row in found["findings"] if row["rule"] == "missing-listener" and row["port"] == PORT]
    assert "started meanwhile" in row["message"]
    [host] = found["hosts"]
    assert host["relisted"]["asked"] == {"tcp": str(PORT), "udp": ""}
    run = tmp_path / "reports" / "latest" / "evidence"
    ports = [
        {row["port"] for row in json.loads((run / kind / "web1.json").read_text())["listening"]["listeners"]}
        for kind in ("hosts", "relisted")
    ]
    assert PORT not in ports[0]  # the first listing stays as it was
    assert PORT in ports[1]


def test_a_service_that_is_down_while_it_is_scanned_is_not_called_hidden(tmp_path: Path) -> None:
    _output, found = audited(
        tmp_path,
        START,
        stage("open"),
        stage("gather"),
        STOP,
        stage("scan"),
        START,
        stage("relist"),
        stage("judge"),
    )
    assert set(wrong(found)) == {("blocked-service", "fail")}
    assert "restarted meanwhile" in wrong(found)["blocked-service", "fail"]["message"]


def test_a_host_that_is_lost_before_the_second_look_leaves_the_disagreement_and_says_so(tmp_path: Path) -> None:
    output, found = audited(
        tmp_path,
        stage("open"),
        stage("gather"),
        START,
        stage("scan"),
        stage("relist", ansible_port=9),  # nobody answers there
        stage("judge"),
    )
    assert set(wrong(found)) == {
        ("missing-listener", "fail"),
        ("open-without-listener", "fail"),
        ("hidden-listener", "not_assessed"),
    }, output
    assert "it could not be listed again" in wrong(found)["open-without-listener", "fail"]["message"]
    assert wrong(found)["hidden-listener", "not_assessed"]["gap"] == "web1:not-relisted"
    assert found["hosts"][0]["relisted"]["status"] == "unreachable"


def test_every_port_of_every_host_is_tried_when_asked_for(tmp_path: Path) -> None:
    more = {"audit_verify_bind": "all", "audit_hosts": "web1,hides1,noroot1", "audit_scan_depth": "none"}
    _status, output = playbook.run("vigil.ports.audit", *options(tmp_path, **more))
    found = results(tmp_path, output)
    hidden = {row["host"]: row for row in found["findings"] if row["rule"] == "hidden-listener"}
    assert {host: row["status"] for host, row in hidden.items()} == {
        "web1": "pass",
        "hides1": "fail",  # nobody looked from outside: bind() alone tells
        "noroot1": "not_assessed",
    }
    assert hidden["hides1"]["port"] == 31337
    assert hidden["noroot1"]["gap"] == "noroot1:bind-unknown"
    assert "EACCES" in hidden["noroot1"]["message"]
