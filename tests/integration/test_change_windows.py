# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A night of change windows on the fleet: what is opened really listens, and after the closing each host's part is told
as it was: done as planned, planned but not done, done but not planned."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra
from fleet import playbook
from fleet.layout import INTEGRATION, SSH_CONFIG
from lxml import etree
from testinfra.host import Host

pytestmark = pytest.mark.usefixtures("fleet")
Json = dict[str, Any]

HOSTS = "web1,cache1,app1"
PLANNED = """
vigil_ports__change:
  - port: {port}
    reachable_from: [office]
    justification: The change
    owner: app-team
    approved_by: netsec
    change: {change}
"""


@dataclasses.dataclass(frozen=True)
class Night:
    """An inventory in a git checkout, and where its reports go."""

    inventory: Path
    reports: Path

    def play(self, name: str, *more: str, **variables: Any) -> tuple[int, str]:
        given = {
            "audit_report_dir": str(self.reports),
            "vigil_vantages": [{"name": "office", "scanners": ["scan-office"]}],
            **variables,
        }
        return playbook.run(
            f"vigil.ports.{name}", "-e", json.dumps(given), *more, inventory=self.inventory / "hosts.yml"
        )

    def runs(self) -> set[str]:
        return {path.parent.name for path in self.reports.glob("*/manifest.json")}

    def window(self, change: str) -> Path:
        (found,) = (path for path in (self.reports / "changes").iterdir() if path.name.endswith(change[-5:]))
        return found

    def closed(self, change: str) -> Json:
        found: Json = json.loads((self.window(change) / "close.json").read_text(encoding="utf-8"))
        return found


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The fleet's inventory with two planned openings that were committed last."""
    made = Night(tmp_path_factory.mktemp("inventory"), tmp_path_factory.mktemp("reports"))
    shutil.copytree(INTEGRATION / "inventory", made.inventory, dirs_exist_ok=True)
    git(made.inventory, "init", "-q")
    git(made.inventory, "add", "-A")
    git(made.inventory, "commit", "-qm", "before")
    for host, port in (("web1", 8601), ("cache1", 8602)):
        with (made.inventory / "host_vars" / f"{host}.yml").open("a", encoding="utf-8") as file:
            file.write(PLANNED.format(port=port, change="CHG-2001"))
    git(made.inventory, "commit", "-qam", "planned")
    return made


def shell(host: str) -> Host:
    return testinfra.get_host(f"ssh://{host}", ssh_config=str(SSH_CONFIG), controlpersist=0)


def serve(host: str, port: int) -> None:
    command = f"exec /usr/bin/python3 /run/fleet/planted_socket.py 0.0.0.0 {port}"
    shell(host).check_output(
        f"setsid --fork sh -c 'echo $$ > /run/change-{port}.pid; {command}' </dev/null >/dev/null 2>&1;"
        f" for each in $(seq 50); do ss -Htln sport = :{port} | grep -q . && break; sleep 0.1; done"
    )


@pytest.fixture(scope="module")
def opened(night: Night) -> Night:
    """Two windows, open on different hosts."""
    status, output = night.play("change_open", "--limit", HOSTS, change="CHG-2001")
    assert status == 0, output
    assert "Change CHG-2001 is open on 3 hosts: 2 to be opened, 0 to be closed" in output
    assert "open   web1: tcp/8601, vigil_ports__change[0]" in output
    status, output = night.play("change_open", "--limit", "dev1", change="CHG-2002", change_nothing=True)
    assert status == 0, output
    return night


@pytest.fixture(scope="module")
def done(opened: Night) -> Iterator[Night]:
    """The change, done in part, and with more than was planned."""
    serve("web1", 8601)
    serve("app1", 8603)
    yield opened
    for host, port in (("web1", 8601), ("app1", 8603)):
        shell(host).run(f"kill $(cat /run/change-{port}.pid); rm /run/change-{port}.pid")


def test_an_unknown_id_is_refused_before_anything_is_scanned(night: Night) -> None:
    before = night.runs()
    status, output = night.play("change_open", "--limit", HOSTS, change="CHG-1043")
    assert status == 2
    assert "no declaration or exception of the 3 hosts carries the change id CHG-1043" in " ".join(output.split())
    assert "they carry: CHG-1041, CHG-1042, " in " ".join(output.split())  # the nearest first
    assert night.runs() == before
    assert not (night.reports / "changes").exists()


def test_a_plan_from_a_revision_is_what_is_declared_otherwise(night: Night) -> None:
    file = night.inventory / "host_vars" / "cache1.yml"
    written = file.read_text(encoding="utf-8")
    kept, _layer, _ports = written.partition("vigil_ports__cache:")
    file.write_text(kept + PLANNED.format(port=8602, change="CHG-2001"), encoding="utf-8")
    more = {"change": "CHG-2009", "audit_scan_depth": "none"}
    try:
        status, output = night.play("change_open", "--check", "--limit", HOSTS, change_since="HEAD~1", **more)
    finally:
        file.write_text(written, encoding="utf-8")
    assert status == 0, output
    assert "Change CHG-2009 would be open on 3 hosts: 2 to be opened, 1 to be closed" in output
    assert "close  cache1: tcp/6379 at 198.18.0.0/24, loopback, vigil_ports__cache[0]" in output
    assert not (night.reports / "changes").exists(), "a check opened a window"
    status, output = night.play("change_open", "--limit", HOSTS, change_since="HEAD", **more)
    assert status == 2
    assert "are those of revision HEAD" in output


@pytest.mark.parametrize(
    ("name", "change", "limit", "said"),
    [
        ("change_open", "CHG-2001", HOSTS, "change CHG-2001 is open already, since "),
        ("change_open", "CHG-1042", "web1", "web1: in the window of change CHG-2001, open since "),
        ("change_close", "CHG-2010", "all", "open are: CHG-2001, CHG-2002"),
        ("change_close", "CHG-2001", "dns1", "None of the 3 hosts of the window is in the inventory within the limit"),
    ],
)
def test_what_is_in_the_way_is_named_in_seconds(opened: Night, name: str, change: str, limit: str, said: str) -> None:
    before = opened.runs()
    status, output = opened.play(name, "--limit", limit, change=change)
    assert status == 2
    assert said in " ".join(output.split())
    assert opened.runs() == before, "hosts were looked at for nothing"


def test_a_window_left_open_is_in_every_audit(opened: Night) -> None:
    _status, output = opened.play("audit", "--limit", "dns1", audit_scan_depth="none")
    assert "Change window CHG-2001 is open for 0 hours, since " in output
    run = opened.reports / "latest"
    rows = json.loads((run / "results.json").read_text(encoding="utf-8"))["run"]["open_changes"]
    assert [(row["change"], row["hosts"], row["problem"]) for row in rows] == [
        ("CHG-2001", 3, None),
        ("CHG-2002", 1, None),
    ]
    assert "- Change window `CHG-2001` is open" in (run / "report.md").read_text(encoding="utf-8")


def test_a_window_of_another_controller_is_taken_over_only_by_name(opened: Night) -> None:
    file = opened.window("CHG-2002") / "window.json"
    about = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**about, "by": {"host": "control9", "user": "night-shift"}}), encoding="utf-8")
    status, output = opened.play("change_close", change="CHG-2002")
    assert status == 2
    assert "was opened by night-shift@control9" in " ".join(output.split())
    status, output = opened.play("change_close", change="CHG-2002", change_take_over=True)
    assert status == 0, output
    assert "Change CHG-2002 PASSED: no port changed, as planned, on 1 host." in output
    assert "who took it over" in (file.parent / "report.md").read_text(encoding="utf-8")


def test_each_host_is_told_what_was_done_what_was_not_and_what_else(done: Night) -> None:
    status, checked = done.play("change_close", "--check", change="CHG-2001")
    assert status == 2
    assert "check mode: the window stays open" in checked
    assert not (done.window("CHG-2001") / "close.json").exists()
    status, output = done.play("change_close", change="CHG-2001")
    assert status == 2
    line = "Change CHG-2001 FAILED: {} done but not planned, 1 planned but not done, 1 done as planned, on 3 hosts."
    assert line.format(2) in output, output
    found = done.closed("CHG-2001")
    kinds = {host: [(row["kind"], row["text"]) for row in rows] for host, rows in found["hosts"].items()}
    assert [kind for kind, _text in kinds["web1"]] == ["as-planned"]
    assert kinds["web1"][0][1].startswith("tcp/8601 listens on 0.0.0.0 (python3 as root")
    assert kinds["web1"][0][1].endswith("open from office")
    assert kinds["cache1"] == [("not-done", "tcp/8602 does not listen")]
    assert [text.partition(" at ")[0] for _kind, text in kinds["app1"]] == [
        "tcp/8603 opened",
        "tcp/8603 opened from office",
    ]
    assert {kind for kind, _text in kinds["app1"]} == {"not-planned"}
    suites = etree.parse(done.window("CHG-2001") / "junit.xml").getroot()
    failed = {
        suite.get("name"): [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
        for suite in suites
    }
    assert failed == {
        "app1": ["nothing else changed"],
        "cache1": ["tcp/8602 is open as planned"],
        "web1": [],
    }
    report = (done.window("CHG-2001") / "report.md").read_text(encoding="utf-8")
    assert "## `web1`: as planned" in report
    assert "**planned but not done** | `tcp/8602 does not listen`" in report
    status, output = done.play("change_close", change="CHG-2001")
    assert status == 2
    assert "change CHG-2001 was closed at " in " ".join(output.split())
    assert "report.md" in output
