# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which addresses on the same link gave no answer to ARP or neighbour discovery.

A host that is not there is as silent as one behind a firewall. On the same link the kernel knows
the difference: its neighbour table (rtnetlink(7)).

This module is private to the collection.
"""

from __future__ import annotations

import socket
import struct
from typing import Iterator

_RTM_NEWNEIGH, _RTM_GETNEIGH = 28, 30  # linux/rtnetlink.h
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_NEIGHBOUR = struct.Struct("=BBHiHBB")  # struct ndmsg
_ATTRIBUTE = struct.Struct("=HH")
_NDA_DST = 1
_INCOMPLETE, _FAILED = 0x01, 0x20  # linux/neighbour.h: being asked for, and asked for in vain


def unanswered_neighbours() -> frozenset[str]:
    """Addresses that the kernel asked for on a link without an answer. Raises OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.settimeout(2)
        body = _NEIGHBOUR.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0, 0)
        link.sendto(_HEADER.pack(_HEADER.size + len(body), _RTM_GETNEIGH, _NLM_F_REQUEST_DUMP, 1, 0) + body, (0, 0))
        found: set[str] = set()
        while True:
            for kind, payload in _messages(link.recv(65536)):
                if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                    return frozenset(found)
                address = _unanswered(payload) if kind == _RTM_NEWNEIGH else None
                if address is not None:
                    found.add(address)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind = _HEADER.unpack_from(data)[:2]
        if length < _HEADER.size:
            return
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def _unanswered(payload: bytes) -> str | None:
    family, _pad1, _pad2, _index, state, _flags, _type = _NEIGHBOUR.unpack_from(payload)
    if not state & (_INCOMPLETE | _FAILED) or family not in (socket.AF_INET, socket.AF_INET6):
        return None
    rest = payload[_NEIGHBOUR.size :]
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        if length < _ATTRIBUTE.size:
            return None
        if kind == _NDA_DST:
            return socket.inet_ntop(family, rest[_ATTRIBUTE.size : length])
        rest = rest[(length + 3) & ~3 :]
    return None
