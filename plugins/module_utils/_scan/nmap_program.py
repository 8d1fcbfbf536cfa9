# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nmap program: where it is, what it may do, and running it so that it never outlives its caller.

This module is private to the collection.
"""

from __future__ import annotations

# No module is at hand here: run_command is the door's.
# pylint: disable=ansible-bad-function
import ctypes
import os
import re
import select
import shutil
import signal
import struct
import subprocess
from dataclasses import dataclass
from typing import Callable, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop

_CAP_NET_RAW = 13  # linux/capability.h
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_GRACE = 3.0  # seconds for nmap to write what it has after SIGTERM
_LOOK = 0.2  # seconds between two looks at Stop
_VERSION = re.compile(r"Nmap version (\S+)")


@dataclass(frozen=True)
class NmapProgram:
    """An nmap that runs: its absolute path, and the version it reports."""

    path: str
    version: str


@dataclass(frozen=True)
class Ended:
    """How a run ended. ``stopped`` says why it was ended before its time."""

    status: int
    output: str
    errors: str
    stopped: str | None


def find_nmap(path: str | None = None) -> NmapProgram | None:
    """nmap on ``path`` (default: PATH), if there is one and it runs."""
    found = shutil.which("nmap", path=path)
    if found is None:
        return None
    found = os.path.abspath(found)
    try:
        told = subprocess.run(  # noqa: S603  no text from outside is in it
            [found, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
            env=_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = _VERSION.search(told.stdout.decode("utf-8", "replace"))
    return NmapProgram(found, version.group(1)) if version and told.returncode == 0 else None


def may_send_raw_packets(program: NmapProgram, status_file: str = "/proc/self/status") -> bool:
    """Whether nmap, started by this process, can open raw sockets: SYN and UDP scans need them."""
    effective, ambient = _capabilities(status_file)
    if os.geteuid() == 0 and effective >> _CAP_NET_RAW & 1:
        return True
    return bool(ambient >> _CAP_NET_RAW & 1) or _file_gives_raw_packets(program.path)


def _capabilities(status_file: str) -> tuple[int, int]:
    values = {"CapEff": 0, "CapAmb": 0}
    with open(status_file, encoding="ascii", errors="replace") as lines:
        for line in lines:
            name, _colon, value = line.partition(":")
            if name in values:
                values[name] = int(value.strip(), 16)
    return values["CapEff"], values["CapAmb"]


def _file_gives_raw_packets(path: str) -> bool:
    try:
        value = os.getxattr(path, "security.capability")
    except OSError:
        return False
    if len(value) < 8:
        return False
    magic, permitted = struct.unpack_from("<II", value)  # struct vfs_cap_data
    return bool(magic & 1 and permitted >> _CAP_NET_RAW & 1)


def run_nmap(
    argv: Sequence[str], workdir: str, stop: Stop, on_output: Callable[[str], None] = lambda _text: None
) -> Ended:
    """Run nmap until it ends or ``stop`` says so. Raises OSError when it cannot be started.

    It gets a process group of its own, which is ended as a whole; and the kernel ends it when this
    process is killed. ``on_output`` is given nmap's standard output as it comes.
    """
    errors_file = os.path.join(workdir, "nmap.stderr")
    with open(errors_file, "wb") as errors:
        process = subprocess.Popen(  # noqa: S603  an argument list, of validated addresses and numbers
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            preexec_fn=_ended_with_its_parent(os.getpid()),
            env=_environment(),
        )
    stopped: str | None = None
    try:
        output, stopped = _output_until_the_end(process, stop, on_output)
    finally:
        _end(process)
    with open(errors_file, "rb") as told:
        return Ended(process.returncode, output, told.read().decode("utf-8", "backslashreplace"), stopped)


def _output_until_the_end(
    process: subprocess.Popen[bytes], stop: Stop, on_output: Callable[[str], None]
) -> tuple[str, str | None]:
    if process.stdout is None:
        raise ValueError("the output of nmap must be a pipe")
    pieces: list[bytes] = []
    with process.stdout as pipe:
        while True:
            stopped = stop.why()
            if stopped:
                _end(process)
            ready, _writable, _broken = select.select([pipe], [], [], stop.wait_at_most(_LOOK))
            if ready:
                piece = os.read(pipe.fileno(), 65536)
                if not piece:
                    break
                pieces.append(piece)
                on_output(piece.decode("utf-8", "backslashreplace"))
            elif stopped:
                break
    return b"".join(pieces).decode("utf-8", "backslashreplace"), stopped


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the process end by itself if it is about to, else ask its group, then make it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if _ends_within(process, _LOOK):
            return
        _signal_group(process.pid, number)
        _ends_within(process, _GRACE)


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # all of it has ended


def _environment() -> dict[str, str]:
    # English messages; and privileges are decided here, not by a variable of the caller.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NMAP_")}
    return {**kept, "LC_ALL": "C"}


def _ended_with_its_parent(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)

    def set_death_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it went away before the line above
            os._exit(1)

    return set_death_signal
