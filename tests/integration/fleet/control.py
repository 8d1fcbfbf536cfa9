# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the fleet up and down: for the tests (``running``) and for the command line (``up``, ``down``, ``status``)."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from .layout import CONTROLLER_LINK, INTEGRATION, LOCK, STATUS

PROGRAMS = (
    "ip", "nft", "unshare", "setpriv", "nsenter", "ssh", "ssh-keygen", "openssl", "nmap", "gcc",
    "/usr/sbin/sshd", "/usr/sbin/nginx", "/usr/bin/redis-server", "/usr/sbin/mariadbd", "/usr/sbin/dnsmasq",
    "mariadb-install-db", "sudo", "/usr/bin/python3",
)  # fmt: skip

# Root by su has no sbin on its PATH.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"


class FleetUnavailableError(Exception):
    """The fleet cannot be had; the message says why."""


@dataclasses.dataclass(frozen=True)
class Fleet:
    """A fleet that is up."""

    keeper: int
    hosts: tuple[str, ...]
    units: bool  # whether services stand in control groups named like units
    lost: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = dataclasses.field(default=None, compare=False, repr=False)


def why_not() -> str | None:
    """Why the fleet cannot be had on this machine, None when it can."""
    if sys.platform != "linux":
        return "the fleet needs Linux"
    if os.geteuid() != 0:
        return "the fleet needs root: it makes network namespaces"
    absent = [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (see packages.txt)"
    tried = subprocess.run(
        ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "nft", "list", "ruleset"),
        env={**os.environ, "PATH": PATH},
        capture_output=True,
        check=False,
    )
    if tried.returncode != 0:
        return f"namespaces cannot be made here: {tried.stderr.decode(errors='replace').strip()}"
    return None


def _fleet(status: str) -> Fleet:
    known = json.loads(status)
    return Fleet(known["keeper"], tuple(known["hosts"]), known["units"], tuple(known["lost"]))


def _keeper_pid() -> int | None:
    """The keeper that holds the lock now."""
    with contextlib.suppress(FileNotFoundError), LOCK.open(encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read())
    return None


def _has_link() -> bool:
    # Not by /sys/class/net, which shows the network namespace it was mounted in.
    return any(name == CONTROLLER_LINK for _index, name in socket.if_nameindex())


def status() -> Fleet | None:
    """The fleet that is up, None when none is."""
    if _keeper_pid() is None or not STATUS.exists():
        return None
    return _fleet(STATUS.read_text(encoding="utf-8"))


def up(*, patience: float = 0.0, bound: bool = False) -> Fleet:
    """Bring a fleet up, waiting ``patience`` seconds for another one to end.

    ``bound``: it ends with this process, however that ends. Raises FleetUnavailableError.
    """
    tie = ("setpriv", "--pdeathsig", "TERM") if bound else ()
    keeper = subprocess.Popen(
        (*tie, sys.executable, "-m", "fleet.keeper", str(patience)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if bound else subprocess.DEVNULL,
        env={**os.environ, "PATH": PATH, "PYTHONPATH": str(INTEGRATION), "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )
    assert keeper.stdout is not None
    try:
        with keeper.stdout:
            said = keeper.stdout.readline().decode()
    except BaseException:
        keeper.terminate()
        keeper.wait()
        raise
    word, _space, rest = said.strip().partition(" ")
    if word != "up":
        keeper.wait()
        raise FleetUnavailableError(rest or f"the keeper ended with {keeper.returncode}")
    return dataclasses.replace(_fleet(rest), process=keeper)


def down(*, patience: float = 30.0) -> bool:
    """Take down the fleet that is up, and wait until all of it is gone. False when none was."""
    pid = _keeper_pid()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while _keeper_pid() is not None or _has_link():
        if time.monotonic() > deadline:
            raise TimeoutError(f"keeper {pid} is still there after {patience:.0f} s")
        time.sleep(0.02)
    return True


@contextlib.contextmanager
def running(*, patience: float = 300.0) -> Iterator[Fleet]:
    """A fleet for the time of the block. With ``VIGIL_FLEET_REUSE`` one that is up already is used, and stays."""
    existing = status()
    if existing is not None and os.environ.get("VIGIL_FLEET_REUSE"):
        yield existing
        return
    fleet = up(patience=patience, bound=True)
    try:
        yield fleet
    finally:
        down()
        if fleet.process is not None:
            fleet.process.wait()
