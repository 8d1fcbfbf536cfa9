# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet leaves nothing behind, in whatever way it ends. Each test has a fleet of its own in a network namespace of
its own, so that it does not meet the one of the other tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet import cgroups, control
from fleet.layout import INTEGRATION


class Elsewhere:
    """A network namespace and a temporary directory for a second fleet."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.holder = subprocess.Popen(
            ("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec cat"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.holder.stdout is not None
        self.holder.stdout.readline()

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("nsenter", "-t", str(self.holder.pid), "--net", *command),
            env={**os.environ, "TMPDIR": str(self.directory)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def fleet(self, action: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, str(INTEGRATION / "fleet"), action)

    def keeper(self) -> int:
        found = re.search(r"keeper (\d+)", self.fleet("status").stdout)
        assert found is not None
        return int(found[1])

    def processes(self) -> list[str]:
        """Command lines of everything that works for this fleet."""
        marks = {f"TMPDIR={self.directory}".encode(), f"FLEET={self.directory}/vigil-fleet".encode()}
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if not marks.isdisjoint((entry / "environ").read_bytes().split(b"\0")):
                        found.append((entry / "cmdline").read_text(errors="replace"))
                except (FileNotFoundError, ProcessLookupError, PermissionError):  # gone, or not this fleet's
                    continue
        return found

    def close(self) -> None:
        self.holder.kill()
        self.holder.communicate()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    reason = control.why_not()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    place = Elsewhere(tmp_path)
    yield place
    place.fleet("down")
    place.close()


def groups() -> set[Path]:
    root = cgroups.cgroup2_root()
    return set() if root is None else set(root.glob("vigil-fleet-*"))


def eventually(condition: object, seconds: float = 5.0) -> bool:
    """Whether ``condition()`` becomes true in time: the kernel takes namespaces apart on its own time."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_down_leaves_nothing(elsewhere: Elsewhere) -> None:
    before = groups()
    up = elsewhere.fleet("up")
    assert up.returncode == 0, up.stderr
    assert len(elsewhere.processes()) > 60
    assert elsewhere.run("ip", "link", "show", "vigil0").returncode == 0
    assert elsewhere.fleet("down").returncode == 0
    assert elsewhere.processes() == []
    assert elsewhere.run("ip", "link", "show", "vigil0").returncode != 0
    assert groups() == before
    assert [path.name for path in elsewhere.directory.iterdir()] == ["vigil-fleet.lock"]


def test_a_killed_keeper_takes_the_hosts_with_it_and_the_next_one_tidies_up(elsewhere: Elsewhere) -> None:
    before = groups()
    assert elsewhere.fleet("up").returncode == 0
    os.kill(elsewhere.keeper(), signal.SIGKILL)
    assert eventually(lambda: elsewhere.processes() == [])
    assert eventually(lambda: elsewhere.run("ip", "link", "show", "vigil0").returncode != 0)
    assert elsewhere.fleet("status").stdout.strip() == "down"
    assert elsewhere.fleet("up").returncode == 0
    assert elsewhere.fleet("down").returncode == 0
    assert groups() == before


def test_two_fleets_do_not_share_a_machine(elsewhere: Elsewhere) -> None:
    assert elsewhere.fleet("up").returncode == 0
    second = elsewhere.fleet("up")
    assert second.returncode == 1
    assert f"keeper {elsewhere.keeper()}" in second.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_test_run_leaves_nothing(elsewhere: Elsewhere, number: int) -> None:
    before = groups()
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from fleet import control\n"
        "with control.running():\n    print('up', flush=True); time.sleep(60)\n"
    )
    run = subprocess.Popen(
        ("nsenter", "-t", str(elsewhere.holder.pid), "--net", sys.executable, "-c", script, str(INTEGRATION)),
        env={**os.environ, "TMPDIR": str(elsewhere.directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert run.stdout is not None
    with run:
        assert run.stdout.readline() == b"up\n"
        run.send_signal(number)
    assert eventually(lambda: elsewhere.processes() == [])
    assert groups() == before
    assert [path.name for path in elsewhere.directory.iterdir()] == ["vigil-fleet.lock"]
