# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets that a real systemd holds for services, and services that hand their socket to children: who is the owner."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fleet.layout import CHECKOUT
from systemd_machine import SystemdMachine, systemd_machine

Json = dict[str, Any]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
COLLECTIONS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(CHECKOUT / ".cache" / "tree"))
SLEEP = "/usr/bin/sleep 300"
#: A server that gives its socket to a child of another name, and one that does so and then ends it for itself.
HANDS_ON = """
import os, socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listening.set_inheritable(True)
if os.fork() == 0:
    os.execv("/usr/bin/sleep", ["sleep", "300"])
if sys.argv[2] == "away":
    listening.close()
time.sleep(300)
"""


@dataclasses.dataclass(frozen=True)
class Service:
    """A socket unit with its service, what is declared of it, and what the audit is to say."""

    port: int
    declared: Json
    status: str
    words: str
    runs: str = f"ExecStart={SLEEP}"
    socket: str = ""
    unit: str = ""  # the service's name where it is another than the socket unit's

    @property
    def name(self) -> str:
        return f"on{self.port}"


SERVICES = (
    Service(2201, {"process": "sleep", "user": "nobody"}, "pass", "sleep (nobody)", f"User=nobody\nExecStart={SLEEP}"),
    Service(2202, {"process": "/usr/bin/sleep", "unit": "on2202.service"}, "pass", "sleep (root)"),
    Service(2203, {"unit": "on2203.socket"}, "pass", "sleep (root)"),
    Service(2204, {"process": "sshd"}, "fail", "process sleep (/usr/bin/sleep) instead of sshd"),
    Service(2205, {"process": "systemd"}, "fail", "process sleep (/usr/bin/sleep) instead of systemd"),
    Service(
        2206,
        {"user": "nobody"},
        "fail",
        "user root instead of nobody",
        f"User=nobody\nExecStart=+{SLEEP}",
    ),
    Service(
        2207,
        {"unit": "on2207.socket"},
        "fail",
        "unit other.service, started by on2207.socket, instead of on2207.socket",
        socket="Service=other.service",
        unit="other.service",
    ),
    Service(
        2208,
        {"process": "sleep", "unit": "on2208@.service"},
        "pass",
        "sleep (root)",
        f"ExecStart={SLEEP}\nStandardInput=socket",
        socket="Accept=yes",
        unit="on2208@.service",
    ),
    Service(
        2209,
        {"process": "sleep"},
        "not_assessed",
        "what on2209.service runs when it is called is unknown",
        f"Type=oneshot\nExecStart={SLEEP}\nExecStart={SLEEP}",
    ),
    Service(
        2210,
        {"process": "sleep"},
        "not_assessed",
        "what on2210.service runs when it is called is unknown",
        f"RootDirectory=/srv\nExecStart={SLEEP}",
    ),
)
FAMILIES = (
    Service(2301, {}, "pass", "python3", "stays"),
    Service(2302, {}, "fail", "process sleep (/usr/bin/sleep) instead of python3", "away"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("control node")


@pytest.fixture(scope="module")
def machine(place: Path) -> Iterator[SystemdMachine]:
    with systemd_machine(place) as up:
        (place / "hands_on.py").write_text(HANDS_ON, encoding="utf-8")
        units = place / "units"
        units.mkdir()
        for one in SERVICES:
            text = f"[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=127.0.0.1:{one.port}\n{one.socket}\n"
            (units / f"{one.name}.socket").write_text(text, encoding="utf-8")
            text = f"[Unit]\nDefaultDependencies=no\n[Service]\n{one.runs}\n"
            (units / (one.unit or f"{one.name}.service")).write_text(text, encoding="utf-8")
        for one in FAMILIES:
            run = f'ExecStart={interpreter()} "{place}/hands_on.py" {one.port} {one.runs}'
            text = f"[Unit]\nDefaultDependencies=no\n[Service]\n{run}\n"
            (units / f"{one.name}.service").write_text(text, encoding="utf-8")
        started = [f"{one.name}.socket" for one in SERVICES] + [f"{one.name}.service" for one in FAMILIES]
        for command in (
            ("cp", "-rT", str(units), "/etc/systemd/system"),
            ("systemctl", "daemon-reload"),
            ("systemctl", "start", *started),
        ):
            done = up.run(*command)
            assert done.returncode == 0, done.stderr
        yield up


def interpreter() -> str:
    return os.path.realpath("/usr/bin/python3")


@pytest.fixture(scope="module")
def results(machine: SystemdMachine, place: Path) -> Json:
    """An audit from inside of the machine, by itself."""
    entries = [
        {
            **one.declared,
            **({"process": os.path.basename(interpreter())} if one in FAMILIES else {}),
            "port": one.port,
            "justification": "Of the test",
            "owner": "ops",
        }
        for one in (*SERVICES, *FAMILIES)
    ]
    host = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "vigil_addresses": ["127.0.0.1"],
        "vigil_ports__all": entries,
    }
    (place / "inventory.yml").write_text(json.dumps({"all": {"hosts": {"here": host}}}), encoding="utf-8")
    settings = f"[defaults]\ncollections_path = {COLLECTIONS}\nhome = {place}/home\nremote_tmp = {place}/tmp\n"
    (place / "ansible.cfg").write_text(settings, encoding="utf-8")
    given = {"audit_scan_depth": "none", "audit_report_dir": f"{place}/runs"}
    command = (str(PLAYBOOK), "-i", "inventory.yml", "vigil.ports.audit", "-e", json.dumps(given))
    done = machine.run("env", "ANSIBLE_NOCOLOR=1", f"ANSIBLE_HOME={place}/home", *command, cwd=place)
    kept = place / "runs" / "latest" / "results.json"
    assert kept.exists(), done.stdout + done.stderr
    found: Json = json.loads(kept.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("service", [*SERVICES, *FAMILIES], ids=lambda one: one.name)
def test_the_owner_is_what_the_socket_unit_starts(results: Json, service: Service) -> None:
    [finding] = [row for row in results["findings"] if (row["rule"], row["port"]) == ("wrong-owner", service.port)]
    assert (finding["status"], service.words in finding["message"]) == (service.status, True), finding["message"]


def test_nothing_else_is_wrong(results: Json) -> None:
    ports = {one.port for one in (*SERVICES, *FAMILIES)}
    rows = [row for row in results["findings"] if row["status"] == "fail" and row["rule"] != "wrong-owner"]
    assert [(row["rule"], row["port"]) for row in rows if row["port"] in ports] == []
