# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

r"""Which systemd unit and which container a cgroup path belongs to.

Unit names stay as systemd writes them (``a\x2db.service``): that is the name that systemctl takes.
Sources: cgroups(7), systemd's cg_path_get_unit (src/basic/cgroup-util.c). This module is private to the collection.
"""

from __future__ import annotations

import os
import re
from collections import deque
from typing import Iterable, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import NOWHERE, Place

_UNIT = re.compile(r"[^/]+\.(service|scope|socket|mount|swap|automount|timer|path|target|device)\Z")
_ID = r"[0-9a-f]{64}"
# The last component that matches is the container: one may run inside another.
_CONTAINERS = (
    (re.compile(rf"(?P<runtime>docker|crio|cri-containerd|libpod|containerd|nerdctl)-(?P<id>{_ID})(\.scope)?\Z"), None),
    (re.compile(rf"(?P<id>{_ID})\Z"), "parent"),
    (re.compile(r"lxc\.payload\.(?P<id>.+)\Z"), "lxc"),
    (re.compile(r"systemd-nspawn@(?P<id>.+)\.service\Z"), "nspawn"),
)
_RUNTIMES = {"libpod": "podman", "crio": "cri-o", "cri-containerd": "containerd", "nerdctl": "containerd"}
_CONMON = re.compile(r"(libpod|crio)-conmon-")
_SHORT = 12


def place_of_membership(content: bytes) -> Place:
    """What /proc/<pid>/cgroup tells: the unit by systemd's own hierarchy, the container by any of them.

    Only a newline ends a line: the one character that the kernel lets no group have in its name (cgroup_mkdir). With
    any other that Python takes for the end of a line, a process could write a line of its own.
    """
    paths: dict[str, str] = {}
    for line in content.decode("utf-8", "surrogateescape").split("\n"):
        parts = line.split(":", 2)
        if len(parts) == 3 and parts[2] != "/":  # the root belongs to nobody; most hierarchies of version 1 say no more
            paths["unified" if parts[0] == "0" else parts[1]] = parts[2]
    unit = unit_of(paths.get("name=systemd", "")) or unit_of(paths.get("unified", ""))
    containers = map(container_of, dict.fromkeys(path for _hierarchy, path in sorted(paths.items())))
    container = next((container for container in containers if container), None)
    return Place(unit, container)


def place_of(path: str) -> Place:
    return Place(unit_of(path), container_of(path))


def unit_of(path: str) -> str | None:
    """The first component after the slices, when it is a unit. What is below it was delegated to it."""
    for part in path.split("/"):
        name = part[1:] if part.startswith("_") else part  # cg_unescape
        if name and not name.endswith(".slice"):
            return name if _UNIT.match(name) else None
    return None


def container_of(path: str) -> str | None:
    """``<runtime>/<id>`` (12 characters of the id) of the innermost container in a cgroup path."""
    parts = [part for part in path.split("/") if part]
    for at in range(len(parts) - 1, -1, -1):
        found = _container_named(parts[at], parts[:at])
        if found:
            return found
    return None


def _container_named(part: str, parents: list[str]) -> str | None:
    if _CONMON.match(part):
        return None
    if parents and parents[-1] in ("lxc", "lxc.payload"):
        return f"lxc/{part}"
    for pattern, runtime in _CONTAINERS:
        match = pattern.match(part)
        if match is None:
            continue
        if runtime == "parent":
            return f"{_runtime_above(parents)}/{match['id'][:_SHORT]}"
        if runtime is not None:
            return f"{runtime}/{match['id']}"
        return f"{_RUNTIMES.get(match['runtime'], match['runtime'])}/{match['id'][:_SHORT]}"
    return None


def _runtime_above(parents: list[str]) -> str:
    """The cgroupfs driver names a container by its id alone; the folder above tells whose it is."""
    if any(part.startswith("kubepods") for part in parents):
        return "kubernetes"
    if "docker" in parents:
        return "docker"
    return "podman" if any(part.startswith("libpod") for part in parents) else "container"


def unified_mount(mountinfo: bytes) -> str | None:
    """Where cgroup v2 is mounted, by /proc/self/mountinfo (proc_pid_mountinfo(5))."""
    for line in mountinfo.split(b"\n"):
        fields, separator, rest = line.partition(b" - ")
        if separator and rest.startswith(b"cgroup2 "):
            where = fields.split(b" ")
            if len(where) > 4:
                return os.fsdecode(unescaped(where[4]))
    return None


def unescaped(field: bytes) -> bytes:
    r"""A field of mountinfo, in which ``\040`` is a space."""
    return re.sub(rb"\\([0-3][0-7]{2})", lambda match: bytes((int(match[1], 8),)), field)


class Cgroup(NamedTuple):
    directory: str
    place: Place


def cgroups_of_ids(mount: str, ids: Iterable[int]) -> dict[int, Cgroup]:
    """Where sockets were made: a cgroup v2 id is the inode number of its directory below ``mount``.

    An id without a directory (it is gone, or outside of our cgroup namespace) is left out. Raises OSError
    when ``mount`` cannot be read.
    """
    missing: set[int] = set(ids)
    found: dict[int, Cgroup] = {}
    root = os.stat(mount).st_ino
    if root in missing:
        found[root] = Cgroup(mount, NOWHERE)
        missing.discard(root)
    waiting = deque([(mount, "")])  # units are high up, so the tree is gone through level by level
    while waiting and missing:
        directory, path = waiting.popleft()
        for entry in _directories(directory, must_exist=not path):
            below = f"{path}/{entry.name}"
            number = entry.inode()
            if number in missing:
                found[number] = Cgroup(entry.path, place_of(below))
                missing.discard(number)
            waiting.append((entry.path, below))
    return found


def _directories(directory: str, must_exist: bool) -> list[os.DirEntry[str]]:
    try:
        # A directory has a link from itself, from above and from each one in it: most cgroups have none in them.
        if os.stat(directory).st_nlink == 2:
            return []
        with os.scandir(directory) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        if must_exist:
            raise
        return []  # cgroups come and go, and some may not be read; their ids stay without a place
