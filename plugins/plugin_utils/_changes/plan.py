# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change is to do, host by host: its plan. Pure. This module is private to the collection."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .._audit.rules import blocked_service, missing_listener
from .._evidence.observed import address_of
from .._history.look import Place
from .._inventory.address_rule import AddressRule, parse_addresses
from .._inventory.declared import Declaration, Inventory, PortException
from .._inventory.port_range import PortRange

Json = dict[str, Any]
Row = Mapping[str, Any]

#: Rules of an exception that excuse that nothing is there. One for these alone plans that a port is closed.
_EXCUSES_ABSENCE = frozenset((missing_listener.RULE.id, blocked_service.RULE.id))


class Planned(NamedTuple):
    """One port, or range, that the change opens (``action`` is ``open``) or closes (``close``).

    ``reachable_from`` is as in a declaration: None for any. ``required`` is False for what may be open after the
    change, and need not. ``place`` says where it is written.
    """

    action: str
    protocol: str
    port: PortRange
    address: AddressRule
    namespace: str
    reachable_from: frozenset[str] | None
    required: bool
    place: str

    @property
    def name(self) -> str:
        """How people and trackers know it: ``tcp/8443 at loopback in netns/blue``."""
        where = "" if str(self.address) == "any" else f" at {self.address}"
        inside = "" if self.namespace == "host" else f" in {self.namespace}"
        return f"{self.protocol}/{self.port}{where}{inside}"

    def is_reachable_from(self, vantage: str) -> bool:
        return self.reachable_from is None or vantage in self.reachable_from

    def holds(self, place: Place) -> bool:
        """Whether it is about an endpoint: on the host by its address too, from outside by its port alone."""
        if place.protocol != self.protocol or place.port not in self.port:
            return False
        if place.vantage is not None:
            return True
        # The kernel's device follows the address, after the scope where it has one.
        text, *devices = place.address.split("%")
        address = address_of(text)
        inside = place.namespace == self.namespace
        return inside and self.address.allows(address, loopback_only=address.is_loopback or "lo" in devices)

    def as_dict(self) -> Json:
        return {
            "action": self.action,
            "protocol": self.protocol,
            "port": [self.port.first, self.port.last],
            "address": str(self.address),
            "namespace": self.namespace,
            "reachable_from": None if self.reachable_from is None else sorted(self.reachable_from),
            "required": self.required,
            "place": self.place,
        }

    @classmethod
    def read(cls, row: Row) -> Planned:
        """From ``as_dict``. Raises ValueError for an address that is none."""
        reach = row["reachable_from"]
        return cls(
            action=row["action"],
            protocol=row["protocol"],
            port=PortRange(*row["port"]),
            address=parse_addresses(row["address"].split(", ")),
            namespace=row["namespace"],
            reachable_from=None if reach is None else frozenset(reach),
            required=row["required"],
            place=row["place"],
        )


def plan_of(inventory: Inventory, change: str) -> list[Planned]:
    """What a host's declarations and exceptions with this change id say that the change does to it."""
    opened = [_of_declaration("open", *one) for one in _with_ports(inventory) if one[0].change == change]
    excused = [_of_exception(one) for one in inventory.exceptions if one.change == change]
    return [*opened, *excused]


def plan_between(earlier: Inventory, now: Inventory) -> list[Planned]:
    """What a host declares now and did not (to be opened), and what it declared and does not now (to be closed).

    A port that is declared in another way is opened anew; it is closed only where no declaration holds all of it.
    """
    was, is_now = set(map(_essence, earlier.declarations)), set(map(_essence, now.declarations))
    opened = [_of_declaration("open", *one) for one in _with_ports(now) if _essence(one[0]) not in was]
    gone = [one for one in _with_ports(earlier) if _essence(one[0]) not in is_now]
    return [*opened, *(_of_declaration("close", *one) for one in gone if not _is_held(*one, now))]


def _essence(one: Declaration) -> tuple[Any, ...]:
    """What of a declaration concerns the host. Reasons, approvals and places may change without a change of ports."""
    reach = one.reachable_from
    about = (one.protocol, one.port, str(one.address), one.namespace, one.required, one.process, one.user, one.unit)
    return (*about, None if reach is None else tuple(sorted(reach)))


def _with_ports(inventory: Inventory) -> list[tuple[Declaration, PortRange]]:
    """Declarations with their ports. Which port a dynamic one opens nobody can plan: it is told as not planned."""
    return [(one, one.port) for one in inventory.declarations if isinstance(one.port, PortRange)]


def _is_held(gone: Declaration, ports: PortRange, now: Inventory) -> bool:
    return any(
        (one.protocol, one.namespace) == (gone.protocol, gone.namespace)
        and port.first <= ports.first
        and ports.last <= port.last
        and one.address.overlaps(gone.address)
        for one, port in _with_ports(now)
    )


def _of_declaration(action: str, one: Declaration, port: PortRange) -> Planned:
    about = (one.protocol, port, one.address, one.namespace, one.reachable_from, one.required, one.place)
    return Planned(action, *about)


def _of_exception(one: PortException) -> Planned:
    """An exception says what may be for a while, not what must be; one that excuses only that nothing is there says
    that the port is closed."""
    closes = one.rules is not None and one.rules <= _EXCUSES_ABSENCE
    reach = None if one.vantage is None else frozenset((one.vantage,))
    about = (one.protocol, one.port, one.address, one.namespace, reach, closes, one.place)
    return Planned("close" if closes else "open", *about)


def carried_ids(inventories: Iterable[Inventory]) -> set[str]:
    """Every change id that declarations and exceptions carry."""
    every: set[str | None] = set()
    for inventory in inventories:
        every.update(one.change for one in inventory.declarations)
        every.update(one.change for one in inventory.exceptions)
    return {change for change in every if change is not None}


def nearest_first(names: Iterable[str], wanted: str) -> Sequence[str]:
    """The names, those that look most like the wanted one first."""
    return sorted(names, key=lambda name: (-difflib.SequenceMatcher(None, wanted, name).ratio(), name))
