# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the parts of this room hand to each other. This module is private to the collection.

These are named tuples, here and in the rest of the room: the module is started anew for each look at each host, and
frozen dataclasses cost it as much to define as the whole listing takes.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple

OWN = "host"  # the name of the network namespace that the module runs in
TCP_LISTEN = 10  # include/net/tcp_states.h
UNCONNECTED = 7  # TCP_CLOSE: how a bound, unconnected UDP socket is shown


class Problem(NamedTuple):
    """Something that could not be looked at as it should be. ``code`` is stable, ``message`` is for people."""

    code: str
    message: str


class BoundSocket(NamedTuple):
    """One socket that takes traffic, as the kernel tells it.

    ``v6only`` is None for IPv4 and where the source does not say. ``inode`` is 0 where the kernel names
    none. ``cgroup_id`` is the inode number of the cgroup v2 directory it was made in.
    """

    protocol: str
    family: str
    address: str
    port: int
    interface: str | None
    v6only: bool | None
    uid: int | None
    inode: int
    cgroup_id: int | None


class RawSocket(NamedTuple):
    """One packet or raw socket, which takes packets and has no port.

    ``number`` is what it takes: of a packet socket an Ethernet protocol (include/uapi/linux/if_ether.h; 3 is all of
    them, 0 none), of a raw one an IP protocol (RFC 5237; 255 is none, raw(7)). ``family`` and ``address`` are None of
    packet sockets, ``interface`` of raw ones, as /proc/net does not tell it.
    """

    kind: str  # packet or raw
    family: str | None
    number: int
    interface: str | None  # None: any
    address: str | None
    uid: int | None
    inode: int

    @property
    def receives(self) -> bool:
        """False for one that can only send."""
        return self.number != (0 if self.kind == "packet" else 255)


class LocalEnd(NamedTuple):
    """The local address and port of a socket in whatever state. ``v6only`` is None where it is not told."""

    protocol: str
    family: str
    address: str
    port: int
    v6only: bool | None
    listens: bool


class Unlisted(NamedTuple):
    """A kind of sockets that is not listed. ``in_use`` is None where nobody counts them."""

    reason: str
    in_use: int | None


class SocketsSeen(NamedTuple):
    """The sockets of one network namespace, and how well it could be looked at."""

    sockets: tuple[BoundSocket, ...]
    sources: Mapping[str, str]
    not_looked_at: Mapping[str, Unlisted]
    problems: tuple[Problem, ...]
    local_ports: tuple[int, int] | None  # net.ipv4.ip_local_port_range, None where unreadable
    raw: tuple[RawSocket, ...] = ()


class Namespace(NamedTuple):
    """A network namespace; ``paths`` are the files by which it can be entered, none for our own."""

    name: str
    inode: int
    paths: tuple[str, ...]


class Place(NamedTuple):
    """Where a cgroup path belongs: a systemd unit, a container, both or neither."""

    unit: str | None
    container: str | None


NOWHERE = Place(None, None)


class ExecutableFile(NamedTuple):
    """By what another file at the same path is known: size in bytes, seconds since the epoch, inode number."""

    size: int
    modified: int
    inode: int


class Process(NamedTuple):
    """A process that holds a listening socket. Names are the raw bytes that the process chose."""

    pid: int
    name: bytes
    executable: bytes | None
    executable_deleted: bool
    executable_on_host: bool  # the file is the one that this path names here, and not in a container
    arguments: tuple[bytes, ...] | None
    uid: int | None
    place: Place
    executable_file: ExecutableFile | None = None
    executable_seen_as: str = "host"  # or "other", "unknown": in whose mount namespace the path is the file


class Walk(NamedTuple):
    """Who holds which socket. ``denied`` counts the processes whose open files could not be read."""

    holders: Mapping[int, tuple[int, ...]]  # inode -> pids
    processes: Mapping[int, Process]
    denied: int
    child_of: Mapping[int, int] = {}  # pid -> the nearest process above it, in its service, that holds a socket too


class Claim(NamedTuple):
    """A listener that wants an owner: its sockets, and what is known of who made them."""

    inodes: frozenset[int]
    uids: frozenset[int]
    cgroups: frozenset[str]  # their directories


class Package(NamedTuple):
    name: str
    version: str | None
    manager: str


class Activated(NamedTuple):
    """What a unit is to run, by its settings: nothing of it has to run yet. None where they do not tell for sure.

    ``path`` is that of the command, ``user`` a name or a number.
    """

    path: str | None
    user: str | None


class SocketUnit(NamedTuple):
    """A systemd socket unit; ``listens`` are (tcp or udp, address, port).

    ``triggers`` is the service that it starts, or the template of which it starts one for each connection.
    """

    name: str
    triggers: str | None
    listens: frozenset[tuple[str, str, int]]
    activated: Activated | None = None
