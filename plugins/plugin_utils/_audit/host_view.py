# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that the rules know of one host. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

from .._evidence.observed import Address, Endpoint, Listener, ScannedTarget, address_of
from .._evidence.raw_sockets import RawSocket
from .._evidence.relisted import Relisted
from .._inventory.declared import Declaration, Inventory, RawDeclaration
from .._inventory.port_range import DynamicPort, PortRange
from .leg import Evidence
from .owner_match import ephemeral_subject, is_match, raw_subject


class TooBroad(NamedTuple):
    """What an approval may cover: so many ports, for so many days."""

    ports: int
    days: int


@dataclasses.dataclass(frozen=True)
class HostView:
    """One host: declared, listening, reachable.

    ``listeners`` is None when they could not be gathered; of a host that was listed again they are those
    of both listings. ``relisted`` is the second one, ``verify_bind`` the setting of the run.
    """

    host: str
    inventory: Inventory
    listeners: tuple[Listener, ...] | None
    own_addresses: Mapping[Address, str]  # address -> device
    targets: tuple[ScannedTarget, ...]
    today: dt.date
    expiring_days: int
    depth: str  # how deep the scan went: known, common or full
    unlisted: Mapping[str, str] = dataclasses.field(default_factory=dict)  # protocol -> gap that says why
    relisted: Relisted | None = None
    verify_bind: str = "never"
    vantages: frozenset[str] = frozenset()  # all of the run
    too_broad: TooBroad | None = None  # runs of 0.2 had no limits
    raw_sockets: tuple[RawSocket, ...] | None = None  # None: they were not listed
    evidence: Evidence = dataclasses.field(default_factory=dict)  # by leg: for rules over one of their own

    def declarations_for(self, protocol: str, port: int, namespace: str = "host") -> Sequence[Declaration]:
        """The declarations of a port, whatever address they are for: those of that very port, ranges, dynamic ones.

        A dynamic one is for a port that a listener of it has.
        """
        fixed = self.inventory.declarations_for(protocol, port, namespace)
        held = ((one, listener) for one in self.inventory.dynamic for listener in self.listeners_of(one))
        near = [
            one
            for one, listener in held
            if (listener.protocol, listener.port, listener.namespace) == (protocol, port, namespace)
        ]
        return [*fixed, *dict.fromkeys(near)] if near else fixed

    def speaks_first(self, declaration: Declaration, port: int, namespace: str = "host") -> bool:
        """False for a range where a declaration of that very port says more of it."""
        if declaration.port.is_single or isinstance(declaration.port, DynamicPort):
            return True
        near = self.inventory.declarations_for(declaration.protocol, port, namespace)
        return not any(one.port.is_single for one in near)

    def listeners_of(self, declaration: Declaration) -> Sequence[Listener]:
        """The listeners that the declaration is about: protocol, port, namespace and address."""
        return self._covered[id(declaration)]

    def is_declared(self, listener: Listener) -> bool:
        """True when some declaration covers the listener."""
        return id(listener) in self._declared

    def is_proposed(self, listener: Listener) -> bool:
        """True when a proposal covers the listener."""
        return id(listener) in self._proposed

    @functools.cached_property
    def ephemeral(self) -> Mapping[tuple[str, str, str], list[Listener]]:
        """Undeclared listeners on ports that the kernel picked, by namespace, protocol and whose they are."""
        found: dict[tuple[str, str, str], list[Listener]] = {}
        for one in self.listeners or ():
            if one.ephemeral and not self.is_declared(one) and not self.is_proposed(one):
                found.setdefault((one.namespace, one.protocol, ephemeral_subject(one)), []).append(one)
        return found

    @functools.cached_property
    def undeclared_raw_sockets(self) -> Mapping[tuple[str, str, str], list[RawSocket]]:
        """Packet and raw sockets that receive and that no declaration is for, by namespace, kind and whose they are."""
        found: dict[tuple[str, str, str], list[RawSocket]] = {}
        for one in self.raw_sockets or ():
            if one.receives and not self.declared_by(one):
                found.setdefault((one.namespace, one.kind, raw_subject(one)), []).append(one)
        return found

    def declared_by(self, one: RawSocket) -> list[RawDeclaration]:
        """The declarations that are for a packet or raw socket, and for all who are known to hold it."""
        return [entry for entry in near_raw(self.inventory.raw_sockets, one) if is_match(entry, one)]

    @functools.cached_property
    def _covered(self) -> Mapping[int, Sequence[Listener]]:
        """Each declaration's listeners, found once for all rules. Both live as long as the view."""
        found: dict[int, Sequence[Listener]] = {}
        for declaration in (*self.inventory.declarations, *self.inventory.proposals):
            port, near = declaration.port, self.listeners or ()
            if isinstance(port, PortRange) and port.is_single:
                near = self.listeners_on(declaration.protocol, port.first)
            found[id(declaration)] = [one for one in near if covers(declaration, one, self.own_addresses)]
        if self.inventory.rivals:
            self._divide(found)
        if self.inventory.dynamic:
            fixed = {id(listener) for one in self.inventory.declarations for listener in found[id(one)]}
            rest = [one for one in self.listeners or () if id(one) not in fixed]
            for declaration in self.inventory.dynamic:
                found[id(declaration)] = [
                    one
                    for one in rest
                    if _is_there(declaration, one, self.own_addresses) and is_match(declaration, one)
                ]
        return found

    def _divide(self, found: dict[int, Sequence[Listener]]) -> None:
        """Each listener that declarations of different processes cover is of those that match, or of the first."""
        claims: dict[int, list[Declaration]] = {}
        for one in self.inventory.declarations:
            for listener in found[id(one)] if id(one) in self.inventory.rivals else ():
                claims.setdefault(id(listener), []).append(one)
        lost: dict[int, set[int]] = {}
        for listener in self.listeners or ():
            claimed = claims.get(id(listener), ())
            for one in self._losers(claimed, listener) if len(claimed) > 1 else ():
                lost.setdefault(id(one), set()).add(id(listener))
        for key, of_others in lost.items():
            found[key] = [listener for listener in found[key] if id(listener) not in of_others]

    def _losers(self, claimed: Sequence[Declaration], listener: Listener) -> Iterator[Declaration]:
        right = [one for one in claimed if is_match(one, listener)] or claimed[:1]
        return (one for one in claimed if any(one.is_of_others_than(other) for other in right) and one not in right)

    @functools.cached_property
    def _declared(self) -> frozenset[int]:
        return self._listeners_of_all(self.inventory.declarations)

    @functools.cached_property
    def _proposed(self) -> frozenset[int]:
        return self._listeners_of_all(self.inventory.proposals)

    def _listeners_of_all(self, declarations: Iterable[Declaration]) -> frozenset[int]:
        return frozenset(id(listener) for one in declarations for listener in self.listeners_of(one))

    def listeners_on(self, protocol: str, port: int) -> tuple[Listener, ...]:
        """The listeners of a port, in whatever namespace and at whatever address."""
        return tuple(self._listeners.get((protocol, port), ()))

    def endpoints_on(self, protocol: str | None, port: int | str | None) -> Sequence[tuple[str, Endpoint]]:
        """What was seen of a port from outside: vantage point and endpoint, at whatever address."""
        return self._endpoints.get((protocol, port), ())

    @functools.cached_property
    def _endpoints(self) -> Mapping[tuple[str | None, int | str | None], list[tuple[str, Endpoint]]]:
        by_port: dict[tuple[str | None, int | str | None], list[tuple[str, Endpoint]]] = {}
        for target in self.targets:
            for one in target.endpoints:
                by_port.setdefault((one.protocol, one.port), []).append((target.vantage, one))
        return by_port

    @functools.cached_property
    def meant_tcp(self) -> PortSet:
        """The TCP ports that the host declares, or listens on."""
        ports = [one.port for one in self.inventory.declarations if one.protocol == "tcp"]
        declared = [(port.first, port.last) for port in ports if isinstance(port, PortRange)]
        return PortSet.of_ranges(
            [*declared, *((one.port, one.port) for one in self.listeners or () if one.protocol == "tcp")]
        )

    @functools.cached_property
    def _listeners(self) -> Mapping[tuple[str, int], list[Listener]]:
        by_port: dict[tuple[str, int], list[Listener]] = {}
        for listener in self.listeners or ():
            by_port.setdefault((listener.protocol, listener.port), []).append(listener)
        return by_port


def near_raw(declarations: Iterable[RawDeclaration], one: RawSocket) -> Iterator[RawDeclaration]:
    """The declarations for sockets of its kind in its namespace, whoever holds it."""
    return (each for each in declarations if one.kind in each.kinds and each.is_in(one.namespace))


def covers(declaration: Declaration, listener: Listener, own_addresses: Mapping[Address, str]) -> bool:
    """True when the declaration lets this listener be. Where a port is forwarded, nothing is to listen.

    A dynamic declaration has no ports of its own: what it lets be, the view alone knows.
    """
    return (
        listener.port in declaration.port
        and not declaration.forwarded
        and _is_there(declaration, listener, own_addresses)
    )


def _is_there(declaration: Declaration, listener: Listener, own_addresses: Mapping[Address, str]) -> bool:
    """Whether the listener is where it is declared, ports aside."""
    return (
        declaration.protocol == listener.protocol
        and declaration.is_in(listener.namespace)
        and declaration.is_on((listener.interface, own_addresses.get(listener.address)))
        and declaration.address.allows(listener.address, loopback_only=listener.loopback_only)
    )


def would_answer(listener: Listener, scanned: str, own_addresses: Mapping[Address, str]) -> bool | None:
    """Whether traffic to the scanned address reaches the listener; None when that cannot be told.

    An address that the host does not hold is translated on the way (NAT, load balancer), so any
    listener that is not confined to loopback may be the one. IPv6 wildcard sockets take IPv4 as well
    unless IPV6_V6ONLY is set (ipv6(7)); Linux accepts on any device for any of its addresses (weak host
    model), so a device-bound socket stays undecided unless its device holds the address.
    """
    if listener.namespace != "host":
        return False
    try:
        target = address_of(scanned)
    except ValueError:  # a name that did not resolve, or a text that was refused: nothing was scanned
        return None
    device = own_addresses.get(target)
    if device is None and not target.is_loopback:
        return False if listener.loopback_only else None
    if target.is_loopback:
        if listener.interface not in (None, "lo"):
            return False
    elif listener.loopback_only:
        return False
    answers = _takes(listener, target)
    if answers and listener.interface and listener.interface != (device or listener.interface):
        return None
    return answers


def _takes(listener: Listener, target: Address) -> bool | None:
    """Whether the listener's address takes traffic to another address, devices aside."""
    if not listener.address.is_unspecified:
        return listener.address == target
    if listener.address.version == target.version:
        return True
    if listener.address.version == 6:
        return None if listener.v6only is None else not listener.v6only
    return False
