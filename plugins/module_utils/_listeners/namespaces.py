# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network namespaces of this host: those of its processes, and those that a mount keeps.

One that only an open descriptor or a socket keeps alive cannot be found from outside.
Sources: network_namespaces(7), setns(2), proc_pid_ns(5). This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from typing import Callable, Iterator, NamedTuple, Sequence, TypeVar

from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import OwnAddress
from ansible_collections.vigil.ports.plugins.module_utils._listeners.cgroups import place_of_membership, unescaped
from ansible_collections.vigil.ports.plugins.module_utils._listeners.container_names import container_name
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import OWN, Namespace
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import NetlinkError
from ansible_collections.vigil.ports.plugins.module_utils._listeners.processes import pids

_CLONE_NEWNET = 0x40000000
_MOUNTED = re.compile(rb"net:\[(\d+)\]\Z")
_NAMED = re.compile(r"/run/netns/([^/]+)\Z")
_ENDED = 0  # no namespace has the inode 0: the process was gone before it could be read
#: A namespace can be entered by any of its processes; some may have ended meanwhile.
_PATHS_KEPT = 4

Result = TypeVar("Result")


class Found(NamedTuple):
    """Our own namespace first, the others by name. ``unreadable`` counts the processes that hide theirs."""

    namespaces: tuple[Namespace, ...]
    unreadable: int


class NamespaceError(Exception):
    """A namespace that could not be entered."""


def own_namespace(proc: str) -> Namespace:
    """Raises OSError where the kernel has no namespaces."""
    return Namespace(OWN, os.stat(f"{proc}/self/ns/net").st_ino, ())


def find_namespaces(proc: str, root: str = "/") -> Found:
    """``root`` is where the files of container runtimes are. Raises OSError when our own namespace or mounts cannot be
    read."""
    own = own_namespace(proc)
    with open(f"{proc}/self/mountinfo", "rb") as file:
        mounted = dict(_mounted(file.read()))
    members, unreadable = _members(proc, own.inode)
    taken: set[str] = {OWN}
    others: list[Namespace] = []
    for inode in sorted(set(members) | set(mounted), key=lambda inode: (members.get(inode, []), inode)):
        if inode == own.inode:
            continue
        name = _name(proc, inode, mounted.get(inode, []), members.get(inode, []), taken, root)
        taken.add(name)
        paths = [*mounted.get(inode, []), *(f"{proc}/{pid}/ns/net" for pid in members.get(inode, []))]
        others.append(Namespace(name, inode, tuple(paths[:_PATHS_KEPT])))
    return Found((own, *sorted(others, key=lambda other: other.name)), unreadable)


def with_addresses(
    proc: str, addresses: Callable[[Callable[[int], str]], Sequence[OwnAddress]]
) -> tuple[list[str], int]:
    """The names of the other namespaces that have an address by which another machine can reach them.

    One that cannot be entered counts, as nobody knows; one that is gone meanwhile does not. ``addresses`` lists those
    of the thread's own namespace. The number is that of the processes that hide their namespace. Raises OSError as
    ``find_namespaces`` does.
    """
    found = find_namespaces(proc)
    return [namespace.name for namespace in found.namespaces[1:] if _has(namespace, addresses)], found.unreadable


def _has(namespace: Namespace, addresses: Callable[[Callable[[int], str]], Sequence[OwnAddress]]) -> bool:
    try:
        found = inside(namespace, lambda: addresses(str))
    except (NamespaceError, NetlinkError):
        return any(os.path.exists(path) for path in namespace.paths)
    return any(_is_reachable(own.address) for own in found)


def _is_reachable(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    return not (address.is_loopback or address.is_link_local)


def _mounted(mountinfo: bytes) -> Iterator[tuple[int, list[str]]]:
    """Where ``ip netns``, docker and others keep a namespace: it is mounted on a file."""
    found: dict[int, list[str]] = {}
    for line in mountinfo.split(b"\n"):
        fields = line.split(b" ")
        match = _MOUNTED.match(fields[3]) if len(fields) > 4 else None
        if match:
            found.setdefault(int(match[1]), []).append(os.fsdecode(unescaped(fields[4])))
    return ((inode, sorted(set(paths))) for inode, paths in found.items())


def _members(proc: str, own: int) -> tuple[dict[int, list[int]], int]:
    found: dict[int, list[int]] = {}
    unreadable = 0
    for pid in pids(proc):
        inode = _namespace_of(proc, pid)
        if inode is None:
            unreadable += 1
        elif inode not in (own, _ENDED):
            found.setdefault(inode, []).append(pid)
    return found, unreadable


def _namespace_of(proc: str, pid: int) -> int | None:
    """The inode of the process's network namespace; None where it may not be read."""
    try:
        return os.stat(f"{proc}/{pid}/ns/net").st_ino
    except PermissionError:
        return None
    except OSError:
        return _ENDED


def _name(proc: str, inode: int, mounts: list[str], members: list[int], taken: set[str], root: str) -> str:
    """By its mount, else by the container of its first process; by number where that name is taken."""
    for path in mounts:
        named = _NAMED.search(path)
        if named and f"netns/{named[1]}" not in taken:
            return f"netns/{named[1]}"
    for pid in members[:_PATHS_KEPT]:
        try:
            with open(f"{proc}/{pid}/cgroup", "rb") as file:
                content = file.read()
        except OSError:
            continue  # it has ended; the next one may tell
        container = place_of_membership(content).container
        if container is not None:
            by_name = container_name(container, os.fsdecode(content), root)
            for name in (by_name, container.partition("/")[2]):
                if name is not None and f"container/{name}" not in taken:
                    return f"container/{name}"
    return f"net:[{inode}]"


def inside(namespace: Namespace, work: Callable[[], Result]) -> Result:
    """Does ``work`` in a network namespace. Raises NamespaceError, and what ``work`` raises.

    It is done in a thread of its own, which ends afterwards: a thread has its own network namespace
    (setns(2)), so that of the process is never touched.
    """
    if not namespace.paths:
        return work()

    def entered() -> Result:
        _enter(namespace)
        return work()

    from concurrent.futures import ThreadPoolExecutor  # only here: most looks stay in one namespace

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(entered).result()


def _enter(namespace: Namespace) -> None:
    reasons = []
    for path in namespace.paths:
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            reasons.append(f"{path}: {error.strerror}")
            continue
        try:
            if os.fstat(file).st_ino != namespace.inode:
                reasons.append(f"{path}: is another namespace by now")
                continue
            _setns(file)
        except OSError as error:
            reasons.append(f"{path}: {error.strerror}")
        else:
            return
        finally:
            os.close(file)
    raise NamespaceError("; ".join(reasons))


def _setns(file: int) -> None:
    """Raises OSError, and NamespaceError for a Python before 3.12 that was built without ctypes."""
    if sys.version_info >= (3, 12):
        os.setns(file, _CLONE_NEWNET)
        return
    try:
        import ctypes
    except ImportError as error:
        raise NamespaceError("this Python has neither os.setns nor ctypes") from error
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(file, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
