# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is behind a listener, and whether that is who was declared. This module is private to the collection.

systemd holds the socket of a socket unit for the service that it starts when somebody calls: that service is the
owner, by its settings as long as nothing of it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .._evidence.observed import Activated, Owner
from .._inventory.port_range import ephemeral_ports, held_by

_SYSTEMD = 1  # its process id
_SOCKET, _SERVICE = ".socket", ".service"


class NamesOwner(Protocol):
    """An entry that says who may hold a socket: a declaration of a port, or of packet and raw sockets."""

    @property
    def process(self) -> tuple[str, ...]: ...
    @property
    def user(self) -> tuple[str, ...]: ...
    @property
    def unit(self) -> str | None: ...


class Held(Protocol):
    """A socket with who holds it: a listener, or a packet or raw socket."""

    @property
    def user(self) -> str | None: ...
    @property
    def uid(self) -> int | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def activates(self) -> str | None: ...
    @property
    def activated(self) -> Activated | None: ...
    @property
    def owners(self) -> tuple[Owner, ...]: ...
    @property
    def owners_state(self) -> str: ...
    @property
    def namespace(self) -> str: ...


def behind(listener: Held) -> tuple[Owner, ...]:
    """Its owners, and for systemd what it starts; without that where it is not known what that is."""
    if not waits_for_a_call(listener):
        return listener.owners
    starts = _started(listener)
    return (*(one for one in listener.owners if one.pid != _SYSTEMD), *([starts] if starts else []))


def waits_for_a_call(listener: Held) -> bool:
    """Whether systemd holds the socket for a service, as far as owners were looked for."""
    held = not listener.owners or any(owner.pid == _SYSTEMD for owner in listener.owners)
    return held and (listener.unit or "").endswith(_SOCKET)


def _started(listener: Held) -> Owner | None:
    """The process that a call starts, if the settings of its unit tell."""
    activated = listener.activated
    if activated is None or activated.name is None:
        return None
    return Owner(
        pid=0,
        name=activated.name[:_NAME_LENGTH],
        executable=activated.executable,
        executable_deleted=False,
        user=activated.user,
        uid=activated.uid,
        unit=listener.activates,
        container=None,
        package=None,
    )


def ephemeral_subject(listener: Held) -> str:
    """As findings name the ports that the kernel picked for the owner of a listener: ``ephemeral:chronyd/_chrony``."""
    return ephemeral_ports(_known_by(listener))


def raw_subject(one: Held) -> str:
    """As findings name a packet or raw socket: ``held-by:dhclient/root``."""
    return held_by(_known_by(one))


def _known_by(one: Held) -> list[str]:
    """The processes that hold it, and who runs them: a process calls itself what it likes, as no other user."""
    names = sorted({owner.name for owner in first_of_families(behind(one))}) or [one.unit or "unknown"]
    users = sorted({shown_user(users) for users in runners(one) if users})
    containers = sorted({owner.container for owner in one.owners if owner.container})
    return ["/".join("+".join(some) for some in (names, users, containers) if some)]


def first_of_families(owners: tuple[Owner, ...]) -> tuple[Owner, ...]:
    """The owners without those that are children of another one."""
    pids = {owner.pid for owner in owners}
    return tuple(owner for owner in owners if owner.child_of not in pids)


def deviations(declaration: NamesOwner, listener: Held) -> Iterator[str]:
    """In what the listener differs from what is declared. Every owner must be one of the declared."""
    owners = behind(listener)
    if declaration.process:
        declared = " or ".join(declaration.process)
        for owner in _strangers(declaration.process, owners):
            yield f"process {owner.name} ({_executable(owner)}) instead of {declared}"
    if declaration.user:
        for users in runners(listener):
            if users and users.isdisjoint(declaration.user):
                yield f"user {shown_user(users)} instead of {' or '.join(declaration.user)}"
    if declaration.unit:
        strange = units_of(listener) - _units_meant(declaration.unit, listener)
        if strange and not (waits_for_a_call(listener) and listener.activates is None):
            shown = [
                f"{listener.activates}, started by {unit}," if unit == listener.unit and listener.activates else unit
                for unit in sorted(strange)
            ]
            yield f"unit {' and '.join(shown)} instead of {declaration.unit}"


def unknowns(declaration: NamesOwner, listener: Held) -> Iterator[str]:
    """What the declaration asks for and the host did not tell."""
    owners, users = behind(listener), runners(listener)
    if declaration.process and (not listener.owners or listener.owners_state != "known"):
        yield f"the processes behind the socket are not all known (owners: {listener.owners_state})"
    is_declared = declaration.unit == listener.unit  # the socket unit itself, whatever it starts
    if declaration.unit and not is_declared and waits_for_a_call(listener) and listener.activates is None:
        yield f"which unit {listener.unit} starts is unknown"
    if (declaration.process or declaration.user) and waits_for_a_call(listener) and _started(listener) is None:
        yield f"what {listener.activates or listener.unit} runs when it is called is unknown"
    paths = {one for one in declaration.process if "/" in one}
    for owner in owners:
        if owner.executable in paths and owner.executable_seen_as == "unknown":
            yield f"whether {owner.executable} was the file that runs is not known: it was deleted since; restart it"
    if declaration.user and not all(users):
        yield "the user behind the socket is unknown"
    if declaration.unit and not listener.unit and not any(owner.unit for owner in owners):
        yield "the systemd unit behind the socket is unknown"


def is_match(declaration: NamesOwner, listener: Held) -> bool:
    """True when all that is behind the listener is known, and each is who was declared."""
    if listener.owners_state != "known" or not behind(listener):
        return False
    held = [owner for owner in listener.owners if owner.pid != _SYSTEMD]
    if declaration.unit and any(owner.unit is None for owner in held):
        return False
    return not any(deviations(declaration, listener)) and not any(unknowns(declaration, listener))


def only_by_name(declaration: NamesOwner, listener: Held) -> str:
    """What is to say when a declared process was recognised by nothing but the name that it gave itself."""
    for owner in first_of_families(behind(listener)):
        base = (owner.executable or "").rsplit("/", 1)[-1]
        if declaration.process and base and not {base, owner.executable}.intersection(declaration.process):
            return f", by the name of the process; its executable is {owner.executable}"
    return ""


def runners(listener: Held) -> list[frozenset[str]]:
    """Name and number of who runs each process behind the socket; of who made it where no process is known."""
    of_owners = [_names_of(owner.user, owner.uid) for owner in behind(listener)]
    if not of_owners and waits_for_a_call(listener):
        return [frozenset()]  # systemd made it, for whom is not known
    return list(dict.fromkeys(of_owners or [_names_of(listener.user, listener.uid)]))


def shown_user(users: frozenset[str]) -> str:
    """One name of a user; its number where it has none."""
    return min(users, key=lambda name: (name.isdecimal(), name))


def units_of(listener: Held) -> set[str]:
    """The units that hold the socket; that of the socket itself where no process tells. Pid 1 holds for others."""
    held = {owner.unit for owner in listener.owners if owner.unit is not None and owner.pid != _SYSTEMD}
    return held or ({listener.unit} if listener.unit else set())


def units_involved(listener: Held) -> set[str]:
    """The units that hold the socket, and the one that would open it again."""
    pair = {unit for unit in (listener.unit, listener.activates) if unit} if listener.activates else set()
    return units_of(listener) | {unit for unit in pair if "@." not in unit}  # a template itself never runs


def _units_meant(declared: str, listener: Held) -> set[str]:
    """The declared unit; with it the socket unit that starts it, or the service that is started where that bears the
    socket unit's name. A socket unit that starts any other service is not what its name says."""
    if listener.activates is None or listener.unit is None:
        return {declared}
    if declared == listener.activates:
        return {declared, listener.unit}
    if declared == listener.unit:
        stem = declared[: -len(_SOCKET)] if declared.endswith(_SOCKET) else declared
        is_its_own = listener.activates in (f"{stem}{_SERVICE}", f"{stem}@{_SERVICE}")
        return {declared, listener.activates} if is_its_own else set()
    return {declared}


def _strangers(declared: tuple[str, ...], owners: tuple[Owner, ...]) -> list[Owner]:
    """The owners that are none of the declared processes, nor a child of one that holds the socket itself."""
    strangers = [owner for owner in owners if not any(_is_process(one, owner) for one in declared)]
    known = {owner.pid for owner in owners} - {owner.pid for owner in strangers}
    while children := [owner for owner in strangers if owner.child_of in known]:
        known.update(owner.pid for owner in children)
        strangers = [owner for owner in strangers if owner not in children]
    return strangers


def _names_of(user: str | None, uid: int | None) -> frozenset[str]:
    return frozenset(str(one) for one in (user, uid) if one is not None)


def _executable(owner: Owner) -> str:
    """Its executable in words; one that the host itself does not have there is not what its path says."""
    if owner.executable is None:
        return "executable unknown"
    return owner.executable if owner.executable_seen_as != "other" else f"{owner.executable} in mounts of its own"


#: The kernel cuts the name of a process (TASK_COMM_LEN, proc_pid_comm(5)).
_NAME_LENGTH = 15


def _is_process(declared: str, owner: Owner) -> bool:
    """True when the owner is the declared process, by its name, or by the name or path of its executable.

    A process can call itself what it likes (PR_SET_NAME, prctl(2)), a path too, so a declared path is held
    against the executable alone. A name has to do where one is declared: Debian's redis-server runs
    /usr/bin/redis-check-rdb, and an interpreter runs programs of any name.
    """
    if "/" in declared:  # in mounts of its own a process can have any file at that path
        return declared == owner.executable and owner.executable_seen_as != "other"
    return declared == (owner.executable or "").rsplit("/", 1)[-1] or declared[:_NAME_LENGTH] == owner.name
