# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds the fleet together, as a process of its own: when it ends, in whatever way, every host ends with it.

Nothing of the fleet has a name outside of it (no /run/netns entry): the kernel removes namespaces, links and
processes when their last holder is gone. What a killed run can leave is a directory and empty control groups, and
the next run removes them. The keeper talks in lines: ``up <json>`` or ``failed <why>``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import access, cgroups
from .hosts import HOSTS
from .layout import (
    BRIDGE,
    CONTROLLER_LINK,
    CONTROLLER_OCTET,
    INTEGRATION,
    KEEPER_LOG,
    LOCK,
    STATE,
    STATUS,
    host_dir,
    ipv4,
    ipv6,
)

PATIENCE = 60.0  # seconds until every host is up


class FleetFailedError(Exception):
    """The fleet cannot be had; the message says why."""


class Stop(BaseException):
    """A signal asked for the end."""


@dataclasses.dataclass
class Member:
    """A namespace and the process that holds it."""

    name: str
    process: subprocess.Popen[bytes]
    lines: list[str] = dataclasses.field(default_factory=list)


def take_lock(patience: float) -> int:
    """One fleet at a time on a machine: its addresses are fixed. The lock ends with the process."""
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                holder = os.pread(descriptor, 32, 0).decode().strip()
                raise FleetFailedError(
                    f"another fleet is up on this machine (keeper {holder}): 'python {INTEGRATION}/fleet down' ends it,"
                    " VIGIL_FLEET_REUSE=1 lets the tests use it"
                ) from None
            time.sleep(0.2)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return descriptor


def ip_batch(commands: str, *, inside: int | None = None) -> None:
    prefix = () if inside is None else ("nsenter", "-t", str(inside), "--net")
    done = subprocess.run((*prefix, "ip", "-batch", "-"), input=commands.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise FleetFailedError(f"ip: {done.stderr.decode(errors='replace').strip()}")


def remove_leftovers() -> None:
    """Whatever is there from this or an earlier run."""
    access.end_connections()
    cgroups.remove_fleet_group()
    subprocess.run(("ip", "link", "delete", CONTROLLER_LINK), stderr=subprocess.DEVNULL, check=False)
    access.remove_state()


def _in_group(group: Path | None, name: str) -> Callable[[], None]:
    def prepare() -> None:
        os.setsid()
        if group is not None:
            cgroups.enter(group, name)

    return prepare


def start_member(name: str, unshared: tuple[str, ...], command: tuple[str, ...], group: Path | None) -> Member:
    process = subprocess.Popen(
        ("setpriv", "--pdeathsig", "KILL", "unshare", "--kill-child=KILL", "--fork", *unshared, "--", *command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": str(INTEGRATION),
            "TMPDIR": str(STATE.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "FLEET_UNITS": "yes" if group is not None else "no",
            "LANG": "C.UTF-8",
        },
        preexec_fn=_in_group(group, name),
    )
    return Member(name, process)


class Keeper:
    """The members, and what they said."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.selector = selectors.DefaultSelector()

    def add(self, member: Member) -> None:
        self.members.append(member)
        assert member.process.stdout is not None
        self.selector.register(member.process.stdout, selectors.EVENT_READ, member)

    def listen(self, timeout: float | None) -> None:
        """Take in what members say. Raises FleetFailedError when one ends or fails."""
        for key, _events in self.selector.select(timeout):
            member: Member = key.data
            said = os.read(key.fd, 65536).decode(errors="replace")
            if not said:
                raise FleetFailedError(f"{member.name} ended, see {host_dir(member.name)}/log")
            member.lines += said.splitlines()
            for line in said.splitlines():
                if line.startswith("failed"):
                    raise FleetFailedError(f"{member.name}: {line}, see {host_dir(member.name)}/log")

    def await_line(self, wanted: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while waiting := [member.name for member in self.members if wanted not in member.lines]:
            if time.monotonic() > deadline:
                raise FleetFailedError(f"not {wanted} after {PATIENCE:.0f} s: {', '.join(waiting)}")
            self.listen(0.5)

    def tell(self, text: str) -> None:
        for member in self.members:
            assert member.process.stdin is not None
            member.process.stdin.write(text.encode())

    def link(self) -> None:
        """The bridge stands in a namespace of its own: no firewall or bridge setting of this machine has a say."""
        switch, *hosts = self.members
        ip_batch(f"""
link add {CONTROLLER_LINK} type veth peer name uplink netns {switch.process.pid}
address add {ipv4(CONTROLLER_OCTET)}/24 dev {CONTROLLER_LINK}
address add {ipv6(CONTROLLER_OCTET)}/64 dev {CONTROLLER_LINK} nodad
link set {CONTROLLER_LINK} up
""")
        ports = "".join(
            f"link add {member.name} type veth peer name eth0 netns {member.process.pid}\n"
            f"link set {member.name} master {BRIDGE} up\n"
            for member in hosts
        )
        ip_batch(
            f"link add {BRIDGE} type bridge forward_delay 0\nlink set {BRIDGE} up\n"
            f"link set uplink master {BRIDGE} up\n{ports}",
            inside=switch.process.pid,
        )

    def bring_up(self, group: Path | None) -> None:
        self.add(start_member("switch", ("--net",), ("sh", "-c", "echo apart; read told; echo up; exec cat"), group))
        unshared = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
        for name in HOSTS:
            self.add(start_member(name, unshared, (sys.executable, "-m", "fleet.host_init", name), group))
        self.await_line("apart")
        self.link()
        self.tell("linked\n")
        self.await_line("up")

    def lost(self) -> list[str]:
        """Planted services that ended since."""
        return [f"{m.name}: {line}" for m in self.members for line in m.lines if line.startswith("lost")]

    def take_down(self) -> None:
        for member in self.members:
            member.process.kill()
        for member in self.members:
            member.process.wait()


def write_status(keeper: Keeper, units: bool) -> str:
    status = {"keeper": os.getpid(), "hosts": sorted(HOSTS), "units": units, "lost": keeper.lost()}
    text = json.dumps(status)
    temporary = STATUS.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(STATUS)
    return text


def _stop(number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Stop(number)


def keep(patience: float) -> None:
    lock = take_lock(patience)
    keeper = Keeper()
    keep_state = False
    try:
        remove_leftovers()
        access.write_state()
        log = os.open(KEEPER_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 2)
        group = cgroups.fleet_group()
        keeper.bring_up(group)
        print("up", write_status(keeper, group is not None), flush=True)
        while True:
            keeper.listen(None)
            write_status(keeper, group is not None)
    except FleetFailedError:
        keep_state = True  # the logs are what the message points at
        raise
    finally:
        keeper.take_down()
        if keep_state:
            cgroups.remove_fleet_group()
        else:
            remove_leftovers()
        os.close(lock)


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        keep(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0)
    except Stop:
        return 0
    except (FleetFailedError, OSError, subprocess.SubprocessError) as error:
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more once the fleet was up
            print("failed", str(error).replace("\n", " "), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
