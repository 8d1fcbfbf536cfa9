# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is planted is really there, seen by means that are not this collection's, before an audit is believed."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable

import pytest
from fleet.control import Fleet
from fleet.hosts import HOSTILE_NAME, HOSTS, NAMES
from testinfra.host import Host

Reach = Callable[[str], Host]

LISTENING = {
    "web1": ["tcp://0.0.0.0:80", "tcp://0.0.0.0:443", "tcp://:::80", "tcp://:::443"],
    "cache1": ["tcp://198.18.0.12:6379", "tcp://127.0.0.1:6379"],
    "db1": ["tcp://0.0.0.0:3306", "tcp://0.0.0.0:9100"],
    "dns1": ["tcp://0.0.0.0:53", "udp://0.0.0.0:53", "udp://0.0.0.0:514"],
    "hostile1": ["tcp://0.0.0.0:4444", "tcp://0.0.0.0:4445"],
    "dev1": ["tcp://0.0.0.0:8000", "tcp://127.0.0.1:6379", "udp://0.0.0.0:40000"],
    "app1": ["tcp://0.0.0.0:6380", "tcp://0.0.0.0:8091", "tcp://0.0.0.0:9203", "tcp://127.0.0.1:7777"],
    "gate1": ["tcp://0.0.0.0:443"],
    "policy1": ["tcp://0.0.0.0:8001", "tcp://0.0.0.0:8002", "tcp://127.0.0.1:8003"],
    "noroot1": ["tcp://0.0.0.0:8080"],
}
NOT_LISTENING = {
    "db1": [8080],
    "app1": [9090, 9301, 9302],
    "edge1": [8080],
    "policy1": [8004, 8005, 8006],
    "ns1": [8093, 8094, 8091],
    "hides1": [31337],
}
PROCESSES = {
    "web1": ["nginx"],
    "cache1": ["redis-server"],
    "db1": ["mariadbd"],
    "dns1": ["dnsmasq"],
}


def ss(host: Host, port: int, *flags: str) -> list[str]:
    """The rows of ``ss`` for one local port."""
    out: str = host.check_output(f"ss -H -n -l -e -p {' '.join(flags or ('-t',))} sport = :{port}")
    return out.splitlines()


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_each_host_is_a_machine_of_its_own(reach: Reach, name: str) -> None:
    host = reach(name)
    assert host.check_output("cat /proc/sys/kernel/hostname") == name
    assert NAMES[name] in host.interface("eth0").addresses
    assert host.process.get(pid=1).comm == "init"
    assert {process.comm for process in host.process.filter(comm="init")} == {"init"}
    assert host.socket("tcp://22").is_listening


@pytest.mark.parametrize(("name", "socket_spec"), [(name, one) for name, specs in LISTENING.items() for one in specs])
def test_listens(reach: Reach, name: str, socket_spec: str) -> None:
    assert host_listens(reach(name), socket_spec)


def host_listens(host: Host, socket_spec: str) -> bool:
    return bool(host.socket(socket_spec).is_listening)


@pytest.mark.parametrize(("name", "port"), [(name, one) for name, ports in NOT_LISTENING.items() for one in ports])
def test_does_not_listen(reach: Reach, name: str, port: int) -> None:
    assert ss(reach(name), port) == []


@pytest.mark.parametrize(("name", "comm"), [(name, one) for name, comms in PROCESSES.items() for one in comms])
def test_real_services_run(reach: Reach, name: str, comm: str) -> None:
    assert reach(name).process.filter(comm=comm)


def test_every_account_but_one_is_root(reach: Reach) -> None:
    for name in HOSTS:
        assert reach(name).user().name == ("auditor" if name == "noroot1" else "root")
    refused = reach("noroot1").run("sudo -n true")
    assert refused.rc != 0


def test_dual_stack_and_v6only_sockets_differ_by_their_flag_only(reach: Reach) -> None:
    host = reach("dual1")
    dual, single = ss(host, 8081, "-6t"), ss(host, 8082, "-6t")
    assert len(dual) == len(single) == 1
    assert "v6only:0" in dual[0]
    assert "v6only:1" in single[0]
    socket.create_connection((NAMES["dual1"], 8081), timeout=3).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((NAMES["dual1"], 8082), timeout=3)
    socket.create_connection(("fd00:198:18::15", 8082), timeout=3).close()


@pytest.mark.parametrize("port", [8083, 8084])
def test_device_bound_sockets_are_shut_outside(reach: Reach, port: int) -> None:
    [row] = ss(reach("dual1"), port)
    assert f"0.0.0.0%lo:{port}" in row
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((NAMES["dual1"], port), timeout=3)


@pytest.mark.parametrize("port", [8085, 8086])
def test_several_processes_share_a_port(reach: Reach, port: int) -> None:
    rows = ss(reach("dual1"), port)
    pids = {pid for row in rows for pid in re.findall(r"pid=(\d+)", row)}
    assert len(rows) == len(pids) == 3


def test_mapped_address_is_an_ipv6_socket(reach: Reach) -> None:
    [row] = ss(reach("dual1"), 8087, "-6t")
    assert "[::ffff:198.18.0.15]:8087" in row


def test_a_process_hides_its_name(reach: Reach) -> None:
    host = reach("hostile1")
    # /proc/net and pgrep agree on the pid; ss cannot be read line by line here, which is the point.
    pids = host.check_output("pgrep -f '[p]lanted_socket.py 0.0.0.0 4444'").split()
    assert len(pids) == 1
    assert host.run(f"cat /proc/{pids[0]}/comm").stdout_bytes == HOSTILE_NAME + b"\n"
    with socket.create_connection((NAMES["hostile1"], 4444), timeout=3) as peer:
        assert b"\x1b[31m]]><x>" in peer.recv(200)


def test_an_executable_is_deleted(reach: Reach) -> None:
    host = reach("hostile1")
    process = host.process.get(comm="metricsd")
    assert host.check_output(f"readlink /proc/{process.pid}/exe") == "/tmp/metricsd (deleted)"
    assert not host.file("/tmp/metricsd").exists


def test_processes_are_not_what_is_declared(reach: Reach) -> None:
    host = reach("app1")
    [row] = ss(host, 6380)
    assert '"python3"' in row
    assert not host.process.filter(comm="redis-server")
    [held] = ss(host, 7777)
    assert "pid=1," in held


def test_units_are_control_groups(fleet: Fleet, reach: Reach) -> None:
    if not fleet.units:
        pytest.skip("control groups cannot be made here: verdicts on units are not compared")
    for name, comm, path in (
        ("web1", "nginx", "/system.slice/nginx.service"),
        ("db1", "mariadbd", "/system.slice/mariadb.service"),
        ("dev1", "redis-server", "/system.slice/redis-server.service"),
    ):
        pid = reach(name).process.filter(comm=comm)[0].pid
        assert f"0::{path}" in reach(name).file(f"/proc/{pid}/cgroup").content_string.splitlines()
    [row] = ss(reach("app1"), 8091)
    assert "cgroup:/user.slice/user-1000.slice/session-7.scope" in row.replace("unreachable:", "")
    [held] = ss(reach("app1"), 7777)
    assert "cgroup:/system.slice/echo.socket" in held


def test_database_firewall_drops_by_default_with_one_hole(reach: Reach) -> None:
    rules = json.loads(reach("db1").check_output("nft -j list chain inet filter input"))["nftables"]
    [chain] = [row["chain"] for row in rules if "chain" in row]
    assert chain["policy"] == "drop"
    text = reach("db1").check_output("nft list chain inet filter input")
    assert "ip saddr 198.18.0.201 tcp dport 8080 accept" in text
    assert "9100" not in text


def test_packets_for_edge_go_to_web(reach: Reach) -> None:
    assert "tcp dport 8080 dnat to 198.18.0.11:80" in reach("edge1").check_output("nft list table ip nat")
    answer = reach("scan-internet").check_output("curl -s -i http://198.18.0.20:8080/ || true")
    if not answer:  # curl is not among the packages the fleet needs
        with socket.create_connection((NAMES["edge1"], 8080), timeout=3) as peer:
            peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = peer.recv(200).decode()
    assert "nginx" in answer


def test_ssh_answers_where_https_is_declared(fleet: Fleet) -> None:
    with socket.create_connection((NAMES["gate1"], 443), timeout=3) as peer:
        assert peer.recv(100).startswith(b"SSH-2.0-")


def test_a_listener_is_hidden_from_whoever_looks_from_inside(reach: Reach) -> None:
    host = reach("hides1")
    for table in ("tcp", "tcp6"):
        assert ":7A69 " not in host.check_output(f"cat /proc/net/{table}")
    assert ":0016 " in host.check_output("cat /proc/net/tcp")
    assert host.run("/usr/bin/python3 -c 'import socket; socket.create_server((\"\", 31337))'").rc == 1
    socket.create_connection((NAMES["hides1"], 31337), timeout=3).close()


def test_a_second_network_namespace_listens(reach: Reach) -> None:
    host = reach("ns1")
    assert host.check_output("ip netns list").split()[0] == "blue"
    inside = host.check_output("ip netns exec blue ss -H -n -l -t")
    assert "0.0.0.0:8093" in inside
    assert "0.0.0.0:8094" in inside
    assert "0.0.0.0:8091" in inside


def test_nobody_is_at_the_unreachable_address(fleet: Fleet) -> None:
    with pytest.raises(OSError, match=r"No route to host|timed out"):
        socket.create_connection(("198.18.0.66", 22), timeout=5)


# What each vantage point can open, asked with the kernel's own connect() and nothing of this collection.
@pytest.mark.parametrize(
    ("vantage", "address", "port", "expected"),
    [
        ("internet", "198.18.0.12", 6379, "open"),
        ("office", "198.18.0.12", 6379, "open"),
        ("dmz", "198.18.0.12", 6379, "filtered"),
        ("internet", "198.18.0.13", 8080, "closed"),
        ("office", "198.18.0.13", 8080, "filtered"),
        ("internet", "198.18.0.13", 3306, "filtered"),
        ("dmz", "198.18.0.13", 3306, "open"),
        ("office", "198.18.0.13", 9100, "filtered"),
        ("internet", "198.18.0.19", 443, "open"),
        ("office", "198.18.0.19", 443, "filtered"),
        ("dmz", "198.18.0.20", 8080, "open"),
        ("internet", "198.18.0.24", 8094, "closed"),
        ("internet", "198.18.0.24", 8091, "open"),
        ("internet", "fd00:198:18::11", 443, "open"),
    ],
)
def test_vantage_points_see_different_things(
    reach: Reach, vantage: str, address: str, port: int, expected: str
) -> None:
    probe = (
        "import socket,sys\n"
        "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1).close(); print('open')\n"
        "except ConnectionRefusedError: print('closed')\n"
        "except TimeoutError: print('filtered')\n"
    )
    host = reach(f"scan-{vantage}")
    assert host.check_output("/usr/bin/python3 -c %s %s %s", probe, address, str(port)) == expected
