# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What listens on a host, as listeners_info returns it. This module is private to the collection.

The module runs with Python 3.8 and the standard library, so it returns plain dicts: a test compares what it documents
and returns with these records, field by field. Fields that are absent in evidence of 0.2 may be absent here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from ..codec import UNSET, Meta, Record, UnsetType
from ..observed import address_of
from .values import AskedPorts, Count, Machine, Port, Ports, Problem, Time, check_ports


class Package(Record, frozen=True, kw_only=True):
    """An installed package."""

    name: str
    """Its name."""
    version: str | None
    """Its version, as the package manager writes it."""
    manager: str
    """dpkg, rpm or apk."""


class ExecutableFile(Record, frozen=True, kw_only=True):
    """The file that runs, by what it is known (stat(2))."""

    size: int
    """Bytes."""
    modified: int
    """When it was written last, in seconds since the epoch."""
    inode: int
    """Its inode number."""


class Owner(Record, frozen=True, kw_only=True):
    """A process that holds a socket."""

    pid: int
    """The process id, as seen from where the module ran."""
    name: str
    """The name that the process gave itself (/proc/PID/comm)."""
    executable: str | None
    """The path of its executable; null when it may not be read."""
    executable_deleted: bool
    """Whether that file was deleted or replaced since."""
    command: str | None
    """The command line, without what looks like a secret."""
    uid: int | None
    """The effective user id."""
    user: str | None
    """The name of that user on the host."""
    unit: str | None
    """The systemd unit, by the process's cgroup."""
    container: str | None
    """The container, as runtime and id."""
    package: Package | None
    """The package of the executable; null when none owns it, or nobody asked."""
    executable_file: ExecutableFile | UnsetType | None = UNSET
    """The file that runs; null when it may not be looked at. Absent before 0.3."""
    executable_seen_as: Literal["host", "other", "unknown"] | UnsetType = UNSET
    """In whose mount namespace the path of the executable is the file that runs. Absent before 0.3."""
    child_of: int | UnsetType | None = UNSET
    """The nearest process above it, in its service, that holds a listed socket too. Absent before 0.3."""


class Activated(Record, frozen=True, kw_only=True):
    """What the unit that a socket unit starts is to run, by its settings."""

    name: str | None
    """The name that the process will have first: that of the command's file."""
    executable: str | None
    """The path of the command, links followed."""
    uid: int | None
    """The user id that it is to run as."""
    user: str | None
    """The name of that user."""


class Listener(Record, frozen=True, kw_only=True):
    """What takes traffic: one for each network namespace, protocol, family, address, port and bound device."""

    protocol: str
    """tcp, udp, udplite, sctp or dccp."""
    family: Literal["ipv4", "ipv6"]
    """An IPv4-mapped IPv6 address counts as ipv4."""
    address: str
    """The address that the socket is bound to."""
    port: Port
    """The port."""
    interface: str | None
    """Device it is bound to."""
    v6only: bool | None
    """IPV6_V6ONLY; null where it does not apply (IPv4) or is not known."""
    namespace: str
    """The network namespace: host, netns/NAME, container/ID or net:[INODE]."""
    uid: int | None
    """The user id of the socket; null when sockets of several users share the endpoint."""
    user: str | None
    """The name of that user on the host."""
    unit: str | None
    """The systemd unit; for a socket that systemd holds, the socket unit."""
    activates: str | None
    """The unit that a socket unit starts."""
    container: str | None
    """The container, as runtime and id."""
    owners: tuple[Owner, ...]
    """The processes that hold the socket open."""
    owners_state: Literal["known", "partial", "unknown", "kernel"]
    """Whether each socket of the endpoint has a known owner. kernel is reserved, and nothing writes it."""
    sockets: int
    """How many sockets share the endpoint (SO_REUSEPORT)."""
    ephemeral: bool
    """A UDP wildcard socket in ip_local_port_range: probably a client's."""
    activated: Activated | UnsetType | None = UNSET
    """What the unit that a socket unit starts is to run, by its settings. Absent before 0.3."""

    def __post_init__(self) -> None:
        address_of(self.address)


class RawSocket(Record, frozen=True, kw_only=True):
    """Packet and raw sockets, which take packets and have no port: one for each group of them that is alike."""

    kind: Literal["packet", "raw"]
    """packet(7) or raw(7)."""
    family: Literal["ipv4", "ipv6"] | None
    """Of a raw socket; null of a packet socket."""
    number: Annotated[int, Meta(ge=0, le=65535)]
    """An Ethernet protocol of a packet socket, an IP protocol of a raw one."""
    receives: bool
    """Whether it takes anything."""
    interface: str | None
    """Device of a packet socket; null for all of them."""
    address: str | None
    """The address that a raw socket is bound to; null of a packet socket."""
    namespace: str
    """The network namespace, as of a listener."""
    uid: int | None
    """The user id of the socket."""
    user: str | None
    """The name of that user on the host."""
    unit: str | None
    """The systemd unit that all owners share."""
    container: str | None
    """The container that all owners share."""
    owners: tuple[Owner, ...]
    """The processes that hold it open."""
    owners_state: Literal["known", "partial", "unknown"]
    """As of a listener."""
    sockets: Annotated[int, Meta(ge=1)]
    """How many sockets it stands for."""

    def __post_init__(self) -> None:
        if self.address is not None:
            address_of(self.address)


#: Ports as a rule of address translation names them: one at least.
_NamedPorts = Annotated[str, Meta(pattern="^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*$")]


class Translated(Record, frozen=True, kw_only=True):
    """Ports that lead elsewhere by address translation; nothing listens on them."""

    protocol: str | None
    """tcp, udp, sctp or ip-NUMBER; null for any."""
    ports: _NamedPorts | None
    """The ports; null where a rule does not name them."""
    address: str | None
    """The address that packets must be sent to; null for any."""
    by: Literal["nftables", "ip_vs"]
    """Whose rule it is."""

    def __post_init__(self) -> None:
        if self.ports is not None:
            check_ports(self.ports, 0)
        if self.address is not None:
            address_of(self.address)


class OwnAddress(Record, frozen=True, kw_only=True):
    """An address of the host."""

    interface: str
    """The network device."""
    address: str
    """The address."""
    prefix: int
    """The length of the network prefix, in bits."""
    family: str
    """ipv4 or ipv6."""
    inner: bool | UnsetType = UNSET
    """The address of a bridge by which no packet leaves the host. Absent before 0.3."""

    def __post_init__(self) -> None:
        address_of(self.address)


class Unlisted(Record, frozen=True, kw_only=True):
    """A kind of sockets that the host may have and that is not listed."""

    what: str
    """The kind of socket."""
    reason: str
    """Why."""
    in_use: Count | UnsetType | None = UNSET
    """How many the kernel counts; null where it does not. Absent before 0.3."""


class OwnersCoverage(Record, frozen=True, kw_only=True):
    """How well the owners are known."""

    asked: Literal["unit", "first", "all"]
    """The option owners of the module."""
    complete: bool
    """Whether each process was looked at."""
    unknown: int
    """How many listeners lack an owner of the kind that was asked for."""


class MissedNamespace(Record, frozen=True, kw_only=True):
    """A network namespace that was asked for and could not be looked at."""

    namespace: str
    """Its name; unknown where not even that is known."""
    reason: str
    """Why."""


class NamespacesCoverage(Record, frozen=True, kw_only=True):
    """Which network namespaces were looked at."""

    asked: Literal["host", "all"]
    """The option namespaces of the module."""
    seen: tuple[str, ...]
    """Those that were looked at."""
    missed: tuple[MissedNamespace, ...]
    """Those that were asked for and could not be looked at."""
    left_out: tuple[str, ...] | UnsetType = UNSET
    """The others that have an address by which another machine can reach them. Absent before 0.3."""


class PackagesCoverage(Record, frozen=True, kw_only=True):
    """Whether the packages are known."""

    asked: bool
    """The option packages of the module."""
    manager: str | None
    """The package manager of the host; null when not asked for or not known."""
    complete: bool
    """Whether all executables on the host were looked up."""


class ListingCoverage(Record, frozen=True, kw_only=True):
    """What was looked at, what was not, and why."""

    started: Time
    """When the listing began."""
    finished: Time
    """When it ended."""
    privileged: bool
    """Whether the module was allowed to see the open files of every process."""
    sources: dict[str, Literal["netlink", "proc", "absent", "failed"]]
    """How each kind of socket was listed."""
    not_looked_at: tuple[Unlisted, ...]
    """Kinds of sockets that are not listed."""
    owners: OwnersCoverage
    """How well the owners are known."""
    namespaces: NamespacesCoverage
    """Which network namespaces were looked at."""
    packages: PackagesCoverage
    """Whether the packages are known."""
    problems: tuple[Problem, ...]
    """What did not go as it should."""


class BoundPorts(Record, frozen=True, kw_only=True):
    """Ports of which bind() told the same."""

    namespace: str
    """The network namespace."""
    protocol: Literal["tcp", "udp"]
    """The protocol."""
    ports: Ports
    """The ports."""
    state: Literal["free", "held_by_listed", "held_by_unlisted", "unknown"]
    """Who holds them."""
    reason: str | None
    """What makes it so; null for free."""

    def __post_init__(self) -> None:
        check_ports(self.ports)


class Bind(Record, frozen=True, kw_only=True):
    """What bind() told, as listeners_info documents it."""

    asked: AskedPorts
    """The ports that were tried."""
    bound_are_listed: bool
    """Whether the kernel lists TCP sockets that are bound and do not listen."""
    ports: tuple[BoundPorts, ...]
    """What came of it: each port that was asked for is in exactly one."""


class About(Record, frozen=True, kw_only=True):
    """What was looked at."""

    hostname: str
    """The name that the host gives itself."""
    kernel: str
    """The release of its kernel."""
    python: str
    """The version of Python that ran the module."""


class Listening(Record, frozen=True, kw_only=True):
    """The result of listeners_info."""

    listeners: tuple[Listener, ...]
    """What takes traffic."""
    addresses: tuple[OwnAddress, ...]
    """The host's own addresses."""
    host: About
    """What was looked at."""
    coverage: ListingCoverage
    """What was looked at, what was not, and why."""
    machine: Machine | UnsetType = UNSET
    """Which machine answered. Absent before 0.3."""
    raw_sockets: tuple[RawSocket, ...] | UnsetType = UNSET
    """Packet and raw sockets. Absent before 0.3."""
    translated: tuple[Translated, ...] | UnsetType = UNSET
    """Ports that lead elsewhere by address translation. Absent before 0.3."""
    bind: Bind | UnsetType = UNSET
    """What bind() told; absent where it was not asked."""

    def __post_init__(self) -> None:
        listed = (source.partition("_")[0] for source in self.coverage.sources)
        if self.raw_sockets is UNSET and not {"packet", "raw"}.isdisjoint(listed):
            raise ValueError("raw_sockets is missing, and coverage.sources says how they were listed")
