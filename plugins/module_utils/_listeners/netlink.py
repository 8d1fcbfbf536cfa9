# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the kernel over netlink: one dump request, all its answers.

Sources: netlink(7), include/uapi/linux/netlink.h, Documentation/userspace-api/netlink/intro.rst.
This module is private to the collection.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Callable, Iterator, NamedTuple

ROUTE = 0
SOCK_DIAG = 4

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_ERROR = struct.Struct("=i")
_NOOP, _ERROR_TYPE, _DONE, _OVERRUN = 1, 2, 3, 4
_REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
_DUMP_INTERRUPTED = 0x10
_NESTED_AND_ORDER_FLAGS = 0x3FFF

#: Above the 32 KiB that the kernel fills at most for one part of a dump.
_BUFFER = 1 << 17
#: A dump is answered at once; a kernel that is silent for seconds will not answer.
_TIMEOUT = 5.0
_ATTEMPTS = 3

Opener = Callable[[int], socket.socket]


class NetlinkError(Exception):
    """The kernel refused, or what it said cannot be understood. ``number`` is its errno, where it gave one."""

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class Message(NamedTuple):
    kind: int
    flags: int
    sequence: int
    body: bytes


class Dump(NamedTuple):
    """The bodies of all answers; ``interrupted`` when the table changed in each of the attempts."""

    bodies: tuple[bytes, ...]
    interrupted: bool


def open_netlink(protocol: int) -> socket.socket:
    """A netlink socket in the network namespace of the calling thread. Raises OSError."""
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    try:
        opened.bind((0, 0))
        opened.settimeout(_TIMEOUT)
    except OSError:
        opened.close()
        raise
    return opened


def dump(opener: Opener, protocol: int, kind: int, body: bytes) -> Dump:
    """All answers to a dump request of message type ``kind``.

    A dump that the kernel marks as interrupted, or whose answers overran the socket's buffer, is asked
    again; an interrupted one is given back, marked, when that does not help. Raises NetlinkError.
    """
    last: Dump | None = None
    overrun: NetlinkError | None = None
    for sequence in range(1, _ATTEMPTS + 1):
        try:
            with opener(protocol) as opened:
                opened.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST_DUMP, sequence, 0) + body)
                last = _collect(opened, sequence)
        except socket.timeout as error:  # an alias of TimeoutError from Python 3.10 on
            raise NetlinkError("the kernel did not answer in time", errno.ETIMEDOUT) from error
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise NetlinkError(_name_of(error.errno), error.errno) from error
            overrun = NetlinkError("more answers than the socket's buffer holds", errno.ENOBUFS)
            continue
        if not last.interrupted:
            return last
    if last is None:
        raise overrun or NetlinkError("no answer")
    return last


def _collect(opened: socket.socket, sequence: int) -> Dump:
    bodies: list[bytes] = []
    interrupted = False
    while True:
        datagram, _ancillary, flags, sender = opened.recvmsg(_BUFFER)
        if sender[0] != 0:
            continue  # netlink(7): only what comes from port 0 is the kernel's
        if flags & socket.MSG_TRUNC:
            raise NetlinkError("an answer was cut off")
        if not datagram:
            raise NetlinkError("the answer ended early")
        for message in messages(datagram):
            if message.sequence != sequence:
                continue
            interrupted = interrupted or bool(message.flags & _DUMP_INTERRUPTED)
            if message.kind in (_ERROR_TYPE, _DONE):
                _raise_for(message)
                return Dump(tuple(bodies), interrupted)
            if message.kind == _OVERRUN:
                raise NetlinkError("answers were lost")
            if message.kind != _NOOP:
                bodies.append(message.body)


def _raise_for(message: Message) -> None:
    """The end of a dump carries its status: 0, or the negative errno (so does a refusal)."""
    if len(message.body) < _ERROR.size:
        if message.kind == _DONE:
            return
        raise NetlinkError("a refusal was cut off")
    (status,) = _ERROR.unpack_from(message.body)
    if status:
        raise NetlinkError(_name_of(abs(status)), abs(status))


def messages(datagram: bytes) -> Iterator[Message]:
    """The netlink messages in a datagram. Raises NetlinkError where lengths do not fit."""
    offset = 0
    while offset < len(datagram):
        if len(datagram) - offset < _HEADER.size:
            raise NetlinkError("a message header was cut off")
        length, kind, flags, sequence, _port = _HEADER.unpack_from(datagram, offset)
        if not _HEADER.size <= length <= len(datagram) - offset:
            raise NetlinkError(f"a message of {length} bytes does not fit")
        yield Message(kind, flags, sequence, datagram[offset + _HEADER.size : offset + length])
        offset += _aligned(length)


def attributes(data: bytes) -> dict[int, bytes]:
    """Attributes by type. Raises NetlinkError where lengths do not fit."""
    return dict(attributes_in_order(data))


def attributes_in_order(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Attributes as they stand; of a list each has the same type. Raises NetlinkError where lengths do not fit."""
    offset = 0
    while len(data) - offset >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if not _ATTRIBUTE.size <= length <= len(data) - offset:
            raise NetlinkError(f"an attribute of {length} bytes does not fit")
        yield kind & _NESTED_AND_ORDER_FLAGS, data[offset + _ATTRIBUTE.size : offset + length]
        offset += _aligned(length)


def packed_attribute(kind: int, value: bytes) -> bytes:
    """An attribute of a request, with the padding after it."""
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_aligned(length) - length)


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _name_of(number: int | None) -> str:
    if number is None:
        return "unknown error"
    return f"{errno.errorcode.get(number, number)} ({os.strerror(number)})" if number < 1 << 31 else str(number)
