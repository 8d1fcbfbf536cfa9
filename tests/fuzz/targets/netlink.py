# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Datagrams of the kernel: whatever they hold, each message is kept, or the dump is refused as a whole."""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Any, Self

from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import (
    NetlinkError,
    attributes,
    dump,
    messages,
)

HEADER = struct.Struct("=IHHII")
DONE = 3


class Kernel:
    """A netlink socket that answers the first request with ``datagram``, and then says that this was all."""

    def __init__(self, datagram: bytes) -> None:
        self._datagram = datagram
        self._answers: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def send(self, request: bytes) -> None:
        sequence = HEADER.unpack_from(request)[3]
        self._answers = [self._datagram, HEADER.pack(HEADER.size + 4, DONE, 2, sequence, 0) + bytes(4)]

    def recvmsg(self, _size: int) -> tuple[bytes, list[Any], int, tuple[int, int]]:
        return self._answers.pop(0), [], 0, (0, 0)


def target(data: bytes) -> None:
    seen = []
    offset = 0
    try:
        for message in messages(data):
            seen.append(message)
            length = HEADER.unpack_from(data, offset)[0]  # what was read is what stands there, nothing between
            assert data[offset + HEADER.size : offset + length] == message.body
            offset += (length + 3) & ~3
        assert offset >= len(data)
    except NetlinkError:
        pass  # what comes after the end of a dump is not looked at
    try:
        answer = dump(lambda _protocol: Kernel(data), 4, 20, b"")  # type: ignore[arg-type, return-value]
    except NetlinkError:
        pass
    else:
        assert list(answer.bodies) == kept(seen)
    check_attributes(data)


def kept(seen: list[Any]) -> list[bytes]:
    """What an answer to the first request holds, to the message that ends it."""
    for sequence in (1, 2, 3):  # an interrupted dump is asked for again, with the next number
        mine = [message for message in seen if message.sequence == sequence]
        ends = [at for at, message in enumerate(mine) if message.kind in (2, DONE)]
        whole = mine[: ends[0] + 1] if ends else mine
        if not any(message.flags & 0x10 for message in whole) or sequence == 3:
            return [message.body for message in whole if message.kind not in (1, 2, DONE, 4)]
    raise AssertionError("not reached")


def check_attributes(data: bytes) -> None:
    try:
        found = attributes(data)
    except NetlinkError:
        return
    offset, there = 0, {}
    while len(data) - offset >= 4:
        length, kind = struct.unpack_from("=HH", data, offset)
        there[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    assert found == there
