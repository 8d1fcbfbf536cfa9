# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen, as somebody would declare it. This module is private to the collection."""

from __future__ import annotations

import os.path
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._evidence.observed import Listener, Owner
from .._inventory.address_rule import Address
from .._inventory.declared import Declaration
from .._inventory.pasteable import plain_name
from .._inventory.placeholder import PLACEHOLDER
from .._inventory.port_range import DYNAMIC, PortRange
from .owner_match import Held, behind, first_of_families, runners, shown_user, units_of, waits_for_a_call

_ANY_UNIT = re.compile(r".*\.(service|socket)")
_COMM = 15  # TASK_COMM_LEN without its end, proc_pid_comm(5)


def proposed_entry(
    protocol: str,
    port: int | str,
    namespace: str,
    listeners: Sequence[Listener],
    *,
    service: str | None = None,
    reachable_from: Collection[str] = (),
    owner: str | None = None,
) -> dict[str, Any]:
    """An entry for the listeners of one port, with what a person has to fill in. Keys with their default are left out.

    ``reachable_from`` are the vantage points from which the port was seen open. Without listeners the
    entry is not required.
    """
    facts = {**where(listeners), **({"service": service} if service else {}), **owners_as_declared(listeners)}
    subject = facts.get("process") or facts.get("unit") or service or "this port"
    return {
        "port": port,
        **({} if protocol == "tcp" else {"protocol": protocol}),
        **({} if namespace == "host" else {"namespace": namespace}),
        **facts,
        **({"reachable_from": sorted(reachable_from)} if reachable_from else {}),
        **({} if listeners else {"required": False}),
        "justification": f"{PLACEHOLDER}: why {subject} must {'be reachable' if reachable_from else 'listen'}",
        "owner": owner or f"{PLACEHOLDER}: who answers for it",
    }


def proposed_raw_entry(kind: str, namespace: str, sockets: Sequence[Held]) -> dict[str, Any] | None:
    """The same for packet or raw sockets; None where neither process nor unit of all of them can be named."""
    facts = owners_as_declared(sockets)
    subject = facts.get("process") or facts.get("unit")
    if subject is None:
        return None
    return {
        "kind": kind,
        **({} if namespace == "host" else {"namespace": namespace}),
        **facts,
        "justification": f"{PLACEHOLDER}: why {subject} must take packets",
        "owner": f"{PLACEHOLDER}: who answers for it",
    }


def where(listeners: Sequence[Listener]) -> dict[str, Any]:
    """``address`` for what does not listen everywhere."""
    if not listeners:
        return {}
    if all(one.loopback_only for one in listeners):
        return {"address": "loopback"}
    if any(one.address.is_unspecified and not one.loopback_only for one in listeners):
        return {}
    places = sorted({"loopback" if one.loopback_only else address_text(one.address) for one in listeners})
    return {"address": places[0] if len(places) == 1 else places}


def address_text(address: Address) -> str:
    """The address without a scope: which link it is on differs from host to host."""
    return str(address).partition("%")[0]


def owners_as_declared(listeners: Sequence[Held]) -> dict[str, Any]:
    """``process``, ``user`` and ``unit``, each where all listeners have the same and it may be pasted."""
    found: dict[str, Any] = {}
    if listeners and all(behind(one) and one.owners_state == "known" for one in listeners):
        found["process"] = _only(_process(owner) for one in listeners for owner in first_of_families(behind(one)))
    found["user"] = _runners(listeners)
    unit = _only(unit for one in listeners for unit in _units(one))
    found["unit"] = unit if unit and _ANY_UNIT.fullmatch(unit) else None
    return {key: value for key, value in found.items() if value is not None}


def _units(listener: Held) -> Iterable[str | None]:
    """The service that is started, where systemd holds the socket for one."""
    if waits_for_a_call(listener) and listener.activates:
        return [listener.activates]
    return units_of(listener) or [None]


def _runners(listeners: Sequence[Held]) -> str | list[str] | None:
    """Who runs what listens: one user, or all of them; who made the sockets where no process is known."""
    users = {users for one in listeners for users in runners(one)}
    names = sorted(name for one in users if one and (name := plain_name(shown_user(one))) is not None)
    if not names or len(names) < len(users):
        return None
    return names[0] if len(names) == 1 else names


def _process(owner: Owner) -> str:
    """The name of the executable where the process bears it (the kernel cuts names), else the process's own."""
    base = os.path.basename(owner.executable or "")
    return base if base and base[:_COMM] == owner.name else owner.name


def _only(values: Iterable[str | None]) -> str | None:
    distinct = set(values)
    return plain_name(distinct.pop()) if len(distinct) == 1 else None


def is_hidden(listeners: Sequence[Listener], entry: Mapping[str, Any]) -> bool:
    """True when a process is known and its name was left out, because it may not be pasted."""
    return "process" not in entry and any(plain_name(owner.name) is None for one in listeners for owner in one.owners)


def as_entry(declaration: Declaration) -> dict[str, Any]:
    """The entry that would load as this declaration, but for its approval."""
    address = None if declaration.address.networks is None else str(declaration.address).split(", ")
    reach = "any" if declaration.reachable_from is None else sorted(declaration.reachable_from)
    return {
        "port": declaration.port.subject if isinstance(declaration.port, PortRange) else DYNAMIC,
        "protocol": declaration.protocol if declaration.protocol != "tcp" else None,
        "address": address,
        "interface": declaration.interface,
        "namespace": declaration.namespace if declaration.namespace != "host" else None,
        "service": declaration.service,
        "process": _one_or_all(declaration.process),
        "user": _one_or_all(declaration.user),
        "unit": declaration.unit,
        "reachable_from": reach or None,
        "required": None if declaration.required else False,
        "forwarded": declaration.forwarded or None,
        "justification": declaration.justification,
        "owner": declaration.owner,
        "review_by": declaration.review_by.isoformat() if declaration.review_by else None,
    }


def _one_or_all(values: Sequence[str]) -> str | list[str] | None:
    """As an entry holds them: one as itself, several as a list, none not at all."""
    return list(values) if len(values) > 1 else next(iter(values), None)
