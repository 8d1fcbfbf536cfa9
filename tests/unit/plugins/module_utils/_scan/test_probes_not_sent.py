# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe that was never sent says nothing: what it asked is unknown, and never filtered."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

ByPort = Callable[[dict[str, Any]], dict[tuple[str, int], str]]
OWN_FIREWALL = """
table inet own {{
  chain output {{
    type filter hook output priority 0; policy accept;
    {rule}
  }}
}}
"""
WAYS = [
    {"engine": "nmap"},
    {"engine": "nmap", "unprivileged": True},
    {"engine": "connect"},
    {"engine": "connect", "unprivileged": True},
]


@contextmanager
def own_firewall(lab: Any, rule: str) -> Iterator[None]:
    nft = ["ip", "netns", "exec", lab.vantage, "nft"]
    subprocess.run([*nft, "-f", "-"], input=OWN_FIREWALL.format(rule=rule).encode(), check=True)
    try:
        yield
    finally:
        subprocess.run([*nft, "delete", "table", "inet", "own"], check=True)


REJECTS = ["reject", "reject with icmpx type admin-prohibited"]


@pytest.mark.parametrize(
    ("way", "verdict"), [(way, verdict) for way in WAYS for verdict in REJECTS] + [(WAYS[0], "drop")]
)
def test_what_the_scanners_own_firewall_keeps_back_is_unknown(
    lab: Any, way: dict[str, Any], verdict: str, by_port: ByPort
) -> None:
    rules = f"ip daddr {lab.open_} tcp dport {{ 21, 22 }} {verdict}\n ip6 daddr {lab.open6} tcp dport 53 {verdict}"
    with own_firewall(lab, rules):
        result = lab.scan([lab.open_, lab.open6], ports=[21, 22, 53, 443], confirm=True, canaries=2, **way)
    one, other = map(by_port, result["targets"])
    assert (one["tcp", 21], one["tcp", 22], other["tcp", 53]) == ("unknown",) * 3
    assert (one["tcp", 53], one["tcp", 443], other["tcp", 21]) == ("open", "open", "closed")
    assert {target["status"] for target in result["targets"]} == {"partial"}
    assert all(target["reason"] for target in result["targets"])
    assert not result["coverage"]["complete"]


@pytest.mark.parametrize("way", WAYS)
def test_an_address_to_which_nothing_leaves_is_unknown(lab: Any, way: dict[str, Any], by_port: ByPort) -> None:
    """As with a full table of connections, or a firewall of the scanner that lets nothing out."""
    with own_firewall(lab, f"ip daddr {lab.open_} drop\n ip6 daddr {lab.open6} drop"):
        result = lab.scan([lab.open_, lab.open6], ports=[21, 53], confirm=True, **way)
    assert {target["status"] for target in result["targets"]} == {"failed"}
    for target in result["targets"]:
        assert set(by_port(target).values()) == {"unknown"}
        assert "not permitted" in target["reason"]
    assert not result["coverage"]["complete"]


def test_udp_that_was_not_sent_is_unknown(lab: Any, by_port: ByPort) -> None:
    for engine in ("nmap", "connect"):
        with own_firewall(lab, f"ip daddr {lab.open_} udp dport 69 drop"):
            (target,) = lab.scan([lab.open_], udp_ports=[53, 69], engine=engine)["targets"]
        assert by_port(target) == {("udp", 53): "open", ("udp", 69): "unknown"}, engine


@pytest.mark.parametrize("way", WAYS)
def test_without_a_route_everything_is_unknown(lab: Any, way: dict[str, Any], by_port: ByPort) -> None:
    ip = ["ip", "-n", lab.vantage, "route"]
    subprocess.run([*ip, "add", "unreachable", "198.18.77.0/24"], check=True)
    try:
        result = lab.scan(["198.18.77.1", "203.0.113.9"], ports=[22, 80], **way)
    finally:
        subprocess.run([*ip, "del", "unreachable", "198.18.77.0/24"], check=True)
    for target in result["targets"]:
        assert set(by_port(target).values()) == {"unknown"}, target
        assert "route" in target["reason"]


@pytest.mark.parametrize("way", WAYS)
def test_ipv6_that_is_off_is_said(lab: Any, way: dict[str, Any], by_port: ByPort) -> None:
    """The message said "out of sockets, ports or memory"."""
    off = "net.ipv6.conf.all.disable_ipv6"
    inside = ["ip", "netns", "exec", lab.vantage]
    addresses = subprocess.run(
        ["ip", "-n", lab.vantage, "-o", "-6", "addr", "show", "scope", "global"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    subprocess.run([*inside, "sysctl", "-qw", f"{off}=1"], check=True)
    try:
        (target,) = lab.scan([lab.open6], ports=[21, 53], **way)["targets"]
    finally:
        subprocess.run([*inside, "sysctl", "-qw", f"{off}=0"], check=True)
        for line in addresses.splitlines():
            _number, device, _family, address = line.split()[:4]
            again = ["ip", "-n", lab.vantage, "-6", "addr", "replace", address, "dev", device, "nodad"]
            subprocess.run(again, check=True)
    assert set(by_port(target).values()) == {"unknown"}
    assert "memory" not in target["reason"]
    assert "IPv6 is off here" in target["reason"] or "determine route" in target["reason"]
