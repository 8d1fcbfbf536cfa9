# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What /proc/net tells: of packet and raw sockets, and of all others when netlink will not.

It tells no IPV6_V6ONLY, no bound device of IP sockets and no cgroup. Sources: proc_pid_net(5), net/ipv4/tcp_ipv4.c
(tcp4_seq_show), net/ipv4/raw.c (raw_seq_show), net/packet/af_packet.c (packet_seq_show). This module is private to the
collection.
"""

from __future__ import annotations

import socket
import sys
from typing import Callable, Iterator

from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import family_and_address
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    TCP_LISTEN,
    UNCONNECTED,
    BoundSocket,
    LocalEnd,
    RawSocket,
)

_LAST_PORT = 65535
_FAMILIES = {8: socket.AF_INET, 32: socket.AF_INET6}


class ProcNetError(Exception):
    """A file below /proc/net does not read as the kernel writes it."""


def parse_sockets(content: bytes, protocol: str) -> list[BoundSocket]:
    """The listening sockets in tcp, tcp6, udp, udp6, udplite or udplite6. Raises ProcNetError."""
    state = UNCONNECTED if protocol in ("udp", "udplite") else TCP_LISTEN
    wanted = b"%02X" % state
    found = []
    for number, fields in _rows(content):
        if fields[3] != wanted:
            continue
        try:
            family, address, port = _endpoint(fields[1])
            _peer_family, _peer, peer_port = _endpoint(fields[2])
            uid, inode = _number(fields[7]), _number(fields[9])
        except ValueError as error:
            raise ProcNetError(f"line {number} cannot be read") from error
        if port and not peer_port and not fields[2].strip(b"0:"):
            found.append(BoundSocket(protocol, family, address, port, None, None, uid, inode, None))
    return found


def parse_local_ends(content: bytes, protocol: str) -> list[LocalEnd]:
    """The local ends of all sockets in tcp, tcp6, udp or udp6. TCP sockets that are only bound are not there.

    Raises ProcNetError.
    """
    listens = b"%02X" % (UNCONNECTED if protocol == "udp" else TCP_LISTEN)
    found = []
    for number, fields in _rows(content):
        try:
            family, address, port = _endpoint(fields[1])
        except ValueError as error:
            raise ProcNetError(f"line {number} cannot be read") from error
        if port:
            found.append(LocalEnd(protocol, family, address, port, None, fields[3] == listens))
    return found


def parse_packet_sockets(content: bytes, interface_name: Callable[[int], str]) -> list[RawSocket]:
    """The packet sockets in /proc/net/packet. Raises ProcNetError."""
    found = []
    for number, fields in _rows(content, 9):
        try:
            carries = int.from_bytes(_bytes(fields[3]), "big")
            index, uid, inode = _number(fields[4]), _number(fields[7]), _number(fields[8])
        except ValueError as error:
            raise ProcNetError(f"line {number} cannot be read") from error
        interface = interface_name(index) if index else None
        found.append(RawSocket("packet", None, carries, interface, None, uid, inode))
    return found


def parse_raw_sockets(content: bytes) -> list[RawSocket]:
    """The raw sockets in raw or raw6; their IP protocol stands where others have the port. Raises ProcNetError."""
    found = []
    for number, fields in _rows(content):
        try:
            family, address, carries = _endpoint(fields[1])
            uid, inode = _number(fields[7]), _number(fields[9])
        except ValueError as error:
            raise ProcNetError(f"line {number} cannot be read") from error
        found.append(RawSocket("raw", family, carries, None, address, uid, inode))
    return found


def _rows(content: bytes, least: int = 10) -> Iterator[tuple[int, list[bytes]]]:
    for number, line in enumerate(content.splitlines()[1:], 2):
        fields = line.split()
        if len(fields) < least:
            raise ProcNetError(f"line {number} has {len(fields)} fields")
        yield number, fields


def _endpoint(text: bytes) -> tuple[str, str, int]:
    """``0100007F:1F90``: the address is written as 32-bit words in the machine's own byte order."""
    digits, colon, port = text.partition(b":")
    if not colon or len(digits) not in _FAMILIES or len(port) != 4:
        raise ValueError("not an address and a port")
    words = (_bytes(digits[at : at + 8]) for at in range(0, len(digits), 8))
    in_order = b"".join(words if sys.byteorder == "big" else (word[::-1] for word in words))
    family, address = family_and_address(_FAMILIES[len(digits)], in_order)
    return family, address, int.from_bytes(_bytes(port), "big")


def _number(digits: bytes) -> int:
    if not digits.isdigit():  # int() would also take signs and underscores
        raise ValueError("not a number")
    return int(digits)


def _bytes(digits: bytes) -> bytes:
    return bytes.fromhex(digits.decode("ascii"))  # int(digits, 16) would also take signs and underscores


def parse_protocols(content: bytes) -> dict[str, int]:
    """Sockets in use in this namespace for each protocol that the kernel has. Raises ProcNetError."""
    found: dict[str, int] = {}
    for number, line in enumerate(content.splitlines()[1:], 2):
        fields = line.split()
        try:
            found[fields[0].decode("ascii")] = int(fields[2])
        except (IndexError, ValueError) as error:
            raise ProcNetError(f"line {number} cannot be read") from error
    return found


def parse_port_range(content: bytes) -> tuple[int, int]:
    """net.ipv4.ip_local_port_range. Raises ProcNetError."""
    try:
        first, last = (_number(field) for field in content.split())
    except ValueError as error:
        raise ProcNetError("not a range of ports") from error
    if not first <= last <= _LAST_PORT:
        raise ProcNetError("not a range of ports")
    return first, last
