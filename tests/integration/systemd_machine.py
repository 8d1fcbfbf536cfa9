# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine whose first process is a real systemd: namespaces of its own, and a control group of its own.

It sees the file system, and may write only to a directory that it is given and to what is its own. Of units it knows
only those in /etc/systemd/system: what a distribution does at its start, emptying /tmp for one, it never does.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from fleet.cgroups import cgroup2_root

OWN = ("/run", "/etc/systemd/system", "/etc/cron.d", "/var/lib/systemd", "/var/tmp")
SECONDS = 30

#: What every service wants, empty.
_TARGET = "[Unit]\nDefaultDependencies=no\n"
_TARGETS = ("sysinit.target", "basic.target", "timers.target", "network-online.target", "machine.target")


class SystemdMachine:
    """A running machine. ``pid`` is that of its systemd as seen from outside."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """The command on the machine; its output is text."""
        inside = ("nsenter", f"--target={self.pid}", "--mount", "--pid", "--net", "--cgroup", "--uts", "--ipc", "--")
        place = ("env", f"--chdir={cwd}") if cwd else ("env",)
        return subprocess.run((*inside, *place, *command), capture_output=True, text=True, check=False, timeout=300)


@contextlib.contextmanager
def systemd_machine(writable: Path) -> Iterator[SystemdMachine]:
    """The machine for the time of the block. Everything it keeps lies in ``writable``."""
    root = cgroup2_root()
    assert root is not None, "there is no unified control group hierarchy here"
    group = root / f"vigil-systemd-{os.getpid()}"
    group.mkdir()
    for path in OWN:
        os.makedirs(path, exist_ok=True)
    boot = "\n".join(
        (
            "set -e",
            "mount --make-rprivate /",
            f"mount --bind {shlex.quote(str(writable))} {shlex.quote(str(writable))}",
            "mount -o remount,bind,ro /",
            "umount --recursive --lazy /sys/fs/cgroup",
            "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
            *(f"mount -t tmpfs -o mode=755 tmpfs {path}" for path in OWN),
            "mkdir -p /run/lock",
            *(f"printf {shlex.quote(_TARGET)} > /etc/systemd/system/{name}" for name in _TARGETS),
            "ip link set lo up",
            "exec env -i container=vigil SYSTEMD_UNIT_PATH=/etc/systemd/system PATH=/usr/sbin:/usr/bin:/sbin:/bin"
            " /lib/systemd/systemd --system --unit=machine.target --show-status=0 --log-target=null",
        )
    )
    namespaces = ("--fork", "--kill-child", "--pid", "--mount", "--net", "--uts", "--ipc", "--cgroup", "--mount-proc")
    enter = f"echo $$ > {group}/cgroup.procs; exec unshare {' '.join(namespaces)} sh -c {shlex.quote(boot)}"
    with subprocess.Popen(("sh", "-c", enter), stdin=subprocess.DEVNULL) as outer:
        try:
            machine = SystemdMachine(_first_process(outer))
            _wait_for_systemd(machine, outer)
            yield machine
        finally:
            outer.kill()
            outer.wait()
            _remove(group)


def _first_process(outer: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and outer.poll() is None:
        found = children.read_text(encoding="ascii").split()
        if found:
            return int(found[0])
        time.sleep(0.05)
    raise RuntimeError("systemd was not started")


def _wait_for_systemd(machine: SystemdMachine, outer: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and outer.poll() is None:
        if machine.run("systemctl", "is-active", "machine.target").stdout.strip() == "active":
            return
        time.sleep(0.1)
    raise RuntimeError("systemd did not come up")


def _remove(group: Path) -> None:
    """What is left in the group is ended, and the group removed."""
    with contextlib.suppress(FileNotFoundError):  # cgroup.kill: Linux 5.14
        (group / "cgroup.kill").write_text("1", encoding="ascii")
    end = time.monotonic() + SECONDS
    while group.is_dir():
        for path, _directories, _files in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):  # busy until the last process in it is reaped
                os.rmdir(path)
        if time.monotonic() > end:
            raise TimeoutError(f"{group} is still busy")
        time.sleep(0.05)
