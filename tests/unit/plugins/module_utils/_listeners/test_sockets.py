# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way from netlink to /proc/net to *failed*, and what each of them says."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners import proc_net
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import open_netlink
from ansible_collections.vigil.ports.plugins.module_utils._listeners.proc_net import ProcNetError
from ansible_collections.vigil.ports.plugins.module_utils._listeners.sockets import interface_name, observe_sockets
from hypothesis import given
from hypothesis import strategies as st

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TAIL = "00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0\n"
TCP = (
    f"{HEADER}   0: 0100007F:1F90 00000000:0000 0A {TAIL}"
    f"   1: 0100007F:0016 0200007F:C350 01 {TAIL}"
)  # fmt: skip
TCP6 = f"{HEADER}   0: {'0' * 32}:0050 {'0' * 32}:0000 0A {TAIL}"
UDP = f"{HEADER}  10: 00000000:0035 00000000:0000 07 {TAIL}  11: 0100007F:0036 0100007F:0035 07 {TAIL}"
PACKET = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
RAW = f"{HEADER}   1: 00000000:0001 00000000:0000 07 {TAIL}   2: 00000000:00FF 00000000:0000 07 {TAIL}"
RAW6 = f"{HEADER}  58: {'0' * 32}:003A {'0' * 32}:0000 07 {TAIL}"
PROTOCOLS = "protocol  size sockets  memory\nSCTP 1 {sctp} -1\nRAW 1 2 -1\nRAWv6 1 1 -1\nUDP-Lite 1 0 -1\n"


def refused(protocol: int) -> socket.socket:
    raise PermissionError(errno.EPERM, "refused")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    net = tmp_path / "thread-self" / "net"
    net.mkdir(parents=True)
    tables = {"tcp": TCP, "tcp6": TCP6, "udp": UDP, "udp6": HEADER, "packet": PACKET, "raw": RAW, "raw6": RAW6}
    for name, content in tables.items():
        (net / name).write_text(content)
    (net / "protocols").write_text(PROTOCOLS.format(sctp=0))
    ports = tmp_path / "sys" / "net" / "ipv4"
    ports.mkdir(parents=True)
    (ports / "ip_local_port_range").write_text("32768\t60999\n")
    return tmp_path


def test_proc_is_read_where_netlink_is_refused(proc: Path) -> None:
    seen = observe_sockets(str(proc), refused)
    assert set(seen.sources.values()) == {"proc"}
    assert [(found.protocol, found.address, found.port, found.v6only, found.inode) for found in seen.sockets] == [
        ("tcp", "127.0.0.1", 8080, None, 4711),
        ("tcp", "::", 80, None, 4711),
        ("udp", "0.0.0.0", 53, None, 4711),
    ]
    assert [problem.code for problem in seen.problems] == ["netlink-refused"] * 4
    assert seen.local_ports == (32768, 60999)


def test_no_ipv6_table_is_ipv6_off_and_no_problem(proc: Path) -> None:
    for name in ("tcp6", "udp6"):
        (proc / "thread-self" / "net" / name).unlink()
    seen = observe_sockets(str(proc), refused)
    absent = {source for source, how in seen.sources.items() if how == "absent"}
    assert absent == {"tcp_ipv6", "udp_ipv6"}
    assert {how for source, how in seen.sources.items() if source not in absent} == {"proc"}
    assert len(seen.problems) == 2


def test_ipv6_off_is_also_told_where_netlink_answers(proc: Path) -> None:
    for name in ("tcp6", "udp6"):
        (proc / "thread-self" / "net" / name).unlink()
    seen = observe_sockets(str(proc), open_netlink)
    ipv6 = {found.protocol for found in seen.sockets if found.family == "ipv6"}
    for protocol in ("tcp", "udp"):
        assert seen.sources[f"{protocol}_ipv6"] == ("netlink" if protocol in ipv6 else "absent")


def test_where_neither_works_the_source_has_failed(tmp_path: Path) -> None:
    seen = observe_sockets(str(tmp_path), refused)
    assert set(seen.sources.values()) == {"failed"}, "a /proc that is not there is not IPv6 switched off"
    assert [problem.code for problem in seen.problems].count("sockets-not-listed") == 7
    assert {"sctp", "dccp", "udplite", "vsock"} == set(seen.not_looked_at)


def test_a_table_that_does_not_read_as_it_should_has_failed(proc: Path) -> None:
    (proc / "thread-self" / "net" / "tcp").write_text(TCP[:-20])
    (proc / "thread-self" / "net" / "udp").write_text(HEADER + "   0: nonsense:0035 x 07 " + TAIL)
    seen = observe_sockets(str(proc), refused)
    assert seen.sources["tcp_ipv4"] == "proc"  # cut in a line's last fields, which are not read
    assert seen.sources["udp_ipv4"] == "failed"


@pytest.mark.parametrize(("in_use", "told"), [(0, False), (1, True)])
def test_sctp_is_named_when_the_kernel_has_such_sockets(proc: Path, in_use: int, told: bool) -> None:
    (proc / "thread-self" / "net" / "protocols").write_text(PROTOCOLS.format(sctp=in_use))
    seen = observe_sockets(str(proc), refused)
    assert ("sctp" in seen.not_looked_at) is told
    assert seen.not_looked_at["vsock"].in_use is None
    assert (seen.not_looked_at["sctp"].in_use if told else 0) == in_use


def test_raw_sockets_are_listed_and_the_send_only_ones_told_apart(proc: Path) -> None:
    seen = observe_sockets(str(proc), refused)
    listed = [(one.kind, one.family, one.number, one.address, one.receives) for one in seen.raw]
    assert listed == [
        ("raw", "ipv4", 1, "0.0.0.0", True),
        ("raw", "ipv4", 255, "0.0.0.0", False),
        ("raw", "ipv6", 58, "::", True),
    ]
    assert not {"raw", "packet"} & set(seen.not_looked_at)


def test_raw_sockets_that_the_kernel_counts_and_its_file_does_not_show_are_said(proc: Path) -> None:
    counted = "protocol  size sockets  memory\nRAW 1 4 -1\nRAWv6 1 1 -1\nPACKET 1 1 -1\n"
    (proc / "thread-self" / "net" / "protocols").write_text(counted)
    seen = observe_sockets(str(proc), refused)
    assert seen.not_looked_at["raw"].in_use == 2
    assert "shows 2 of 4" in seen.not_looked_at["raw"].reason
    assert seen.not_looked_at["packet"].in_use == 1


@pytest.mark.parametrize(("registered", "how"), [("RAW 1 0 -1", "absent"), ("RAW 1 0 -1\nPACKET 1 0 -1", "failed")])
def test_a_file_that_is_not_there_is_a_kind_that_the_kernel_does_not_have(
    proc: Path, registered: str, how: str
) -> None:
    (proc / "thread-self" / "net" / "packet").unlink()
    (proc / "thread-self" / "net" / "protocols").write_text(f"protocol  size sockets  memory\n{registered}\n")
    assert observe_sockets(str(proc), refused).sources["packet"] == how


def test_sockets_of_kinds_that_nobody_lists_are_counted_under_the_names_of_the_kernel(proc: Path) -> None:
    local = "UNIX 1 40 -1\nNETLINK 1 9 -1\nPING 1 1 -1\nTCP 1 5 -1\nMPTCPv6 1 1 -1\n"
    counted = f"{PROTOCOLS.format(sctp=1)}SCTPv6 1 2 -1\nTIPC 1 2 -1\nXDP 1 1 -1\nL2TP/IP 1 0 -1\nX25 1 -1 -1\n{local}"
    (proc / "thread-self" / "net" / "protocols").write_text(counted)
    seen = observe_sockets(str(proc), refused)
    in_use = {what: unlisted.in_use for what, unlisted in seen.not_looked_at.items() if unlisted.in_use}
    assert in_use == {"sctp": 3, "tipc": 2, "xdp": 1}


def test_an_interface_without_a_name_is_shown_by_number() -> None:
    assert interface_name(1) == "lo"
    assert interface_name(4294967295) == "if4294967295"


@given(st.binary(max_size=400))
def test_hostile_bytes_are_sockets_or_the_named_error(data: bytes) -> None:
    with contextlib.suppress(ProcNetError):
        proc_net.parse_sockets(data, "udp")
    with contextlib.suppress(ProcNetError):
        proc_net.parse_protocols(data)
    with contextlib.suppress(ProcNetError):
        proc_net.parse_packet_sockets(data, str)
    with contextlib.suppress(ProcNetError):
        proc_net.parse_port_range(data)


FIELD = st.one_of(
    st.sampled_from(
        (b"0A", b"07", b"0100007F:1F90", b"00000000:0000", b"-1234567:0001", b"1_345678:+001", b"9" * 5000)
    ),
    st.binary(max_size=40),
)


@given(st.lists(st.lists(FIELD, min_size=8, max_size=12), max_size=4))
def test_hostile_fields_are_sockets_or_the_named_error(lines: list[list[bytes]]) -> None:
    with contextlib.suppress(ProcNetError):
        proc_net.parse_sockets(b"header\n" + b"\n".join(b" ".join(fields) for fields in lines), "tcp")
    with contextlib.suppress(ProcNetError):
        proc_net.parse_raw_sockets(b"header\n" + b"\n".join(b" ".join(fields) for fields in lines))
