# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that lead elsewhere, by the rules of a real kernel."""

from __future__ import annotations

import contextlib
import errno
import shutil
import socket
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import NetlinkError, packed_attribute
from ansible_collections.vigil.ports.plugins.module_utils._listeners.translated import (
    Translated,
    _Expressions,
    _of_ip_vs,
    has_legacy_rules,
    translated,
)
from hypothesis import given
from hypothesis import strategies as st

RULES = """
table ip nat {
  set some {
    type inet_service
    flags interval
    elements = { 81, 82, 90-95 }
  }
  chain svc {
    ip daddr 10.96.0.10 udp dport 53 jump sep
    tcp dport 30080 jump sep
  }
  chain sep {
    dnat to 198.18.0.3
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    tcp dport 8080 dnat to 198.18.0.1:80
    udp dport 5000-5010 dnat to 198.18.0.1
    udp dport { 1, 2 } dnat to 198.18.0.1
    sctp dport @some dnat to 198.18.0.1
    dnat to tcp dport map { 800 : 198.18.0.1, 801-803 : 198.18.0.2 }
    ip daddr 198.18.0.24 tcp dport 8091 redirect to :80
    tcp dport > 65000 redirect to :80
    udp dport != 7 dnat to 198.18.0.1
    jump svc
  }
  chain output {
    type nat hook output priority -100; policy accept;
    tcp dport 9999 dnat to 198.18.0.1
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    masquerade
  }
}
table inet other {
  chain pre {
    type nat hook prerouting priority dstnat; policy accept;
    ip6 daddr fd00::1 udp dport 99 dnat ip6 to fd00::2
  }
  chain filter {
    type filter hook input priority filter; policy accept;
    tcp dport 22 accept
  }
}
"""
LOOK = """
rules = {rules!r}
for command in {commands!r}:
    subprocess.run(command, input=rules.encode(), check=True)
result = observe(Request(), Host())
tell([result["translated"], [one["code"] for one in result["coverage"]["problems"]]])
"""


def rows(*wanted: tuple[str | None, str | None, str | None]) -> list[dict[str, Any]]:
    return [
        {"protocol": protocol, "ports": ports, "address": address, "by": "nftables"}
        for protocol, ports, address in wanted
    ]


def test_the_rules_of_nftables_tell_ports_wherever_they_stand(experiment: Callable[..., Any]) -> None:
    if shutil.which("nft") is None:
        pytest.skip("nft is not installed")
    told, problems = experiment(LOOK.format(rules=RULES, commands=[["nft", "-f", "-"]]))
    key = str
    assert problems == []
    assert sorted(told, key=key) == sorted(
        rows(
            ("sctp", "81,82,90-95", None),
            ("tcp", "800,801-803,8080,30080,65001-65535", None),
            ("tcp", "8091", "198.18.0.24"),
            ("udp", "1,2,5000-5010", None),
            ("udp", None, None),
            ("udp", "53", "10.96.0.10"),
            ("udp", "99", "fd00::1"),
        ),
        key=key,
    )


def test_the_rules_that_iptables_writes_into_nftables_are_read(experiment: Callable[..., Any]) -> None:
    if shutil.which("iptables-nft") is None:
        pytest.skip("iptables-nft is not installed")
    add = ["iptables-nft", "-t", "nat", "-A", "PREROUTING"]
    to = ["-j", "DNAT", "--to-destination", "198.18.0.9"]
    commands = [
        [*add, "-p", "udp", "--dport", "514", *to],
        [*add, "-p", "tcp", "-m", "multiport", "--dports", "21,23:25", *to],
        [*add, "-p", "tcp", "--dport", "8000:8010", "-j", "REDIRECT", "--to-ports", "80"],
    ]
    told, _problems = experiment(LOOK.format(rules="", commands=commands))
    assert told == rows(("tcp", "21,23-25,8000-8010", None), ("udp", "514", None))


def test_a_host_without_rules_leads_nothing_elsewhere(experiment: Callable[..., Any]) -> None:
    assert experiment(LOOK.format(rules="", commands=[])) == [[], []]


def test_virtual_servers_are_read() -> None:
    table = (
        b"IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"
        b"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
        b"TCP  C0A80001:0050 rr \n  -> 0A000001:0050      Masq    1      0          0\n"
        b"UDP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0035 rr \nFWM  00000001 rr \n"
    )
    assert list(_of_ip_vs(lambda _name: table)) == [
        Translated("tcp", (80, 80), "192.168.0.1", "ip_vs"),
        Translated("udp", (53, 53), "2001:db8::1", "ip_vs"),
        Translated(None, None, None, "ip_vs"),
    ]


@pytest.mark.parametrize(
    ("names", "targets", "is_used"),
    [("nat\nfilter", "DNAT\n", True), ("nat", "SNAT\n", False), ("filter", "DNAT", False), (None, None, False)],
)
def test_rules_of_the_old_iptables_are_known_to_be_there(names: str | None, targets: str | None, is_used: bool) -> None:
    files = {"ip_tables_names": names, "ip_tables_targets": targets}

    def read(name: str) -> bytes:
        content = files.get(name)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, name)
        return content.encode()

    assert has_legacy_rules(read) is is_used


def test_a_kernel_that_refuses_says_so() -> None:
    def refused(_protocol: int) -> socket.socket:
        raise PermissionError(errno.EPERM, "refused")

    with pytest.raises(NetlinkError, match="EPERM"):
        translated(refused, lambda _name: b"")


@given(st.lists(st.tuples(st.sampled_from(["meta", "payload", "cmp", "range", "nat", "match", "target", "immediate"]),
       st.dictionaries(st.integers(1, 5), st.binary(max_size=60), max_size=5))))  # fmt: skip
def test_whatever_an_expression_holds_it_is_read_or_the_named_error(told: list[tuple[str, dict[int, bytes]]]) -> None:
    reader = _Expressions()
    for name, data in told:
        with contextlib.suppress(NetlinkError):
            reader.read(name, data)


def test_an_attribute_is_packed_as_the_kernel_reads_it() -> None:
    assert packed_attribute(1, b"nat\0")[4:] == b"nat\0"
    assert len(packed_attribute(1, b"x")) == 8
