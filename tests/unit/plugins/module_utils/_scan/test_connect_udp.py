# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: without nmap and without root UDP is open, closed, filtered, silent or unknown as it is with nmap;
and what this machine did not send is never silence. A real dnsmasq, real firewalls, the kernel's own limit of ICMP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.datagrams import (
    MESSAGES,
    messages_for,
    recognise_datagram,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.dns_messages import VERSION_QUESTION

ByPort = Callable[[dict[str, Any]], dict[tuple[str, int], str]]
ENGINES = ["nmap", "connect"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ports", [[], [443]])
def test_both_engines_see_the_same_of_udp(lab: Any, by_port: ByPort, engine: str, ports: list[int]) -> None:
    addresses = [lab.open_, lab.open6, lab.silent, lab.silent6]
    result = lab.scan(addresses, udp_ports=[53, 69], ports=ports, engine=engine, retries=1)
    seen = [by_port(target) for target in result["targets"]]
    assert [(one["udp", 53], one["udp", 69]) for one in seen] == [
        ("open", "closed"),
        ("open", "closed"),
        ("open|filtered", "open|filtered"),
        ("open|filtered", "open|filtered"),
    ]
    assert [target["status"] for target in result["targets"]] == ["complete"] * 4
    reasons = {(r["state"], r["reason"]) for r in result["targets"][0]["states"] if r["protocol"] == "udp"}
    assert reasons == {("open", "udp-response"), ("closed", "port-unreach")}
    assert {e["state"] for e in result["targets"][2]["endpoints"] if e["protocol"] == "udp"} == {"open|filtered"}
    assert result["coverage"]["complete"]


def test_neither_root_nor_nmap_is_needed(lab: Any, by_port: ByPort) -> None:
    result = lab.scan([lab.open_], udp_ports=[53, 69], engine="connect", unprivileged=True, versions=True)
    assert by_port(result["targets"][0]) == {("udp", 53): "open", ("udp", 69): "closed"}
    (endpoint,) = result["targets"][0]["endpoints"]
    assert (endpoint["identification"], endpoint["service"]["product"]) == ("identified", "dnsmasq")


def test_a_firewall_that_refuses_is_filtered(lab: Any, by_port: ByPort) -> None:
    rules = """udp dport 1000 reject with icmp type port-unreachable
udp dport 1001 reject with icmp type admin-prohibited
udp dport 1002 reject with icmp type host-unreachable
udp dport 1003 drop"""
    with lab.with_rules(rules):
        result = lab.scan([lab.fickle], udp_ports=["1000-1003"], engine="connect")
    # A host's own firewall that rejects as a closed port does cannot be told from one, by nobody.
    assert list(by_port(result["targets"][0]).items()) == [
        (("udp", 1000), "closed"),
        (("udp", 1001), "filtered"),
        (("udp", 1002), "filtered"),
        (("udp", 1003), "open|filtered"),
    ]


@pytest.fixture
def behind_a_router(lab: Any) -> Iterator[str]:
    """An address to which the hosts forward, and refuse it in their own name as a closed port is refused."""
    hosts, vantage = ["ip", "netns", "exec", lab.hosts], ["ip", "-n", lab.vantage]
    rules = "table ip router {\nchain forward {\ntype filter hook forward priority 0; reject with icmp type "
    subprocess.run([*hosts, "nft", "-f", "-"], input=f"{rules}port-unreachable\n}}\n}}\n".encode(), check=True)
    subprocess.run([*hosts, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
    subprocess.run(["ip", "-n", lab.hosts, "route", "add", "198.19.77.0/24", "dev", "lab1"], check=True)
    subprocess.run([*vantage, "route", "add", "198.19.77.0/24", "via", lab.open_], check=True)
    try:
        yield "198.19.77.7"
    finally:
        subprocess.run([*vantage, "route", "del", "198.19.77.0/24"], check=True)
        subprocess.run(["ip", "-n", lab.hosts, "route", "del", "198.19.77.0/24"], check=True)
        subprocess.run([*hosts, "sysctl", "-qw", "net.ipv4.ip_forward=0"], check=True)
        subprocess.run([*hosts, "nft", "delete", "table", "ip", "router"], check=True)


def test_a_refusal_of_somebody_else_is_filtered_not_closed(lab: Any, by_port: ByPort, behind_a_router: str) -> None:
    result = lab.scan([behind_a_router], udp_ports=[53, 514], engine="connect")
    assert set(by_port(result["targets"][0]).values()) == {"filtered"}
    assert {row["reason"] for row in result["targets"][0]["states"]} == {"port-unreach"}


@contextmanager
def rules_of_scanner(lab: Any, rule: str) -> Iterator[None]:
    nft = ["ip", "netns", "exec", lab.vantage, "nft"]
    chain = f"table inet own {{ chain output {{ type filter hook output priority 0; policy accept; {rule}\n}}\n}}\n"
    subprocess.run([*nft, "-f", "-"], input=chain.encode(), check=True)
    try:
        yield
    finally:
        subprocess.run([*nft, "delete", "table", "inet", "own"], check=True)


@pytest.mark.parametrize("verdict", ["drop", "reject", "reject with icmpx type admin-prohibited"])
def test_what_the_scanner_itself_refused_to_send_is_unknown(lab: Any, by_port: ByPort, verdict: str) -> None:
    with rules_of_scanner(lab, f"udp dport 69 {verdict}"):
        result = lab.scan([lab.open_, lab.silent6], udp_ports=[53, 69], engine="connect")
    for target, at_53 in zip(result["targets"], ("open", "open|filtered"), strict=True):
        assert by_port(target) == {("udp", 53): at_53, ("udp", 69): "unknown"}
        assert target["status"] == "partial"
        assert "own firewall" in target["reason"]
    assert not result["coverage"]["complete"]


@pytest.mark.parametrize("address", ["198.19.255.1", "fd00:dead::1"])
def test_without_a_way_there_udp_is_unknown(lab: Any, by_port: ByPort, address: str) -> None:
    result = lab.scan([address], udp_ports=[53, 514], engine="connect")
    (target,) = result["targets"]
    assert target["status"] == "failed"
    assert set(by_port(target).values()) == {"unknown"}
    assert "no route" in target["reason"]


def test_a_host_that_is_not_there_is_unknown(lab: Any, by_port: ByPort) -> None:
    result = lab.scan([lab.missing, lab.missing6, lab.silent], udp_ports=[53, 514], engine="connect")
    assert [target["status"] for target in result["targets"]] == ["failed", "failed", "complete"]
    assert set(by_port(result["targets"][0]).values()) == {"unknown"}


@pytest.mark.parametrize("retries", [0, 1])
def test_refusals_that_the_kernel_holds_back_are_no_silence(lab: Any, by_port: ByPort, retries: int) -> None:
    sysctl = ["ip", "netns", "exec", lab.hosts, "sysctl", "-qw"]
    subprocess.run([*sysctl, "net.ipv4.icmp_ratelimit=1000"], check=True)
    try:
        result = lab.scan([lab.open_], udp_ports=["2000-2011"], engine="connect", retries=retries)
    finally:
        subprocess.run([*sysctl, "net.ipv4.icmp_ratelimit=0"], check=True)
    assert set(by_port(result["targets"][0]).values()) == {"closed"}
    assert result["targets"][0]["endpoints"] == []


def test_the_time_is_kept_and_the_rest_is_unknown(lab: Any, by_port: ByPort) -> None:
    before = time.monotonic()
    result = lab.scan([lab.silent], udp_ports=["1000-1999"], engine="connect", rate=100, timeout=3)
    assert time.monotonic() - before < 6
    assert "unknown" in set(by_port(result["targets"][0]).values())
    assert not result["coverage"]["complete"]


def test_a_source_port_of_its_own_never_answers_itself(lab: Any, by_port: ByPort) -> None:
    """From one address to the same one the kernel may take the port asked for as the source."""
    sysctl = ["ip", "netns", "exec", lab.vantage, "sysctl"]
    key = "net.ipv4.ip_local_port_range"
    was = subprocess.run([*sysctl, "-n", key], capture_output=True, check=True, text=True).stdout.strip()
    subprocess.run([*sysctl, "-qw", f"{key}=40000 40004"], check=True)
    try:
        result = lab.scan(["127.0.0.1"], udp_ports=["40000-40004"], engine="connect")
    finally:
        subprocess.run([*sysctl, "-qw", f"{key}={was}"], check=True)
    assert "open" not in set(by_port(result["targets"][0]).values())


def test_a_declared_service_without_a_port_of_its_own_is_found(by_port: ByPort) -> None:
    """dnsmasq on another port than 53: an empty datagram is asked first, and the question of resolvers then."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]

        def answer() -> None:
            while True:
                try:
                    said, peer = server.recvfrom(2000)
                except OSError:
                    return
                if said == VERSION_QUESTION:
                    server.sendto(said[:2] + b"\x84\x05" + said[4:], peer)

        threading.Thread(target=answer, daemon=True).start()
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("scan_program.py"))],
            input=json.dumps(
                {
                    "targets": [{"host": "h", "address": "127.0.0.1"}],
                    "udp_ports": [port],
                    "engine": "connect",
                    "versions": True,
                }
            ).encode(),
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[5] / ".cache" / "tree")},
            capture_output=True,
            check=True,
            timeout=60,
        )
    (target,) = json.loads(done.stdout)["targets"]
    assert by_port(target) == {("udp", port): "open"}
    assert target["endpoints"][0]["service"]["name"] == "domain"


def test_no_message_is_taken_for_its_own_answer() -> None:
    """A service that echoes what it gets is open, and is none of those."""
    for port in (*MESSAGES, 9999):
        for message in messages_for(port):
            assert recognise_datagram(port, message.sent) is None, port


@pytest.mark.parametrize(
    ("port", "said", "name"),
    [
        (123, b"\x24\x01" + bytes(46), "ntp"),
        (123, b"\x23" + bytes(47), None),
        (123, b"\x24", None),
        (111, b"\x76\x70\x72\x74\0\0\0\1" + bytes(16), "rpcbind"),
        (161, bytes.fromhex("303b0201033011020276700203010000040100020103041030a81000"), "snmp"),
        (500, b"vigilprt" + b"x" * 40, "isakmp"),
        (5060, b"SIP/2.0 404 Not Found\r\n", "sip"),
        (5060, b"HTTP/1.1 200 OK\r\n", None),
        (11211, b"\x76\x70\0\0\0\1\0\0VERSION 1.6.18\r\n", "memcached"),
        (5683, b"\x70\x00\x76\x70", "coap"),
        (5353, b"\x76\x70\x84\x05\0\0\0\0\0\0\0\0", "domain"),
        (53, b"", None),
        (9999, b"hello", None),
    ],
)
def test_an_answer_counts_for_what_it_is(port: int, said: bytes, name: str | None) -> None:
    found = recognise_datagram(port, said)
    assert (found.service.name if found else None) == name


def test_every_message_goes_in_one_datagram_and_holds_no_credential() -> None:
    for port, messages in MESSAGES.items():
        assert PortSet.of([port])
        for message in messages:
            assert 0 < len(message.sent) <= 1200
            assert b"public" not in message.sent
