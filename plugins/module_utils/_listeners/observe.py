# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole observation of one host: sockets, then owners, then what is known about both.

What only some observations need is imported where it is needed: a module is started anew for each of them, and
Ansible has it compile all that it imports. This module is private to the collection.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
import time
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import (
    OwnAddress,
    inner_bridges,
    own_addresses,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.cgroups import (
    Cgroup,
    cgroups_of_ids,
    unified_mount,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.endpoints import (
    Knowledge,
    by_endpoint,
    is_held_by_systemd,
    listeners,
    may_be_packaged,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    OWN,
    BoundSocket,
    Claim,
    Namespace,
    Package,
    Place,
    Problem,
    RawSocket,
    SocketsSeen,
    SocketUnit,
    Walk,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import (
    NetlinkError,
    Opener,
    open_netlink,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.processes import (
    is_privileged,
    sees_all_processes,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.programs import ProgramError, Runner, run
from ansible_collections.vigil.ports.plugins.module_utils._listeners.raw_sockets import inodes, raw_sockets
from ansible_collections.vigil.ports.plugins.module_utils._listeners.sockets import interface_name, observe_sockets
from ansible_collections.vigil.ports.plugins.module_utils._machine import machine
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

_SYSTEMD_IS_RUNNING = "/run/systemd/system"  # sd_booted(3)
# A source of all namespaces together is the worst of them: what is wrong in one is not hidden by the others.
_WORST_FIRST = ("failed", "proc", "netlink", "absent")
# Which listeners lack an owner of the kind that was asked for.
_WITHOUT_OWNER: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "unit": lambda row: row["unit"] is None and row["container"] is None,
    "first": lambda row: not row["owners"],
    "all": lambda row: bool(row["owners_state"] != "known"),
}


class Request(NamedTuple):
    """What the user asked for; the values are those of the module's options."""

    namespaces: str = OWN
    packages: bool = False
    commands: str = "redacted"
    owners: str = "all"
    verify_bind: Mapping[str, Any] | None = None  # protocol -> PortSet


class Host(NamedTuple):
    """The ways to look at a host; tests give others."""

    proc: str = "/proc"
    opener: Opener = open_netlink
    run: Runner = run


def observe(request: Request, host: Host) -> dict[str, Any]:
    """Listeners, own addresses, host and coverage, in the shape that the module documents."""
    look = _Observation(request, host)
    started = _now()
    seen = look.at_namespaces()
    addresses = look.at_addresses()
    leads_elsewhere = look.at_translation()
    inner = look.at_inner_bridges()
    cgroups = look.at_cgroups(seen)
    walked = look.at_processes(seen, cgroups)
    places = {number: cgroup.place for number, cgroup in cgroups.items()}
    known = Knowledge(
        walk=walked,
        places=places,
        socket_units=look.at_socket_units(walked, places),
        packages=look.at_packages(walked),
        commands=request.commands,
        owners=request.owners,
    )
    rows = listeners(seen, known)
    unknown = sum(map(_WITHOUT_OWNER[request.owners], rows))
    hidden = unknown > 0 and request.owners != "unit" and look.at_hidden_processes()
    return {
        "listeners": rows,
        "raw_sockets": raw_sockets(seen, known),
        "translated": leads_elsewhere,
        "addresses": [
            {**own._asdict(), "interface": visible(own.interface), "inner": own.interface in inner} for own in addresses
        ],
        "machine": machine((own.address for own in addresses), host.proc),
        "host": {
            "hostname": visible(socket.gethostname()),
            "kernel": visible(os.uname().release),
            "python": sys.version.split()[0],
        },
        "coverage": {
            "started": started,
            "finished": _now(),
            "privileged": look.privileged,
            "sources": _worst_sources(seen),
            "not_looked_at": _not_looked_at(seen),
            "owners": {
                "asked": request.owners,
                "complete": request.owners == "all" and look.privileged and not walked.denied and not hidden,
                "unknown": unknown,
            },
            "namespaces": {
                "asked": request.namespaces,
                "seen": [visible(name) for name in seen],
                "missed": look.missed,
                "left_out": [visible(name) for name in look.left_out],
            },
            "packages": {"asked": request.packages, "manager": look.manager, "complete": look.packages_complete},
            "problems": [{"code": problem.code, "message": visible(problem.message)} for problem in look.problems],
        },
        **look.witnessed(),
    }


class _Observation:
    """One look at a host, which remembers what it could not see."""

    def __init__(self, request: Request, host: Host) -> None:
        self._request = request
        self._host = host
        self.privileged = is_privileged(host.proc)
        self.missed: list[dict[str, str]] = []
        self.left_out: list[str] = []
        self.manager: str | None = None
        self.packages_complete = False
        self.problems: list[Problem] = []
        self._witnessed: dict[str, Any] = {}  # what bind() told, by namespace

    def at_namespaces(self) -> dict[str, SocketsSeen]:
        seen = self._at_own_namespace() if self._request.namespaces == OWN else self._at_all_namespaces()
        for name, there in seen.items():
            prefix = "" if name == OWN else f"{name}: "
            self.problems.extend(Problem(each.code, prefix + each.message) for each in there.problems)
        return seen

    def _sockets(self, namespace: str) -> SocketsSeen:
        if self._request.verify_bind is None:
            return observe_sockets(self._host.proc, self._host.opener)
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.bind_witness import witness

        seen, self._witnessed[namespace] = witness(self._request.verify_bind, self._host.proc, self._host.opener)
        return seen

    def witnessed(self) -> dict[str, Any]:
        """What bind() told; nothing where it was not asked."""
        if self._request.verify_bind is None:
            return {}
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.bind_witness import as_rows

        return {
            "bind": {
                "asked": {protocol: str(ports) for protocol, ports in self._request.verify_bind.items()},
                "bound_are_listed": all(there.bound_are_listed for there in self._witnessed.values()),
                "ports": as_rows(
                    self._request.verify_bind, {visible(name): there for name, there in self._witnessed.items()}
                ),
            }
        }

    def _at_own_namespace(self) -> dict[str, SocketsSeen]:
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.namespaces import with_addresses

        seen = {OWN: self._sockets(OWN)}
        try:
            self.left_out, hidden = with_addresses(self._host.proc, functools.partial(own_addresses, self._host.opener))
        except OSError as error:
            self.problems.append(Problem("namespaces-unknown", f"other network namespaces: {error}"))
            return seen
        if hidden or not self.privileged:  # some may not even be shown (hidepid)
            message = f"{hidden or 'some'} processes may not show their network namespace: permission denied"
            self.problems.append(Problem("namespaces-unknown", message))
        return seen

    def _at_all_namespaces(self) -> dict[str, SocketsSeen]:
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.namespaces import NamespaceError, inside

        seen: dict[str, SocketsSeen] = {}
        for namespace in self._namespaces():
            try:
                there = inside(namespace, functools.partial(self._sockets, namespace.name))
            except NamespaceError as error:
                self.missed.append({"namespace": visible(namespace.name), "reason": visible(str(error))})
                continue
            seen[namespace.name] = there
        return seen

    def _namespaces(self) -> tuple[Namespace, ...]:
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.namespaces import find_namespaces

        try:
            found = find_namespaces(self._host.proc)
        except OSError as error:
            self.missed.append({"namespace": "unknown", "reason": visible(f"cannot look for namespaces: {error}")})
            return (Namespace(OWN, 0, ()),)
        if found.unreadable:
            reason = f"{found.unreadable} processes do not show their namespace: permission denied"
            self.missed.append({"namespace": "unknown", "reason": reason})
        return found.namespaces

    def at_addresses(self) -> tuple[OwnAddress, ...]:
        try:
            return own_addresses(self._host.opener, interface_name)
        except NetlinkError as error:
            self.problems.append(Problem("addresses-unknown", f"the host's own addresses: netlink: {error}"))
            return ()

    def at_translation(self) -> list[dict[str, Any]]:
        """Of our own network namespace: it is the one whose addresses are scanned."""
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.translated import (
            as_rows,
            has_legacy_rules,
            translated,
        )

        def read(name: str) -> bytes:
            with open(f"{self._host.proc}/thread-self/net/{name}", "rb") as file:
                return file.read()

        try:
            found = translated(self._host.opener, read)
            if has_legacy_rules(read):
                message = "the nat table of iptables-legacy has rules, which only iptables-legacy itself can tell"
                self.problems.append(Problem("translation-not-read", message))
        except (NetlinkError, OSError) as error:
            self.problems.append(Problem("translation-unknown", f"rules of address translation: {error}"))
            return []
        return as_rows(found)

    def at_inner_bridges(self) -> frozenset[str]:
        try:
            return inner_bridges(self._host.proc)
        except OSError:  # then none is said to be one
            return frozenset()

    def at_processes(self, seen: Mapping[str, SocketsSeen], cgroups: Mapping[int, Cgroup]) -> Walk:
        """Once, for all namespaces."""
        if self._request.owners == "unit":
            return Walk({}, {}, 0)
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.owners import all_owners, first_owners

        groups = by_endpoint(seen).values()
        try:
            if self._request.owners == "first":
                of_raw = [_claim([one], cgroups) for there in seen.values() for one in there.raw]
                walked = first_owners(self._host.proc, [*(_claim(sockets, cgroups) for sockets in groups), *of_raw])
            else:
                of_listeners = {found.inode for sockets in groups for found in sockets}
                walked = all_owners(self._host.proc, of_listeners | inodes(seen.values()))
        except OSError as error:
            self.problems.append(Problem("processes-unreadable", f"{self._host.proc}: {error}"))
            return Walk({}, {}, 1)
        if walked.denied:
            self.problems.append(
                Problem("processes-denied", f"the open files of {walked.denied} processes could not be read")
            )
        return walked

    def at_hidden_processes(self) -> bool:
        """Asked only where an owner is missing: in a container that shares the host's network, for one."""
        if sees_all_processes(self._host.proc):
            return False
        message = "the module runs in a pid namespace of its own, and cannot see the processes outside of it"
        self.problems.append(Problem("processes-hidden", message))
        return True

    def at_cgroups(self, seen: Mapping[str, SocketsSeen]) -> dict[int, Cgroup]:
        ids = {found.cgroup_id for there in seen.values() for found in there.sockets if found.cgroup_id}
        if not ids:
            return {}
        try:
            with open(f"{self._host.proc}/self/mountinfo", "rb") as file:
                mount = unified_mount(file.read())
            return cgroups_of_ids(mount, ids) if mount else {}
        except OSError as error:
            self.problems.append(Problem("cgroups-unreadable", f"cgroup v2: {error}"))
            return {}

    def at_socket_units(self, walked: Walk, places: Mapping[int, Place]) -> tuple[SocketUnit, ...]:
        """systemd is asked only where it holds a socket: it costs a process and tens of milliseconds."""
        made_by_it = any((place.unit or "").endswith(".socket") for place in places.values())
        if not (made_by_it or is_held_by_systemd(walked.processes)) or not os.path.isdir(_SYSTEMD_IS_RUNNING):
            return ()
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.socket_units import (
            ask_systemd,
            ask_what_runs,
        )

        units: tuple[SocketUnit, ...] = ()
        try:
            units = ask_systemd(self._host.run)
            return ask_what_runs(self._host.run, units)
        except ProgramError as error:
            self.problems.append(Problem("activated-unknown" if units else "socket-units-unknown", str(error)))
            return units

    def at_packages(self, walked: Walk) -> dict[bytes, Package]:
        if not self._request.packages:
            return {}
        from ansible_collections.vigil.ports.plugins.module_utils._listeners.packages import (
            manager_of_host,
            owning_packages,
        )

        self.manager = manager_of_host()
        if self.manager is None:
            self.problems.append(Problem("package-manager-unknown", "no database of dpkg, rpm or apk on this host"))
            return {}
        processes = [process for process in walked.processes.values() if may_be_packaged(process)]
        try:
            found = owning_packages(
                self.manager, [process.executable for process in processes if process.executable], self._host.run
            )
        except ProgramError as error:
            self.problems.append(Problem("packages-unknown", str(error)))
            return {}
        self.packages_complete = self._request.owners != "unit"  # without processes there are no executables
        return found


def _claim(sockets: Sequence[BoundSocket | RawSocket], cgroups: Mapping[int, Cgroup]) -> Claim:
    ids = (found.cgroup_id for found in sockets if isinstance(found, BoundSocket))
    made_in = (cgroups.get(number) for number in ids if number)
    return Claim(
        inodes=frozenset(found.inode for found in sockets if found.inode),
        uids=frozenset(found.uid for found in sockets if found.uid is not None),
        cgroups=frozenset(cgroup.directory for cgroup in made_in if cgroup is not None),
    )


def _worst_sources(seen: Mapping[str, SocketsSeen]) -> dict[str, str]:
    names = sorted({name for there in seen.values() for name in there.sources})
    return {name: min((there.sources[name] for there in seen.values()), key=_WORST_FIRST.index) for name in names}


def _not_looked_at(seen: Mapping[str, SocketsSeen]) -> list[dict[str, Any]]:
    """By kind; the reason is that of our own namespace, and names another one where it differs there."""
    reasons: dict[str, list[str]] = {}
    in_use: dict[str, int] = {}
    for namespace, there in seen.items():
        for what, unlisted in there.not_looked_at.items():
            known = reasons.setdefault(what, [])
            if namespace == OWN:
                known.append(unlisted.reason)
            elif unlisted.reason not in known:
                known.append(f"{namespace}: {unlisted.reason}")
            if unlisted.in_use is not None:
                in_use[what] = in_use.get(what, 0) + unlisted.in_use
    return [
        {"what": visible(what), "reason": visible("; ".join(reasons[what])), "in_use": in_use.get(what)}
        for what in sorted(reasons)
    ]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
