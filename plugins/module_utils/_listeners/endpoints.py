# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From sockets to listeners: sockets that share an endpoint are one listener, with all their owners.

Here observations become the plain dicts that the module returns; text of the host is made visible on the way.
This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import os
import pwd
from functools import lru_cache
from typing import Any, Iterable, Mapping, NamedTuple, Sequence, TypeVar

from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    NOWHERE,
    OWN,
    Activated,
    BoundSocket,
    Package,
    Place,
    Process,
    RawSocket,
    SocketsSeen,
    SocketUnit,
    Walk,
)
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

_SYSTEMD = 1
Value = TypeVar("Value")


class Knowledge(NamedTuple):
    """What is known besides the sockets themselves."""

    walk: Walk
    places: Mapping[int, Place] = {}  # cgroup id -> place
    socket_units: tuple[SocketUnit, ...] = ()
    packages: Mapping[bytes, Package] = {}
    commands: str = "redacted"
    owners: str = "all"


def by_endpoint(seen: Mapping[str, SocketsSeen]) -> dict[tuple[Any, ...], list[BoundSocket]]:
    """The sockets of each listener."""
    groups: dict[tuple[Any, ...], list[BoundSocket]] = {}
    for namespace, there in seen.items():
        for socket in there.sockets:
            key = (namespace, socket.protocol, socket.family, socket.address, socket.port, socket.interface)
            groups.setdefault(key, []).append(socket)
    return groups


def listeners(seen: Mapping[str, SocketsSeen], known: Knowledge) -> list[dict[str, Any]]:
    """The listeners of all namespaces (by name), sorted: our own namespace, then by namespace, protocol and port."""
    groups = by_endpoint(seen)
    rows = owner_rows(known)
    ordered = sorted(groups, key=_order)
    return [_listener(key[0], groups[key], seen[key[0]].local_ports, known, rows) for key in ordered]


def owner_rows(known: Knowledge) -> dict[int, dict[str, Any]]:
    """What is shown of each process that holds a socket, by its process id."""
    return {pid: _owner(process, known) for pid, process in known.walk.processes.items()}


def _order(key: tuple[Any, ...]) -> tuple[Any, ...]:
    namespace, protocol, family, address, port, interface = key
    return (namespace != OWN, namespace, protocol, port, family, ipaddress.ip_address(address), interface or "")


def _listener(
    namespace: str,
    sockets: Sequence[BoundSocket],
    local_ports: tuple[int, int] | None,
    known: Knowledge,
    rows: Mapping[int, dict[str, Any]],
) -> dict[str, Any]:
    first = sockets[0]
    inodes = {socket.inode for socket in sockets if socket.inode}
    holders = sorted({pid for inode in inodes for pid in known.walk.holders.get(inode, ())})
    processes = [known.walk.processes[pid] for pid in holders]
    uid = common(socket.uid for socket in sockets)
    unit, socket_unit = _unit(sockets, processes, known)
    container = _place(sockets, known).container or common(process.place.container for process in processes)
    return {
        "protocol": first.protocol,
        "family": first.family,
        "address": first.address,
        "port": first.port,
        "interface": None if first.interface is None else visible(first.interface),
        "v6only": _v6only(sockets),
        "namespace": visible(namespace),
        "uid": uid,
        "user": user_name(uid),
        "unit": shown(unit),
        "activates": shown(socket_unit and socket_unit.triggers),
        "activated": _activated(socket_unit and socket_unit.activated),
        "container": shown(container),
        "owners": [rows[pid] for pid in holders],
        "owners_state": owners_state(sockets, known),
        "sockets": len(inodes) + sum(1 for socket in sockets if not socket.inode),
        "ephemeral": _is_ephemeral(first, local_ports),
    }


def _v6only(sockets: Iterable[BoundSocket]) -> bool | None:
    """One socket of a group that also takes IPv4 makes the endpoint one that does."""
    values = {socket.v6only for socket in sockets}
    return next((value for value in (False, None, True) if value in values), None)


def owners_state(sockets: Sequence[BoundSocket | RawSocket], known: Knowledge) -> str:
    """Whether all who hold the sockets are known. Of one owner that was looked for, nobody knows whether it is all."""
    held = sum(1 for socket in sockets if socket.inode in known.walk.holders)
    if held == len(sockets) and known.owners == "all":
        return "known"
    return "partial" if held else "unknown"


def _is_ephemeral(socket: BoundSocket, local_ports: tuple[int, int] | None) -> bool:
    """A client that sent from an unconnected UDP socket has a wildcard address and a port of this range."""
    if not socket.protocol.startswith("udp") or local_ports is None:
        return False
    return ipaddress.ip_address(socket.address).is_unspecified and local_ports[0] <= socket.port <= local_ports[1]


def _place(sockets: Iterable[BoundSocket], known: Knowledge) -> Place:
    places = {known.places.get(socket.cgroup_id, NOWHERE) if socket.cgroup_id else NOWHERE for socket in sockets}
    return places.pop() if len(places) == 1 else NOWHERE


def _unit(
    sockets: Sequence[BoundSocket], processes: Sequence[Process], known: Knowledge
) -> tuple[str | None, SocketUnit | None]:
    """The unit of the endpoint, and what systemd tells of it where it is a socket unit.

    In order: the cgroup that the sockets were made in; systemd's own list, where systemd holds them; the
    unit that all owners share.
    """
    by_cgroup = _place(sockets, known).unit
    if by_cgroup is not None and by_cgroup.endswith(".socket"):
        return by_cgroup, next((unit for unit in known.socket_units if unit.name == by_cgroup), None)
    if known.socket_units and is_held_by_systemd(process.pid for process in processes):
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.socket_units import unit_for

        declared = unit_for(sockets[0], known.socket_units)
        if declared is not None:
            return declared.name, declared
    others = [process.place.unit for process in processes if process.pid != _SYSTEMD]
    return by_cgroup or common(others or [process.place.unit for process in processes]), None


def _activated(runs: Activated | None) -> dict[str, Any] | None:
    """As an owner that is to be: the kernel names a process by the file of its command, and links are followed."""
    if runs is None:
        return None
    name = None if runs.path is None else os.path.basename(runs.path)
    return {
        "name": shown(name),
        "executable": None if runs.path is None else visible(os.path.realpath(runs.path)),
        **_user_of(runs.user),
    }


def _user_of(text: str | None) -> dict[str, Any]:
    """Number and name of a user that is given by one of both; the number is None where there is none (yet)."""
    if text is None:
        return {"uid": None, "user": None}
    if text.isdecimal():
        return {"uid": int(text), "user": user_name(int(text))}
    try:
        return {"uid": pwd.getpwnam(text).pw_uid, "user": visible(text)}
    except KeyError:
        return {"uid": None, "user": visible(text)}


def is_held_by_systemd(pids: Iterable[int]) -> bool:
    return _SYSTEMD in pids


def _owner(process: Process, known: Knowledge) -> dict[str, Any]:
    package = None if process.executable is None else known.packages.get(process.executable)
    return {
        "pid": process.pid,
        "name": visible(process.name),
        "executable": None if process.executable is None else visible(process.executable),
        "executable_deleted": process.executable_deleted,
        "executable_file": None if process.executable_file is None else process.executable_file._asdict(),
        "executable_seen_as": process.executable_seen_as,
        "command": _command(process, known.commands),
        "uid": process.uid,
        "user": user_name(process.uid),
        "unit": shown(process.place.unit),
        "container": shown(process.place.container),
        "child_of": known.walk.child_of.get(process.pid),
        "package": None
        if package is None or not may_be_packaged(process)
        else {"name": visible(package.name), "version": shown(package.version), "manager": package.manager},
    }


def may_be_packaged(process: Process) -> bool:
    """Whether this host's packages can speak for the executable: not for a file inside a container."""
    return process.executable_on_host or (process.executable_deleted and process.place.container is None)


def _command(process: Process, commands: str) -> str | None:
    if commands == "none" or process.arguments is None:
        return None
    return _shown_command(process.arguments, redact=commands != "full")


@lru_cache(maxsize=None)
def _shown_command(arguments: tuple[bytes, ...], redact: bool) -> str:
    """The workers of a service have the same command line."""
    from ansible_collections.vigil.ports.plugins.module_utils._listeners.command_line import shown_command

    return visible(shown_command([os.fsdecode(argument) for argument in arguments], redact=redact))


@lru_cache(maxsize=None)
def user_name(uid: int | None) -> str | None:
    """None where the uid has no entry (or is a container's). A directory server may have to be asked: once for each."""
    if uid is None:
        return None
    try:
        return visible(pwd.getpwuid(uid).pw_name)
    except (KeyError, OverflowError):
        return None


def common(values: Iterable[Value | None]) -> Value | None:
    """The value that all share, else None."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def shown(text: str | None) -> str | None:
    """Text of the host with what does not print escaped."""
    return None if text is None else visible(text)
