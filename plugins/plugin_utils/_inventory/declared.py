# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The declared inventory as typed values. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import datetime as dt
import fnmatch
import functools
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

from .address_rule import AddressRule
from .port_range import DynamicPort, PortRange, Ports


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """What may be open: one port or range of one entry. An entry with a list of ports gives several.

    Each is equal to itself alone: hosts that declare alike share them, and what is made of one is found again quickly.
    """

    place: str
    port: Ports
    protocol: str
    address: AddressRule
    interface: str | None  # None: any
    namespace: str
    service: str | None
    process: tuple[str, ...]  # all that may hold the socket; none: anybody
    user: tuple[str, ...]
    unit: str | None
    reachable_from: frozenset[str] | None  # None: any
    required: bool
    forwarded: bool  # nothing listens: the port leads to another host or namespace
    justification: str
    owner: str
    approved_by: str | None
    change: str | None
    review_by: dt.date | None

    def is_reachable_from(self, vantage: str) -> bool:
        return self.reachable_from is None or vantage in self.reachable_from

    def is_in(self, namespace: str) -> bool:
        """True for a namespace of its name, or of its pattern."""
        return self.namespace == namespace or fnmatch.fnmatchcase(namespace, self.namespace)

    def is_on(self, interfaces: Collection[str | None]) -> bool:
        """True when one of the interfaces is the declared one, or none is declared."""
        return self.interface is None or any(
            name is not None and fnmatch.fnmatchcase(name, self.interface) for name in interfaces
        )

    def is_of_others_than(self, other: Declaration) -> bool:
        """True when no process can be a declared one of both: all of their processes differ, or their units do."""
        mine, theirs = (frozenset(map(_short_name, one.process)) for one in (self, other))
        if mine and theirs and mine.isdisjoint(theirs):
            return True
        return bool(self.unit and other.unit) and _stem(str(self.unit)) != _stem(str(other.unit))

    @property
    def names_owner(self) -> bool:
        """True when the declaration says who must be listening."""
        return bool(self.process or self.user or self.unit)


@dataclasses.dataclass(frozen=True, slots=True)
class RawDeclaration:
    """Who may take packets without a port, by packet sockets, raw sockets or both."""

    place: str
    kinds: frozenset[str]  # packet, raw
    namespace: str
    process: tuple[str, ...]
    user: tuple[str, ...]
    unit: str | None
    justification: str
    owner: str

    def is_in(self, namespace: str) -> bool:
        """True for a namespace of its name, or of its pattern."""
        return self.namespace == namespace or fnmatch.fnmatchcase(namespace, self.namespace)


@dataclasses.dataclass(frozen=True, slots=True)
class PortException:
    """A deviation that was approved for a time: one port or range of one entry."""

    place: str
    port: PortRange
    protocol: str
    address: AddressRule
    namespace: str
    vantage: str | None  # None: every one
    rules: frozenset[str] | None  # None: every one
    reason: str
    owner: str
    approved_by: str | None
    change: str | None
    expires: dt.date

    @property
    def subject(self) -> str:
        """What it is, as messages name it: ``exception for tcp/8080 (CHG-1)``."""
        return f"exception for {self.protocol}/{self.port} ({self.change or self.reason})"

    def is_active(self, today: dt.date) -> bool:
        """An exception holds to the end of its day, UTC."""
        return today <= self.expires


@dataclasses.dataclass(frozen=True)
class Inventory:
    """What one host declares, in the order of its layers.

    ``proposals`` were written by a baseline and approved by nobody: rules judge by ``declarations`` alone.
    """

    declarations: tuple[Declaration, ...]
    exceptions: tuple[PortException, ...]
    proposals: tuple[Declaration, ...] = ()
    raw_sockets: tuple[RawDeclaration, ...] = ()
    proposed_raw_sockets: tuple[RawDeclaration, ...] = ()

    def declarations_for(self, protocol: str, port: int, namespace: str) -> Sequence[Declaration]:
        """The declarations of a port, those of that very port before ranges, whatever address they are for."""
        single = self._single_ports.get((namespace, protocol, port), ())
        ranges = [one for one in self._ranges if one.protocol == protocol and port in one.port and one.is_in(namespace)]
        return [*single, *ranges] if ranges else single

    def proposals_for(self, protocol: str, port: int, namespace: str) -> Sequence[Declaration]:
        """The proposals of a port, whatever address they are for."""
        return [one for one in self.proposals if one.protocol == protocol and port in one.port and one.is_in(namespace)]

    @functools.cached_property
    def _single_ports(self) -> Mapping[tuple[str, str, int], list[Declaration]]:
        by_port: dict[tuple[str, str, int], list[Declaration]] = {}
        for one in self.declarations:
            if isinstance(one.port, PortRange) and one.port.is_single and not _is_pattern(one.namespace):
                by_port.setdefault((one.namespace, one.protocol, one.port.first), []).append(one)
        return by_port

    @functools.cached_property
    def _ranges(self) -> Sequence[Declaration]:
        """Those that no key of ``_single_ports`` names: ranges, and patterns of namespaces."""
        return [
            one
            for one in self.declarations
            if isinstance(one.port, PortRange) and not (one.port.is_single and not _is_pattern(one.namespace))
        ]

    @functools.cached_property
    def rivals(self) -> Mapping[int, Sequence[Declaration]]:
        """Those that share a port with a declaration and are of other processes, by the id of that declaration.

        Which of them speaks of a listener is told by who listens. Dynamic ones are no rivals: they go by that always.
        """
        found: dict[int, list[Declaration]] = {}
        for one, other in overlapping([one for one in self.declarations if isinstance(one.port, PortRange)]):
            if one.is_of_others_than(other):
                found.setdefault(id(one), []).append(other)
                found.setdefault(id(other), []).append(one)
        return found

    @functools.cached_property
    def dynamic(self) -> Sequence[Declaration]:
        """Those that are for whatever port their process takes."""
        return [one for one in self.declarations if isinstance(one.port, DynamicPort)]


def overlapping(declarations: Sequence[Declaration]) -> Iterator[tuple[Declaration, Declaration]]:
    """Pairs that may be for one port of one protocol. Any two dynamic ones may."""
    fixed = [(one.port, one) for one in declarations if isinstance(one.port, PortRange)]
    fixed.sort(key=lambda pair: (pair[1].protocol, pair[0]))
    for index, (port, earlier) in enumerate(fixed):
        for other, later in fixed[index + 1 :]:
            if later.protocol != earlier.protocol or other.first > port.last:
                break
            yield earlier, later
    dynamic = [one for one in declarations if isinstance(one.port, DynamicPort)]
    yield from (
        (earlier, later) for earlier, later in itertools.combinations(dynamic, 2) if later.protocol == earlier.protocol
    )


#: The kernel cuts the name of a process (TASK_COMM_LEN, proc_pid_comm(5)).
_NAME_LENGTH = 15


def _short_name(process: str) -> str:
    """``/usr/sbin/nginx`` and ``nginx`` may be one process."""
    return process.rsplit("/", 1)[-1][:_NAME_LENGTH]


def _stem(unit: str) -> str:
    """A socket unit, the service that it starts and an instance of it belong together."""
    return unit.partition("@")[0] if "@" in unit else unit.rpartition(".")[0] or unit


def _is_pattern(namespace: str) -> bool:
    return any(character in namespace for character in "*?[")
