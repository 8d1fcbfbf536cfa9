# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever arrives on a netlink socket is understood or refused with the one named error."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners import addresses, inet_diag, netlink
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import NetlinkError
from hypothesis import given
from hypothesis import strategies as st

DONE, ERROR, ROW = 3, 2, 20


def message(kind: int, body: bytes = b"", flags: int = 0, sequence: int = 1) -> bytes:
    padded = body + bytes(-len(body) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + padded


class Kernel:
    """Plays the kernel's side: gives one list of datagrams for each request."""

    def __init__(self, *answers: list[Any]) -> None:
        self.answers = list(answers)
        self.asked = 0

    @contextlib.contextmanager
    def opener(self, protocol: int) -> Iterator[Kernel]:
        self.asked += 1
        self.waiting = [self._numbered(each) for each in self.answers.pop(0)]
        yield self

    def _numbered(self, answer: Any) -> Any:
        return answer(self.asked) if callable(answer) else answer

    def send(self, data: bytes) -> None:
        pass

    def recvmsg(self, size: int) -> tuple[bytes, list[Any], int, tuple[int, int]]:
        first = self.waiting.pop(0)
        if isinstance(first, OSError):
            raise first
        return first if isinstance(first, tuple) else (first, [], 0, (0, 0))


def of_request(kind: int, body: bytes = b"", flags: int = 0) -> Callable[[int], bytes]:
    return lambda sequence: message(kind, body, flags, sequence)


def ask(*answers: list[Any]) -> netlink.Dump:
    return netlink.dump(Kernel(*answers).opener, 4, ROW, b"")  # type: ignore[arg-type]


def test_rows_over_several_datagrams_are_one_answer() -> None:
    answer = ask([message(ROW, b"one.") + message(ROW, b"two."), message(ROW, b"three...") + message(DONE, bytes(4))])
    assert answer.bodies == (b"one.", b"two.", b"three...")
    assert not answer.interrupted


def test_an_interrupted_dump_is_asked_again() -> None:
    interrupted = [of_request(ROW, b"old.", flags=0x10), of_request(DONE, bytes(4))]
    answer = ask(interrupted, [of_request(ROW, b"new."), of_request(DONE, bytes(4))])
    assert answer == netlink.Dump((b"new.",), False)


def test_a_dump_that_is_always_interrupted_is_given_back_and_says_so() -> None:
    interrupted = [of_request(ROW, b"row."), of_request(DONE, bytes(4), flags=0x10)]
    assert ask(interrupted, interrupted, interrupted) == netlink.Dump((b"row.",), True)


def test_an_overrun_is_asked_again_and_in_the_end_refused() -> None:
    overrun = [OSError(errno.ENOBUFS, "no buffer")]
    assert ask(overrun, [of_request(DONE)]).bodies == ()
    with pytest.raises(NetlinkError, match="buffer") as raised:
        ask(overrun, overrun, overrun)
    assert raised.value.number == errno.ENOBUFS


@pytest.mark.parametrize(
    ("datagram", "number"),
    [
        pytest.param(message(ERROR, struct.pack("=i", -errno.EPERM)), errno.EPERM, id="refused"),
        pytest.param(message(DONE, struct.pack("=i", -errno.ENOENT)), errno.ENOENT, id="refused at the end"),
        pytest.param(message(4), None, id="overrun"),
        pytest.param((message(ROW), [], socket.MSG_TRUNC, (0, 0)), None, id="cut off by the kernel"),
        pytest.param(message(ROW, b"long row")[:-4], None, id="longer than the datagram"),
        pytest.param(b"\1\2\3", None, id="no header"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(OSError(errno.EACCES, "no"), errno.EACCES, id="EACCES"),
        pytest.param(TimeoutError("silent"), errno.ETIMEDOUT, id="silent"),
    ],
)
def test_each_way_to_fail_is_the_named_error(datagram: Any, number: int | None) -> None:
    with pytest.raises(NetlinkError) as raised:
        ask([datagram])
    assert raised.value.number == number


def test_a_forged_answer_and_one_to_another_request_are_not_read() -> None:
    forged = (message(ROW, b"evil"), [], 0, (4711, 0))
    assert ask([forged, message(ROW, b"late", sequence=9), message(ROW, b"mine"), message(DONE)]).bodies == (b"mine",)


@given(st.binary(max_size=200))
def test_hostile_bytes_are_messages_or_the_named_error(data: bytes) -> None:
    with contextlib.suppress(NetlinkError):
        assert sum(16 + len(each.body) for each in netlink.messages(data)) <= len(data)


@given(st.binary(max_size=200))
def test_hostile_attributes_are_attributes_or_the_named_error(data: bytes) -> None:
    with contextlib.suppress(NetlinkError):
        netlink.attributes(data)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda family, state, rest: bytes((family, state, 0, 0)) + rest,
            st.sampled_from((socket.AF_INET, socket.AF_INET6, 99)),
            st.sampled_from((7, 10)),
            st.binary(min_size=60, max_size=300),
        ),
    ),
    st.sampled_from((("tcp", 10), ("udp", 7), ("sctp", 10))),
)
def test_hostile_sockets_are_sockets_or_the_named_error(data: bytes, kind: tuple[str, int]) -> None:
    with contextlib.suppress(NetlinkError):
        for found in inet_diag.parse(data, *kind, str):
            assert 0 < found.port < 65536


@given(st.binary(max_size=100))
def test_hostile_addresses_are_addresses_or_the_named_error(data: bytes) -> None:
    with contextlib.suppress(NetlinkError):
        addresses.parse(data, str)


def socket_body(
    family: int = socket.AF_INET, state: int = 10, port: int = 80, peer: int = 0, source: bytes = b"", **extra: bytes
) -> bytes:
    head = struct.pack("=BBBB", family, state, 0, 0) + struct.pack("!HH", port, peer)
    head += source.ljust(16, b"\0") + bytes(16) + struct.pack("=I8x", 3) + struct.pack("=IIIII", 0, 0, 0, 1000, 4711)
    for kind, value in extra.items():
        data = struct.pack("=HH", 4 + len(value), int(kind.strip("_"))) + value
        head += data + bytes(-len(data) % 4)
    return head


def test_a_socket_is_read_with_its_flags() -> None:
    body = socket_body(socket.AF_INET6, _11=b"\1", _21=struct.pack("=Q", 1 << 40))
    (found,) = inet_diag.parse(body, "tcp", 10, lambda index: f"if{index}")
    assert (found.family, found.address, found.port, found.interface) == ("ipv6", "::", 80, "if3")
    assert (found.v6only, found.uid, found.inode, found.cgroup_id) == (True, 1000, 4711, 1 << 40)


def test_without_the_attribute_v6only_is_not_known() -> None:
    (found,) = inet_diag.parse(socket_body(socket.AF_INET6), "tcp", 10, str)
    assert found.v6only is None
    assert found.cgroup_id is None


@pytest.mark.parametrize("body", [socket_body(state=1), socket_body(peer=5000), socket_body(port=0)])
def test_what_is_connected_or_unbound_is_no_listener(body: bytes) -> None:
    assert inet_diag.parse(body, "tcp", 10, str) == []


def test_each_address_of_a_multihomed_sctp_endpoint_is_listed() -> None:
    four = struct.pack("=HH4s", socket.AF_INET, 0, bytes((10, 0, 0, 1))).ljust(128, b"\0")
    six = struct.pack("=HHI16s", socket.AF_INET6, 0, 0, bytes(15) + b"\1").ljust(128, b"\0")
    found = inet_diag.parse(socket_body(_17=four + six), "sctp", 10, str)
    assert [(each.family, each.address) for each in found] == [("ipv4", "10.0.0.1"), ("ipv6", "::1")]


def test_on_a_point_to_point_link_the_own_address_is_told() -> None:
    body = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, 2)
    body += struct.pack("=HH4s", 8, 1, bytes((10, 0, 0, 2))) + struct.pack("=HH4s", 8, 2, bytes((10, 0, 0, 1)))
    assert addresses.parse(body, lambda index: f"ppp{index}") == addresses.OwnAddress("ppp2", "10.0.0.1", 32, "ipv4")


def test_a_socket_that_cannot_be_opened_is_the_named_error() -> None:
    def refuse(protocol: int) -> socket.socket:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    with pytest.raises(NetlinkError, match="EPERM"):
        netlink.dump(refuse, 4, ROW, b"")
