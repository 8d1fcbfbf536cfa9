# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observations as typed values, read from evidence. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    IDENTIFIED,
    NOT_ASKED,
    NOT_IDENTIFIED,
    UNIDENTIFIED_NAMES,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

if TYPE_CHECKING:
    from .codec import UnsetType
    from .records import listening as recorded
    from .records import reachable as reached

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PortSpans = tuple[tuple[int, int], ...]


@functools.lru_cache(maxsize=65536)
def address_of(text: str) -> Address:
    """An address from its text; a scope (``fe80::1%eth0``) stays. Raises ValueError for anything else."""
    return ipaddress.ip_address(text)


@functools.lru_cache(maxsize=65536)
def plain_address(text: str) -> str | None:
    """An address as a scanner names it (RFC 5952, IPv4 where it is mapped into IPv6); None for a name."""
    try:
        address = address_of(text)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


@functools.lru_cache(maxsize=4096)
def spans_of(text: str) -> PortSpans:
    """``"22,80-90"`` as ``((22, 22), (80, 90))``."""
    spans = []
    for part in filter(None, text.split(",")):
        first, _dash, last = part.partition("-")
        spans.append((int(first), int(last or first)))
    return tuple(spans)


def spans_hold(spans: PortSpans, port: int) -> bool:
    return any(first <= port <= last for first, last in spans)


def spans_count(spans: PortSpans) -> int:
    return sum(last - first + 1 for first, last in spans)


def _file_text(file: recorded.ExecutableFile) -> str:
    """What a file is known by, in words."""
    return f"{file.size} bytes, written at {file.modified}, inode {file.inode}"


class Owner(NamedTuple):
    """A process that holds a listener's socket."""

    pid: int
    name: str
    executable: str | None
    executable_deleted: bool
    user: str | None
    uid: int | None
    unit: str | None
    container: str | None
    package: recorded.Package | None
    executable_seen_as: str = "host"  # host, other or unknown; evidence of 0.2 did not tell
    executable_file: str | None = None  # what it is known by: bytes, time, inode; nor did it tell this
    child_of: int | None = None  # the process above it, in its service, that holds a socket too; nor did it tell this

    @classmethod
    def of(cls, row: recorded.Owner) -> Owner:
        return cls(
            pid=row.pid,
            name=row.name,
            executable=row.executable,
            executable_deleted=row.executable_deleted,
            user=row.user,
            uid=row.uid,
            unit=row.unit,
            container=row.container,
            package=row.package,
            executable_seen_as=row.executable_seen_as or "host",
            executable_file=_file_text(row.executable_file) if row.executable_file else None,
            child_of=row.child_of or None,
        )


class Activated(NamedTuple):
    """What the unit that a socket unit starts is to run; None where its settings do not tell."""

    name: str | None
    executable: str | None
    uid: int | None
    user: str | None

    @classmethod
    def of(cls, row: recorded.Activated | UnsetType | None) -> Activated | None:
        return cls(row.name, row.executable, row.uid, row.user) if row else None


#: The ports that Linux gives to clients unless it is told otherwise (ip_local_port_range, ip-sysctl.rst).
FIRST_EPHEMERAL, LAST_EPHEMERAL = 32768, 60999


class Listener(NamedTuple):
    """A socket that takes traffic, as the host's kernel tells it. Fields as listeners_info documents them.

    ``seen`` is of hosts that were listed twice: ``always``, ``restarted`` (by other processes the second
    time), ``before`` (gone the second time) or ``since`` (not there the first time).
    """

    protocol: str
    address: Address
    port: int
    interface: str | None
    v6only: bool | None
    namespace: str
    user: str | None
    uid: int | None
    unit: str | None
    activates: str | None
    owners: tuple[Owner, ...]
    owners_state: str
    ephemeral: bool
    activated: Activated | None = None  # evidence of 0.2 did not tell
    seen: str = "always"
    stays_since: str | None = None  # of a port that looked ephemeral: when an earlier run saw the same process on it

    @classmethod
    def of(cls, row: recorded.Listener) -> Listener:
        return cls(
            protocol=row.protocol,
            address=address_of(row.address),
            port=row.port,
            interface=row.interface,
            v6only=row.v6only,
            namespace=row.namespace,
            user=row.user,
            uid=row.uid,
            unit=row.unit,
            activates=row.activates,
            owners=tuple(map(Owner.of, row.owners)),
            owners_state=row.owners_state,
            ephemeral=row.ephemeral and _may_be_a_client(row),
            activated=Activated.of(row.activated),
        )

    @property
    def loopback_only(self) -> bool:
        """True when nothing outside the host can reach it: a loopback address, or bound to ``lo``."""
        return self.address.is_loopback or self.interface == "lo"

    @property
    def where(self) -> str:
        """The address as findings name it, with the device it is bound to."""
        return f"{self.address}%{self.interface}" if self.interface else str(self.address)


def _may_be_a_client(row: recorded.Listener) -> bool:
    """A host that lets clients have every port does not make a service ephemeral, and a client is a process that
    asks over UDP from whatever address: what the host says is not all that it takes."""
    is_of_somebody = bool(row.owners) or row.unit is not None
    is_udp = row.protocol in ("udp", "udplite") and address_of(row.address).is_unspecified
    return is_of_somebody and is_udp and FIRST_EPHEMERAL <= row.port <= LAST_EPHEMERAL


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """A port that was seen open, or open|filtered, from a vantage point."""

    protocol: str
    port: int
    state: str
    reason: str
    service: reached.Service | None
    #: Whether it was asked what answers there, and what came of it: not-asked, identified, not-identified, timed-out.
    identification: str

    @classmethod
    def of(cls, row: reached.Endpoint) -> Endpoint:
        came_of_it = row.identification or _before_0_3(row.service)
        return cls(row.protocol, row.port, row.state, row.reason, row.service, came_of_it)


def _before_0_3(service: reached.Service | None) -> str:
    """What evidence without the field says: a service that was probed was asked for, any other may have been."""
    if service is None or service.method != "probed":
        return NOT_ASKED
    return IDENTIFIED if service.name and service.name not in UNIDENTIFIED_NAMES else NOT_IDENTIFIED


@dataclasses.dataclass(frozen=True, slots=True)
class StateRow:
    """Ports of one protocol that answered alike."""

    protocol: str
    state: str
    reason: str
    ports: PortSpans


@dataclasses.dataclass(frozen=True, slots=True)
class ScannedTarget:
    """One address of one host as one scanner saw it."""

    vantage: str
    scanner: str
    host: str
    address: str
    status: str
    reason: str | None
    states: tuple[StateRow, ...]
    unknown: Mapping[str, PortSpans]
    endpoints: tuple[Endpoint, ...]
    #: What TCP ports that nobody uses answered; empty where none was asked, and in evidence of 0.2.
    canaries: Mapping[str, PortSpans] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, vantage: str, scanner: str, row: reached.Target) -> ScannedTarget:
        return cls(
            vantage=vantage,
            scanner=scanner,
            host=row.host,
            address=row.address,
            status=row.status,
            reason=row.reason,
            states=tuple(StateRow(one.protocol, one.state, one.reason, spans_of(one.ports)) for one in row.states),
            unknown={one.protocol: spans_of(one.ports) for one in row.unknown},
            endpoints=tuple(map(Endpoint.of, row.endpoints)),
            canaries={one.state: spans_of(one.ports) for one in row.canaries or ()},
        )

    def state_of(self, protocol: str, port: int) -> str | None:
        """open, closed, filtered or open|filtered; None when it was not asked or nothing is known."""
        for row in self.states:
            if row.protocol == protocol and spans_hold(row.ports, port):
                return row.state
        return None

    def with_open(self, other: ScannedTarget) -> ScannedTarget:
        """This look with what another look at the same address found open and this one did not."""
        mine = {(one.protocol, one.port) for one in self.endpoints if one.state == "open"}
        more = [one for one in other.endpoints if one.state == "open" and (one.protocol, one.port) not in mine]
        if not more:
            return self
        theirs = {(one.protocol, one.port) for one in more}
        kept = [one for one in self.endpoints if (one.protocol, one.port) not in theirs]
        # state_of() takes the first row that holds a port.
        rows = [StateRow(one.protocol, "open", one.reason, ((one.port, one.port),)) for one in more]
        endpoints = sorted((*kept, *more), key=lambda one: (one.protocol, one.port))
        return dataclasses.replace(self, states=(*rows, *self.states), endpoints=tuple(endpoints))

    def ports_in(self, protocol: str, state: str) -> PortSet:
        """The ports of a protocol that are in a state."""
        mine = [row.ports for row in self.states if (row.protocol, row.state) == (protocol, state)]
        return PortSet.of_ranges(span for spans in mine for span in spans)
