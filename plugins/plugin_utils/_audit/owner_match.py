# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is behind a listener, and whether that is who was declared. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from .._evidence.observed import Listener, Owner
from .._inventory.declared import Declaration


def deviations(declaration: Declaration, listener: Listener) -> Iterator[str]:
    """In what the listener differs from what is declared. Every owner must be one of the declared."""
    if declaration.process:
        declared = " or ".join(declaration.process)
        for owner in listener.owners:
            if not any(_is_process(one, owner) for one in declaration.process):
                yield f"process {owner.name} ({_executable(owner)}) instead of {declared}"
    if declaration.user:
        for users in runners(listener):
            if users and users.isdisjoint(declaration.user):
                yield f"user {shown_user(users)} instead of {' or '.join(declaration.user)}"
    if declaration.unit:
        strange = units_of(listener) - _units_of(declaration.unit, listener)
        if strange:
            yield f"unit {' and '.join(sorted(strange))} instead of {declaration.unit}"


def unknowns(declaration: Declaration, listener: Listener) -> Iterator[str]:
    """What the declaration asks for and the host did not tell."""
    if declaration.process and (not listener.owners or listener.owners_state != "known"):
        yield f"the processes behind the socket are not all known (owners: {listener.owners_state})"
    paths = {one for one in declaration.process if "/" in one}
    for owner in listener.owners:
        if owner.executable in paths and owner.executable_seen_as == "unknown":
            yield f"whether {owner.executable} was the file that runs is not known: it was deleted since; restart it"
    if declaration.user and not all(runners(listener)):
        yield "the user behind the socket is unknown"
    if declaration.unit and not listener.unit and not any(owner.unit for owner in listener.owners):
        yield "the systemd unit behind the socket is unknown"


def only_by_name(declaration: Declaration, listener: Listener) -> str:
    """What is to say when a declared process was recognised by nothing but the name that it gave itself."""
    for owner in listener.owners:
        base = (owner.executable or "").rsplit("/", 1)[-1]
        if declaration.process and base and not {base, owner.executable}.intersection(declaration.process):
            return f", by the name of the process; its executable is {owner.executable}"
    return ""


def runners(listener: Listener) -> list[frozenset[str]]:
    """Name and number of who runs each process behind the socket; of who made it where no process is known."""
    of_owners = [_names_of(owner.user, owner.uid) for owner in listener.owners]
    return list(dict.fromkeys(of_owners or [_names_of(listener.user, listener.uid)]))


def shown_user(users: frozenset[str]) -> str:
    """One name of a user; its number where it has none."""
    return min(users, key=lambda name: (name.isdecimal(), name))


def units_of(listener: Listener) -> set[str]:
    """The units that hold the socket; that of the socket itself where no process tells. Pid 1 holds for others."""
    held = {owner.unit for owner in listener.owners if owner.unit is not None and owner.pid != 1}
    return held or ({listener.unit} if listener.unit else set())


def _units_of(declared: str, listener: Listener) -> set[str]:
    """The declared unit, and the one that it activates or is activated by through this socket."""
    pair = {unit for unit in (listener.unit, listener.activates) if unit}
    return {declared} | (pair if listener.activates and declared in pair else set())


def _names_of(user: str | None, uid: int | None) -> frozenset[str]:
    return frozenset(str(one) for one in (user, uid) if one is not None)


def _executable(owner: Owner) -> str:
    """Its executable in words; one that the host itself does not have there is not what its path says."""
    if owner.executable is None:
        return "executable unknown"
    return owner.executable if owner.executable_seen_as != "other" else f"{owner.executable} in mounts of its own"


def _is_process(declared: str, owner: Owner) -> bool:
    """True when the owner is the declared process, by its name, or by the name or path of its executable.

    A process can call itself what it likes (PR_SET_NAME, prctl(2)), a path too, so a declared path is held
    against the executable alone. A name has to do where one is declared: Debian's redis-server runs
    /usr/bin/redis-check-rdb, and an interpreter runs programs of any name. The kernel cuts the name at 15
    characters (TASK_COMM_LEN, proc_pid_comm(5)).
    """
    if "/" in declared:  # in mounts of its own a process can have any file at that path
        return declared == owner.executable and owner.executable_seen_as != "other"
    return declared == (owner.executable or "").rsplit("/", 1)[-1] or declared[:15] == owner.name
