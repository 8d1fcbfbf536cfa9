# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file system as a host sees it: the machine's own, with everything that a host writes to put aside."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from .layout import CHECKOUT, STATE

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 2, 4, 8, 4096, 16384
MNT_DETACH = 2

# A host's own, empty at the start. Mode as on a freshly installed host.
OWN = {
    "/run": 0o755,
    "/tmp": 0o1777,
    "/home": 0o755,
    "/var/log": 0o755,
    "/var/lib/redis": 0o777,
    "/var/lib/mysql": 0o777,
    "/var/lib/nginx": 0o755,
    "/var/lib/misc": 0o777,
}
RUN_DIRECTORIES = {"lock": 0o1777, "sshd": 0o755, "mysqld": 0o777, "netns": 0o755, "fleet": 0o755}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    """mount(2). Raises OSError that names the target."""
    arguments = (os.fsencode(source), os.fsencode(target), kind.encode(), flags, data.encode())
    if _libc.mount(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def detach_below(*roots: str) -> None:
    """Take away the machine's own mounts at and below ``roots``: the host's mount table shows none of them."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    for point in reversed([line.split()[4] for line in lines]):
        if any(f"{point}/".startswith(f"{root}/") for root in roots):
            _libc.umount2(os.fsencode(point), MNT_DETACH)  # already gone with the one above it: nothing to do


def bind(source: str, target: str) -> None:
    mount(source, target, "none", MS_BIND | MS_REC)


def _hidden(path: Path) -> bool:
    return any(str(path).startswith(f"{own}/") for own in OWN)


def _needed() -> list[Path]:
    """What must stay in view wherever it lies: the checkout, this Python, the fleet's state."""
    paths = {CHECKOUT, STATE, Path(sys.prefix), Path(sys.base_prefix)}
    return sorted(path for path in (Path(os.path.realpath(p)) for p in paths) if _hidden(path))


def make_view(cgroup: Path | None) -> None:
    """Replace /proc, /sys and everything a host writes to. ``cgroup``: whether cgroup2 is to be seen."""
    kept = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)) for path in _needed()]
    if not any(str(path).startswith("/run/") for path, _descriptor in kept):
        detach_below("/run")
    for target, mode in OWN.items():
        if os.path.isdir(target):
            mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode:o}")
    for path, descriptor in kept:
        path.mkdir(parents=True, exist_ok=True)
        bind(f"/proc/self/fd/{descriptor}", str(path))
        os.close(descriptor)
    detach_below("/sys", "/proc")
    for name, mode in RUN_DIRECTORIES.items():
        os.mkdir(f"/run/{name}")
        os.chmod(f"/run/{name}", mode)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    if cgroup is not None:
        mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def own_file(target: str, text: str) -> None:
    """Put ``text`` over ``target`` for this host only; nothing is written to the machine's own file."""
    place = Path(os.path.realpath(target))
    if not place.exists():
        if not _hidden(place):
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    source = Path("/run/fleet") / target.strip("/").replace("/", "_")
    source.write_text(text, encoding="utf-8")
    source.chmod(os.stat(place).st_mode & 0o777)
    bind(str(source), str(place))
