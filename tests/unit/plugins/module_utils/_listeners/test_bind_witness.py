# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bind() sees what the host's lists hide, and calls nothing hidden that has another explanation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Experiment = Callable[..., Any]

WITNESS = """
import threading
from ansible_collections.vigil.ports.plugins.module_utils._listeners import bind_witness, netlink
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

def ask(tcp=(), udp=(), opener=netlink.open_netlink, namespaces="host", proc="/proc"):
    asked = {"tcp": PortSet.parse(tcp), "udp": PortSet.parse(udp)}
    return observe(Request(verify_bind=asked, namespaces=namespaces), Host(opener=opener, proc=proc))

def states(result, namespace="host"):
    rows = [row for row in result["bind"]["ports"] if row["namespace"] == namespace]
    return {f"{row['protocol']}/{port}": row["state"] for row in rows for port in PortSet.parse([row["ports"]])}

def reasons(result):
    return {f"{row['protocol']}/{row['ports']}": row["reason"] for row in result["bind"]["ports"]}

class Deceived:
    '''A netlink socket of which somebody filters out every socket on one port, as a rootkit does.'''
    def __init__(self, protocol, hidden, family=None):
        self.socket, self.hidden, self.family = netlink.open_netlink(protocol), hidden, family
    def __enter__(self):
        return self
    def __exit__(self, *about):
        self.socket.close()
    def send(self, data):
        return self.socket.send(data)
    def recvmsg(self, size):  # never empty: that would be noticed, and /proc read instead
        data, ancillary, flags, sender = self.socket.recvmsg(size)
        kept, offset = b"", 0
        while offset < len(data):
            length, kind = struct.unpack_from("=IH", data, offset)
            one = data[offset : offset + ((length + 3) & ~3)]
            is_hidden = kind == 20 and struct.unpack_from("!H", one, 20)[0] in self.hidden
            if not (is_hidden and self.family in (None, one[16])):
                kept += one
            offset += len(one)
        return (kept, ancillary, flags, sender) if kept else self.recvmsg(size)

def deceived(*hidden, family=None):
    return lambda protocol: Deceived(protocol, hidden, family)

def tcp(address, port, reuse=False, listen=False):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
    made.bind((address, port))
    if listen:
        made.listen()
    return made
"""


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "::", "::1"])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_hidden_listener_is_seen(experiment: Experiment, protocol: str, address: str) -> None:
    made = "listen" if protocol == "tcp" else "datagram"
    listed, told, bound = experiment(
        WITNESS
        + f"""
a = {made}("{address}", 8001)
result = ask(["8000-8002"], ["8000-8002"], deceived(8001))
tell([result["listeners"], states(result), result["bind"]["bound_are_listed"]])
"""
    )
    assert listed == []
    expected = {f"{name}/{port}": "free" for name in ("tcp", "udp") for port in (8000, 8001, 8002)}
    assert told == {**expected, f"{protocol}/8001": "held_by_unlisted"}
    assert bound is True or protocol == "udp"


def test_listeners_that_are_listed_hold_their_ports_and_are_not_called_hidden(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
made = [
    listen("0.0.0.0", 8001), listen("127.0.0.1", 8002), listen("::", 8003, v6only=0), listen("::", 8004, v6only=1),
    listen("::1", 8005), listen("::ffff:127.0.0.1", 8006), listen("0.0.0.0", 8007, device=b"lo"),
    listen("0.0.0.0", 8008, reuseport=True), datagram("0.0.0.0", 8009), datagram("::1", 8010),
]
result = ask(["8000-8011"], ["8000-8011"])
tell([states(result), reasons(result)])
"""
    )
    found, reasons = told
    held = {f"tcp/{port}" for port in range(8001, 8009)} | {"udp/8009", "udp/8010"}
    assert {name for name, state in found.items() if state == "held_by_listed"} == held
    assert {state for name, state in found.items() if name not in held} == {"free"}
    assert set(reasons.values()) == {None, "a listener"}


def test_clients_connections_time_wait_and_bound_sockets_are_no_hidden_listeners(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
server = tcp("127.0.0.1", 8001, reuse=True, listen=True)
client = socket.create_connection(("127.0.0.1", 8001), source_address=("127.0.0.1", 8002))
accepted, peer = server.accept()
late = socket.socket()
late.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
late.bind(("127.0.0.1", 0))
late.connect(("127.0.0.1", 8001))
auto = late.getsockname()[1]
more, peer = server.accept()
ended = socket.create_connection(("127.0.0.1", 8001), source_address=("127.0.0.1", 8003))
other, peer = server.accept()
ended.close()  # the side that closes first keeps TIME_WAIT
other.close()
server.close()  # what it accepted stays
udp = datagram("127.0.0.1", 8005)
udp.connect(("127.0.0.1", 9))
bound = [tcp("0.0.0.0", 8004), tcp("::1", 8006), tcp("127.0.0.1", 8007, reuse=True)]
open("/proc/sys/net/ipv4/ip_local_reserved_ports", "w").write("8008")
waiting = [line.split()[3] for line in open("/proc/net/tcp") if ":1F43" in line.split()[1]]
result = ask(["8001-8008", str(auto)], ["8005"])
tell([auto, waiting, states(result), result["bind"]["bound_are_listed"]])
"""
    )
    auto, waiting, found, bound_are_listed = told
    assert waiting == ["06"]
    assert found["tcp/8002"] == found[f"tcp/{auto}"] == found["tcp/8003"] == found["udp/8005"] == "held_by_listed"
    assert found["tcp/8001"] == "free"  # connections that a stopped server left do not keep the next one out
    assert found["tcp/8007"] == found["tcp/8008"] == "free"
    if bound_are_listed and found["tcp/8004"] != "held_by_unlisted":
        assert found["tcp/8004"] == found["tcp/8006"] == "held_by_listed"
    else:  # before Linux 6.8 a socket that is only bound is in no list, and the result says that it cannot tell
        assert bound_are_listed is False


def test_a_hidden_listener_beside_a_listed_socket_of_the_same_port_is_seen(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
shown = listen("192.0.2.1", 8001)
hidden = listen("127.0.0.1", 8001)
here = listen("::1", 8002)
there = listen("0.0.0.0", 8002)
opener = deceived(8001, 8002)
real = bind_witness.observe_sockets

def half(proc, opener):  # the listing shows one of two
    seen = real(proc, netlink.open_netlink)
    return seen._replace(sockets=tuple(one for one in seen.sockets if one.address in ("192.0.2.1", "::1")))

bind_witness.observe_sockets = half
result = ask(["8001-8002"], opener=opener)
tell([states(result), reasons(result)])
"""
    )
    found, reasons = told
    assert found == {"tcp/8001": "held_by_unlisted", "tcp/8002": "held_by_unlisted"}
    assert "127.0.0.1 is in use" in reasons["tcp/8001"]
    assert "0.0.0.0 is in use, and no ipv4 socket" in reasons["tcp/8002"]


def test_without_the_right_to_bind_nothing_is_said(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
a = listen("0.0.0.0", 81)
os.setuid(65534)
result = ask(["80-81", "8080"], opener=deceived(81))
tell([states(result), result["bind"]["ports"]])
"""
    )
    found, rows = told
    assert found == {"tcp/80": "unknown", "tcp/81": "unknown", "tcp/8080": "free"}
    assert "EACCES" in next(row["reason"] for row in rows if row["state"] == "unknown")


def test_without_netlink_proc_explains_and_without_both_nothing_is_said(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
def refuse(protocol):
    if protocol == netlink.SOCK_DIAG:
        raise OSError(errno.EPERM, "refused")
    return netlink.open_netlink(protocol)
made = listen("0.0.0.0", 8001), listen("::", 8002), tcp("0.0.0.0", 8003)
client = socket.create_connection(("127.0.0.1", 8001), source_address=("127.0.0.1", 8004))
first = ask(["8001-8005"], opener=refuse)
second = ask(["8001-8005"], opener=refuse, proc="/nowhere")
tell([states(first), first["bind"]["bound_are_listed"], states(second)])
"""
    )
    by_proc, bound_are_listed, blind = told
    assert by_proc == {
        "tcp/8001": "held_by_listed",
        "tcp/8002": "held_by_listed",
        "tcp/8003": "held_by_unlisted",
        "tcp/8004": "held_by_listed",
        "tcp/8005": "free",
    }
    assert bound_are_listed is False
    assert blind == {**dict.fromkeys((f"tcp/{port}" for port in range(8001, 8005)), "unknown"), "tcp/8005": "free"}


def test_a_listener_that_starts_or_ends_between_bind_and_listing_is_no_hidden_one(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
real = bind_witness.observe_sockets
ending, looks = listen("0.0.0.0", 8001), []

def late(proc, opener):
    looks.append(1)
    if len(looks) == 1:
        ending.close()
        globals().update(starting=listen("0.0.0.0", 8002))
    return real(proc, opener)

bind_witness.observe_sockets = late
result = ask(["8001-8002"])
tell([states(result), len(looks)])
"""
    )
    found, looks = told
    assert found == {"tcp/8001": "free", "tcp/8002": "free"}
    assert looks == 2  # 8001 was in use and not listed, so it was looked at again


def test_each_namespace_is_tried_by_itself(experiment: Experiment) -> None:
    host, blue = experiment(
        WITNESS
        + """
os.makedirs("/run/netns", exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
subprocess.run(["ip", "netns", "add", "blue"], check=True)
subprocess.run(["ip", "-n", "blue", "link", "set", "lo", "up"], check=True)
code = "import socket; s = socket.create_server(('0.0.0.0', 8001)); print(flush=True); input()"
inside = subprocess.Popen(["ip", "netns", "exec", "blue", sys.executable, "-c", code],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
inside.stdout.readline()
result = ask(["8001"], opener=deceived(8001), namespaces="all")
inside.communicate(b"\\n")
tell([states(result), states(result, "netns/blue")])
""",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    )
    assert host == {"tcp/8001": "free"}
    assert blue == {"tcp/8001": "held_by_unlisted"}


def test_the_trial_leaves_nothing_and_stops_no_service_that_starts(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
started = []
real = socket.socket.bind

def bind(self, address):  # the service starts in the very moment in which the trial holds its port
    real(self, address)
    if address == ("0.0.0.0", 8001) and not started:
        started.append(None)
        started[0] = tcp("0.0.0.0", 8001, reuse=True, listen=True)

socket.socket.bind = bind
before = len(os.listdir("/proc/self/fd"))
result = ask(["8001-8003"], ["8001-8003"])
after = len(os.listdir("/proc/self/fd"))
tell([after - before, len(open("/proc/net/tcp").readlines()), states(result)["tcp/8002"], started[0] is not None])
"""
    )
    assert told == [1, 2, "free", True]  # the service's own socket, and its line below the heading


def test_nothing_is_tried_unless_it_is_asked_for(experiment: Experiment) -> None:
    assert experiment('tell("bind" in observe(Request(), Host()))') is False


def test_every_port_of_both_protocols_is_told_in_one_entry_each(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
a = listen("0.0.0.0", 8001)
tell(ask(["1-65535"], ["1-65535"])["bind"])
"""
    )
    assert told["asked"] == {"tcp": "1-65535", "udp": "1-65535"}
    assert told["ports"] == [
        {"namespace": "host", "protocol": "tcp", "state": "free", "reason": None, "ports": "1-8000,8002-65535"},
        {"namespace": "host", "protocol": "tcp", "state": "held_by_listed", "reason": "a listener", "ports": "8001"},
        {"namespace": "host", "protocol": "udp", "state": "free", "reason": None, "ports": "1-65535"},
    ]


def test_what_ipv6_sockets_hold_of_ipv4_is_not_known_where_they_cannot_be_listed(experiment: Experiment) -> None:
    told = experiment(
        WITNESS
        + """
dual = listen("::", 8001, v6only=0)
ends, seen = bind_witness._ends_of, bind_witness.observe_sockets

def refuse(protocol, family, proc, opener):
    if family == socket.AF_INET6:
        raise netlink.NetlinkError("refused")
    return ends(protocol, family, proc, opener)

bind_witness._ends_of = refuse
bind_witness.observe_sockets = lambda proc, opener: seen(proc, opener)._replace(sockets=())
result = ask(["8001"])
tell([states(result), reasons(result)["tcp/8001"]])
"""
    )
    found, reason = told
    assert found == {"tcp/8001": "unknown"}
    assert reason == "the ipv6 sockets that do not listen could not be listed: refused"
