# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sockets of the network namespace that the calling thread is in, by the best way that works.

This module is private to the collection.
"""

from __future__ import annotations

import errno
import socket
from typing import Mapping, NamedTuple, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._listeners.inet_diag import listening
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    BoundSocket,
    Problem,
    RawSocket,
    SocketsSeen,
    Unlisted,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import NetlinkError, Opener
from ansible_collections.vigil.ports.plugins.module_utils._listeners.proc_net import (
    ProcNetError,
    parse_packet_sockets,
    parse_port_range,
    parse_protocols,
    parse_raw_sockets,
    parse_sockets,
)


class _Table(NamedTuple):
    """One kernel table of sockets. ``registered`` is its name in /proc/net/protocols."""

    protocol: str
    number: int
    family: int
    proc_file: str | None
    registered: str

    @property
    def name(self) -> str:
        return f"{self.protocol}_{'ipv4' if self.family == socket.AF_INET else 'ipv6'}"


_V4, _V6 = socket.AF_INET, socket.AF_INET6
_MAIN = (
    _Table("tcp", 6, _V4, "tcp", "TCP"),
    _Table("tcp", 6, _V6, "tcp6", "TCPv6"),
    _Table("udp", 17, _V4, "udp", "UDP"),
    _Table("udp", 17, _V6, "udp6", "UDPv6"),
)
# Rare, and not in each kernel. MPTCP is not here: the TCP table shows its listeners, with the inode of the
# socket that the program holds (net/mptcp/subflow.c, mptcp_subflow_create_socket).
_RARE = (
    _Table("udplite", 136, _V4, "udplite", "UDP-Lite"),
    _Table("udplite", 136, _V6, "udplite6", "UDPLITEv6"),
    _Table("sctp", 132, _V4, None, "SCTP"),
    _Table("sctp", 132, _V6, None, "SCTPv6"),
    _Table("dccp", 33, _V4, None, "DCCP"),
    _Table("dccp", 33, _V6, None, "DCCPv6"),
)
# Those that take packets without a port: source, kind, file below /proc/net, and the name that the kernel counts by.
_RAW = (
    ("packet", "packet", "packet", "PACKET"),
    ("raw_ipv4", "raw", "raw", "RAW"),
    ("raw_ipv6", "raw", "raw6", "RAWv6"),
)
_RAW_ATTEMPTS = 3
_NEVER_LISTED = (("vsock", "vsock is reached from the hypervisor, not over the network"),)
# What /proc/net/protocols counts that no other host reaches over a network, or that a table or an entry above tells of.
# Ping sockets take answers to their own questions only (net/ipv4/ping.c).
_TOLD_ELSEWHERE = frozenset(
    (
        *(table.registered for table in (*_MAIN, *_RARE)),
        *(registered for *_rest, registered in _RAW),
        *("MPTCP", "MPTCPv6", "PING", "PINGv6"),
        *("UNIX", "UNIX-STREAM", "NETLINK", "ALG", "KEY", "AF_VSOCK", "VSOCK"),
        *("HCI", "L2CAP", "RFCOMM", "SCO", "ISO", "BNEP", "CMTP", "HIDP"),  # Bluetooth
    )
)


def observe_sockets(proc: str, opener: Opener) -> SocketsSeen:
    """What listens in this thread's network namespace. ``proc`` is where procfs is mounted."""
    look = _Look(f"{proc}/thread-self/net", opener)
    for table in _MAIN:
        look.at_main(table)
    in_use = look.protocols_in_use()
    for table in _RARE:
        look.at_rare(table, in_use)
    for source, kind, name, registered in _RAW:
        look.at_raw(source, kind, name, registered)
    for what, reason in _NEVER_LISTED:
        look.leave_out(what, reason, (), in_use)
    for name in sorted(set(in_use or ()) - _TOLD_ELSEWHERE):
        if (in_use or {})[name] > 0:
            look.leave_out(name.lower(), f"{name} sockets are not known to this module", (name,), in_use)
    return SocketsSeen(
        sockets=tuple(look.sockets),
        sources=look.sources,
        not_looked_at=look.not_looked_at,
        problems=tuple(look.problems),
        local_ports=look.local_ports(f"{proc}/sys/net/ipv4/ip_local_port_range"),
        raw=tuple(look.raw),
    )


def interface_name(index: int) -> str:
    """The name of a device in this thread's network namespace; ``if<index>`` where it has none (any more)."""
    try:
        return socket.if_indextoname(index)
    except (OSError, OverflowError):
        return f"if{index}"


class _Look:
    """Gathers what each table gave, and what went wrong with it."""

    def __init__(self, net: str, opener: Opener) -> None:
        self._net = net
        self._opener = opener
        self.sockets: list[BoundSocket] = []
        self.raw: list[RawSocket] = []
        self.sources: dict[str, str] = {}
        self.not_looked_at: dict[str, Unlisted] = {}
        self.problems: list[Problem] = []

    def at_main(self, table: _Table) -> None:
        try:
            self._by_netlink(table)
        except NetlinkError as refusal:
            self.sources[table.name] = self._instead_of_netlink(table, refusal)
        else:
            self.sources[table.name] = "netlink"
        if self._is_ipv6_off(table) and not any(_is_of(table, seen) for seen in self.sockets):
            self.sources[table.name] = "absent"

    def _instead_of_netlink(self, table: _Table, refusal: NetlinkError) -> str:
        if self._is_ipv6_off(table):
            return "absent"
        try:
            self._by_proc(table)
        except (OSError, ProcNetError) as error:
            self._problem("sockets-not-listed", f"{table.name}: netlink: {refusal}; /proc/net: {error}")
            return "failed"
        self._problem(
            "netlink-refused",
            f"{table.name}: {refusal}; read from /proc/net, which tells no bound device, cgroup or IPV6_V6ONLY",
        )
        return "proc"

    def at_rare(self, table: _Table, in_use: dict[str, int] | None) -> None:
        """Says nothing where the kernel has no such socket: it counts none, or lacks the protocol."""
        try:
            self._by_netlink(table)
        except NetlinkError as refusal:
            if in_use is None or in_use.get(table.registered):
                self._rare_by_proc(table, refusal, in_use)

    def _rare_by_proc(self, table: _Table, refusal: NetlinkError, in_use: dict[str, int] | None) -> None:
        try:
            self._by_proc(table)
        except (OSError, ProcNetError):
            before = self.not_looked_at.get(table.protocol)
            here = None if in_use is None else in_use[table.registered]
            counted = "their number is not known" if here is None else f"{here} in use"
            self.not_looked_at[table.protocol] = Unlisted(
                f"{before.reason}; {table.name}: {refusal}; {counted}"
                if before
                else f"{table.name}: {refusal}; {counted}",
                None if here is None else here + ((before and before.in_use) or 0),
            )

    def at_raw(self, source: str, kind: str, name: str, registered: str) -> None:
        """Lists packet or raw sockets, and holds them against the number that the kernel counts of them."""
        found: list[RawSocket] = []
        counted = None
        for _attempt in range(_RAW_ATTEMPTS):  # sockets come and go between the reading of two files
            try:
                content = self._read(name)
                found = (
                    parse_packet_sockets(content, interface_name) if kind == "packet" else parse_raw_sockets(content)
                )
                self.sources[source] = "proc"
            except (OSError, ProcNetError) as error:
                self.sources[source] = self._instead_of_raw(source, registered, error)
                return
            in_use = self._in_use()
            counted = None if in_use is None else max(in_use.get(registered, 0), 0)  # -1: it does not count them
            if counted is None or counted <= len(found):
                break
        self.raw.extend(found)
        if counted is not None and counted > len(found):
            before = self.not_looked_at.get(kind, Unlisted("", 0))
            reason = f"/proc/net/{name} shows {len(found)} of {counted} in use"
            self.not_looked_at[kind] = Unlisted(
                f"{before.reason}; {reason}" if before.reason else reason, counted - len(found) + (before.in_use or 0)
            )

    def _instead_of_raw(self, source: str, registered: str, error: Exception) -> str:
        """Absent where the kernel says that it has no such sockets: its module is not loaded, or IPv6 is off."""
        in_use = self._in_use()
        if isinstance(error, FileNotFoundError) and in_use is not None and registered not in in_use:
            return "absent"
        self._problem("sockets-not-listed", f"{source}: /proc/net: {error}")
        return "failed"

    def _in_use(self) -> dict[str, int] | None:
        try:
            return parse_protocols(self._read("protocols"))
        except (OSError, ProcNetError):  # protocols_in_use() has said so
            return None

    def leave_out(self, what: str, reason: str, registered: Sequence[str], in_use: Mapping[str, int] | None) -> None:
        """A kind of sockets that is never listed, by the names under which the kernel counts it."""
        if not registered or in_use is None:
            self.not_looked_at[what] = Unlisted(reason, None)
            return
        counted = sum(max(in_use.get(name, 0), 0) for name in registered)  # -1: the kernel does not count them
        self.not_looked_at[what] = Unlisted(f"{reason}; {counted} in use", counted)

    def _by_netlink(self, table: _Table) -> None:
        found, interrupted = listening(self._opener, table.protocol, table.number, table.family, interface_name)
        self.sockets.extend(found)
        if interrupted:
            self._problem("dump-interrupted", f"{table.name}: the sockets changed during each attempt to list them")

    def _by_proc(self, table: _Table) -> None:
        if table.proc_file is None:
            raise ProcNetError("has no file there")
        self.sockets.extend(parse_sockets(self._read(table.proc_file), table.protocol))

    def protocols_in_use(self) -> dict[str, int] | None:
        try:
            return parse_protocols(self._read("protocols"))
        except (OSError, ProcNetError) as error:
            self._problem("protocols-unreadable", f"/proc/net/protocols: {error}")
            return None

    def local_ports(self, path: str) -> tuple[int, int] | None:
        try:
            return parse_port_range(_content(path))
        except (OSError, ProcNetError) as error:
            self._problem("port-range-unreadable", f"{path}: {error}; no UDP port is marked ephemeral")
            return None

    def _is_ipv6_off(self, table: _Table) -> bool:
        """IPv6 is off when the kernel shows its IPv4 table and has no IPv6 one (ipv6.disable=1)."""
        if table.family != socket.AF_INET6 or table.proc_file is None:
            return False
        return self._exists(table.proc_file[:-1]) and not self._exists(table.proc_file)

    def _exists(self, name: str) -> bool:
        try:
            with open(f"{self._net}/{name}", "rb"):
                return True
        except OSError as error:
            return error.errno != errno.ENOENT

    def _read(self, name: str) -> bytes:
        return _content(f"{self._net}/{name}")

    def _problem(self, code: str, message: str) -> None:
        self.problems.append(Problem(code, message))


def _is_of(table: _Table, seen: BoundSocket) -> bool:
    return seen.protocol == table.protocol and seen.family == "ipv6"


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
