# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A busy host in namespaces of its own: services in units, open files, connections; and nothing of it outside.

18,000 established sockets are what a host has that serves 18,000 connections. Both ends are here, so that they are
9,000 connections over loopback.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import bench

PROCESSES, FILES, LISTENERS, ESTABLISHED = 300, 100, 200, 18_000
FIRST_PORT = 10_000
_GROUP = "VIGIL_BENCH_GROUP"
_PATIENCE = 120


def inside_a_host_of_its_own(program: Path) -> int:
    """Runs ``program`` again in namespaces and in a slice of its own, which end with it."""
    with _group() as group:
        return bench.inside_namespaces(program, **{_GROUP: str(group or "")})


@contextlib.contextmanager
def _group() -> Iterator[Path | None]:
    """A slice for the units, where cgroups can be made."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    root = next((Path(line.split()[1]) for line in mounts if line.split()[2] == "cgroup2"), None)
    group = None if root is None else root / f"vigilbench{os.getpid()}.slice"
    try:
        if group is not None:
            group.mkdir()
    except OSError:
        group = None
    try:
        yield group
    finally:
        if group is not None:
            _remove(group)


def _remove(group: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while group.is_dir():
        for path, _directories, _files in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):  # busy until its last process is gone
                os.rmdir(path)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{group} is still busy")
        time.sleep(0.01)


def has_units() -> bool:
    return bool(os.environ[_GROUP])


def plant() -> None:
    """The processes, as children of this one: the first 200 are units that listen, each on one port."""
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in range(PROCESSES):
        ready, told = os.pipe()
        if os.fork() == 0:
            os.close(ready)
            _serve(number, told)
        os.close(told)
        if os.read(ready, 1) != b"x":
            raise SystemExit(f"process {number} of the busy host did not come up")
        os.close(ready)


def _serve(number: int, told: int) -> None:
    if number < LISTENERS and os.environ[_GROUP]:
        unit = Path(os.environ[_GROUP]) / f"unit{number}.service"
        unit.mkdir()
        (unit / "cgroup.procs").write_text("0", encoding="ascii")
    listener = socket.create_server(("127.0.0.1", FIRST_PORT + number))
    kept: list[object] = []
    for _pair in range(ESTABLISHED // PROCESSES // 2):
        kept.append(socket.create_connection(listener.getsockname()))
        kept.append(listener.accept())
    kept.extend(open(os.devnull, "rb") for _file in range(FILES))  # noqa: SIM115  # open as long as the process
    if number >= LISTENERS:
        listener.close()
    os.write(told, b"x")
    while True:
        signal.pause()
