# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listening sockets of one protocol and family, by NETLINK_SOCK_DIAG.

Only the listening states are asked for, so a host with many connections answers as fast as an idle one.
Sources: sock_diag(7), include/uapi/linux/inet_diag.h, net/ipv4/inet_diag.c. This module is private to the collection.
"""

from __future__ import annotations

import socket
import struct
from typing import Callable

from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import family_and_address
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    TCP_LISTEN,
    UNCONNECTED,
    BoundSocket,
    LocalEnd,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import (
    SOCK_DIAG,
    NetlinkError,
    Opener,
    attributes,
    dump,
)

_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = struct.Struct("=BBBBI48x")  # inet_diag_req_v2 with an empty inet_diag_sockid
# inet_diag_msg: family, state, timer, retrans | sport, dport, src, dst | if, cookie | expires, rqueue, wqueue,
# uid, inode
_NUMBERS = struct.Struct("=BBBB")
_PORTS = struct.Struct("!HH")
_IDENTITY = struct.Struct("=I8x5I")
_MESSAGE_SIZE = 72
_SKV6ONLY, _LOCALS, _CGROUP_ID = 11, 17, 21
_SOCKADDR_STORAGE_SIZE = 128


#: Every state, TCP_BOUND_INACTIVE (13, Linux 6.8) among them: bound, neither listening nor connected.
EVERY_STATE = (1 << 14) - 2
BOUND_INACTIVE_ONLY = 1 << 13


def local_ends(opener: Opener, protocol: str, number: int, family: int, states: int = EVERY_STATE) -> list[LocalEnd]:
    """The local ends of all sockets of IP protocol ``number`` that are in ``states``. Raises NetlinkError."""
    answer = dump(opener, SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _REQUEST.pack(family, number, 0, 0, states))
    return [end for body in answer.bodies for end in [_local_end(body, protocol)] if end.port]


def _local_end(body: bytes, protocol: str) -> LocalEnd:
    if len(body) < _MESSAGE_SIZE:
        raise NetlinkError(f"a socket of {len(body)} bytes is cut off")
    family, state, _timer, _retransmits = _NUMBERS.unpack_from(body)
    port, peer_port = _PORTS.unpack_from(body, 4)
    name, address = family_and_address(family, body[8:24])
    v6only = _flag(attributes(body[_MESSAGE_SIZE:]).get(_SKV6ONLY)) if name == "ipv6" else None
    listens = state == TCP_LISTEN if protocol == "tcp" else state == UNCONNECTED and not peer_port
    return LocalEnd(protocol, name, address, port, v6only, listens)


def listening(
    opener: Opener, protocol: str, number: int, family: int, interface_name: Callable[[int], str]
) -> tuple[list[BoundSocket], bool]:
    """The sockets of IP protocol ``number`` that take traffic, and whether the dump was interrupted.

    ``family`` is AF_INET or AF_INET6. Raises NetlinkError (ENOENT where the kernel has no such protocol, or
    no diag module for it).
    """
    state = UNCONNECTED if protocol in ("udp", "udplite") else TCP_LISTEN
    answer = dump(opener, SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _REQUEST.pack(family, number, 0, 0, 1 << state))
    found: list[BoundSocket] = []
    for body in answer.bodies:
        found.extend(parse(body, protocol, state, interface_name))
    return found, answer.interrupted


def parse(body: bytes, protocol: str, state: int, interface_name: Callable[[int], str]) -> list[BoundSocket]:
    """The socket that one inet_diag_msg tells of; none when it is connected or in another state.

    A multi-homed SCTP endpoint is one entry for each of its addresses. Raises NetlinkError.
    """
    if len(body) < _MESSAGE_SIZE:
        raise NetlinkError(f"a socket of {len(body)} bytes is cut off")
    family, seen_state, _timer, _retransmits = _NUMBERS.unpack_from(body)
    port, peer_port = _PORTS.unpack_from(body, 4)
    index, _expires, _received, _queued, uid, inode = _IDENTITY.unpack_from(body, 40)
    if seen_state != state or peer_port or any(body[24:40]) or not port:
        return []
    extra = attributes(body[_MESSAGE_SIZE:])
    locals_ = _sctp_addresses(extra[_LOCALS]) if protocol == "sctp" and _LOCALS in extra else []
    cgroup = extra.get(_CGROUP_ID, b"")
    return [
        BoundSocket(
            protocol=protocol,
            family=name,
            address=address,
            port=port,
            interface=interface_name(index) if index else None,
            v6only=_flag(extra.get(_SKV6ONLY)) if name == "ipv6" else None,
            uid=uid,
            inode=inode,
            cgroup_id=struct.unpack("=Q", cgroup)[0] if len(cgroup) == 8 else None,
        )
        for name, address in (family_and_address(family, raw) for family, raw in locals_ or [(family, body[8:24])])
    ]


def _flag(value: bytes | None) -> bool | None:
    return bool(value[0]) if value else None


def _sctp_addresses(data: bytes) -> list[tuple[int, bytes]]:
    """An array of sockaddr_storage (net/sctp/diag.c, inet_diag_msg_sctpladdrs_fill)."""
    if len(data) % _SOCKADDR_STORAGE_SIZE:
        raise NetlinkError("a list of SCTP addresses is cut off")
    found = []
    for offset in range(0, len(data), _SOCKADDR_STORAGE_SIZE):
        (family,) = struct.unpack_from("=H", data, offset)
        start = offset + (8 if family == socket.AF_INET6 else 4)
        found.append((family, data[start : start + 16]))
    return found
