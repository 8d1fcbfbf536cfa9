# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults while a host is listed: what may not be seen, and what changes under the look."""

from __future__ import annotations

import shlex
from typing import Any

from faults.audits import Auditing
from faults.conftest import Telling
from faults.inside import Inside
from faults.table import assessed, failed, fault, not_assessed

PYTHON = "/run/fleet/python"
FILTERED = "/run/fleet/filtered.py"
BIRTHS = 10_000

# A real seccomp filter that refuses socket(AF_NETLINK, ...), and stays over execve(2); x86_64 and aarch64.
FILTER = """
import ctypes, errno, os, platform, struct, sys
number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, 16)]
steps += [(0x06, 0, 0, 0x00050000 | errno.EPERM), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
program = struct.pack("@HP", len(steps), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0, ctypes.get_errno()
os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv[1:]])
"""

# So many processes that end at once, of which the module is none.
SHORT_LIVES = f"""
import os
for _birth in range({BIRTHS}):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
open("/run/fleet/lives", "w").write("{BIRTHS}")
"""
SHORT_LISTENERS = f"""
import socket
for _birth in range({BIRTHS}):
    with socket.create_server(("127.0.0.1", 0)):
        pass
open("/run/fleet/lives", "w").write("{BIRTHS}")
"""

WITHOUT_A_PORT = """
import signal, socket
packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
open("/run/fleet/waits", "w").close()
signal.pause()
"""


TUNNEL = """
import signal, socket
tunnel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tunnel.bind(("0.0.0.0", 51820))
open("/run/fleet/tunnel", "w").close()
signal.pause()
"""


#: What an account that is nobody special is not told either.
NOT_TOLD = ("noroot1:namespaces-unknown", "noroot1:translation-unknown")


def through(host: Inside, script: str) -> dict[str, Any]:
    """Host variables by which the modules run through a shell script."""
    return {host.name: {"ansible_python_interpreter": host.script(PYTHON, f"#!/bin/sh\n{script}")}}


@fault(
    "not-root",
    area="listing",
    fault="Ansible is not root on the host",
    cause="a host to which Ansible logs in as an account that is nobody special",
    says=not_assessed("noroot1:owner-unknown:tcp/22", *NOT_TOLD, line="`processes-denied`"),
)
def test_a_listing_without_root(audit: Auditing, told: Telling) -> None:
    told(audit("noroot1"))


@fault(
    "hidepid",
    area="listing",
    fault="/proc hides the processes of others",
    cause="/proc mounted with hidepid=2, and an account that is nobody special",
    says=not_assessed(
        "noroot1:owner-unknown:tcp/22", *NOT_TOLD, line="the processes behind the socket are not all known"
    ),
)
def test_a_proc_that_hides_processes(audit: Auditing, told: Telling, noroot1: Inside) -> None:
    noroot1.breaks("mount -o remount,hidepid=2 /proc", "mount -o remount,hidepid=0 /proc")
    told(audit("noroot1"))


@fault(
    "netlink-refused",
    area="listing",
    fault="The kernel refuses netlink",
    cause="a real seccomp filter around the module; /proc/net is read instead",
    says=not_assessed(
        "web1:translation-unknown", line="read from /proc/net, which tells no bound device, cgroup or IPV6_V6ONLY"
    ),
)
def test_netlink_is_refused(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.script(FILTERED, FILTER)
    told(audit(host_vars=through(web1, f'exec /usr/bin/python3 {FILTERED} "$@"')))


@fault(
    "netlink-and-proc-refused",
    area="listing",
    fault="Neither netlink nor /proc can be read",
    cause="a real seccomp filter around the module, and an empty file system over /proc",
    says=not_assessed(
        "web1:not-listed:tcp_ipv4",
        "web1:not-listed:tcp_ipv6",
        "web1:not-listed:udp_ipv4",
        "web1:not-listed:udp_ipv6",
        "web1:not-listed:packet",
        "web1:not-listed:raw_ipv4",
        "web1:not-listed:raw_ipv6",
        "web1:protocols-unreadable",
        "web1:translation-unknown",
        "web1:namespaces-unknown",
        line="netlink: EPERM (Operation not permitted); /proc/net: [Errno 2] No such file or directory",
    ),
)
def test_netlink_and_proc_are_refused(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.script(FILTERED, FILTER)
    without = f'mount -t tmpfs tmpfs /proc && exec /usr/bin/python3 {FILTERED} "$@"'
    told(audit(host_vars=through(web1, f"exec unshare --mount sh -c '{without}' sh \"$@\"")))


@fault(
    "packet-socket",
    area="listing",
    fault="A program listens below IP, without a port",
    cause="a process with a packet socket and a raw socket, as a backdoor that waits for one magic packet has",
    says=failed(
        "web1:undeclared-raw-socket:packet/held-by:python3/root",
        "web1:undeclared-raw-socket:raw/held-by:python3/root",
        line="python3 (root) has a packet socket (",
    ),
)
def test_a_program_that_listens_without_a_port(audit: Auditing, told: Telling, web1: Inside) -> None:
    waits = web1.script(f"{PYTHON}-waits", WITHOUT_A_PORT)
    program = web1.start("/usr/bin/python3", waits)
    try:
        web1.run("until test -e /run/fleet/waits; do sleep 0.05; done; rm /run/fleet/waits")
        told(audit())
    finally:
        web1.run("pkill -f '[-]waits'")  # nsenter, which was started, is not what listens
        program.wait(10)


@fault(
    "namespace-of-its-own",
    area="listing",
    fault="A container with an address of its own, and only the host's own network namespace is asked for",
    cause="a second network namespace on the host with an address, and audit_namespaces as it is by default",
    says=not_assessed("web1:namespaces-not-listed:1", line="audit_namespaces: all lists it"),
)
def test_a_namespace_with_an_address_of_its_own_is_left_out(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.run("ip netns add side && ip -netns side address add 198.19.77.1/32 dev lo")
    try:
        told(audit())
    finally:
        web1.run("ip netns delete side")


@fault(
    "udp-behind-translation",
    area="listing",
    fault="A UDP port leads to another host by address translation, and what is there stays silent",
    cause="nftables on the host: udp/5514 to the syslog server of another host, which never answers",
    says=not_assessed("web1:translated:udp/5514", line="leads elsewhere by address translation"),
)
def test_udp_that_leads_elsewhere(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.run("nft add table ip led && nft add chain ip led pre '{ type nat hook prerouting priority dstnat; }'")
    web1.run("nft add rule ip led pre udp dport 5514 dnat to 198.18.0.14:514")
    try:
        told(audit())
    finally:
        web1.run("nft delete table ip led")


@fault(
    "node-port",
    area="listing",
    fault="A port above those that a scan asks for leads to another host by address translation",
    cause="nftables on the host: tcp/30080 to the web server of another host, by a chain as kube-proxy makes them",
    says=failed(
        "web1:undeclared-exposure:tcp/30080@office",
        "web1:open-without-listener:tcp/30080@office",
        line="tcp/30080 at 198.18.0.11 is open from office, undeclared",
    ),
)
def test_a_port_that_leads_elsewhere(audit: Auditing, told: Telling, web1: Inside) -> None:
    rules = (
        "add table ip led",
        "add chain ip led server",
        "add chain ip led pre { type nat hook prerouting priority dstnat; }",
        "add chain ip led post { type nat hook postrouting priority srcnat; }",
        "add rule ip led server meta l4proto tcp dnat to 198.18.0.22:8080",
        "add rule ip led pre tcp dport 30080 jump server",
        "add rule ip led post ip daddr 198.18.0.22 masquerade",
    )
    web1.run(f"printf '%s\\n' {' '.join(map(shlex.quote, rules))} | nft -f - && sysctl -qw net.ipv4.ip_forward=1")
    try:
        told(audit())
    finally:
        web1.run("nft delete table ip led && sysctl -qw net.ipv4.ip_forward=0")


@fault(
    "port-that-stays",
    area="listing",
    fault="A tunnel listens on a UDP port that looks as if the kernel had picked it for a client",
    cause="a process on udp/51820, the port of WireGuard; the audit runs twice",
    says=failed("web1:undeclared-listener:udp/51820", line="the same process had it at"),
)
def test_a_port_that_looks_ephemeral_and_stays(audit: Auditing, told: Telling, web1: Inside) -> None:
    program = web1.start("/usr/bin/python3", web1.script(f"{PYTHON}-tunnel", TUNNEL))
    try:
        web1.run("until test -e /run/fleet/tunnel; do sleep 0.05; done; rm /run/fleet/tunnel")
        first = audit()
        assert first.exit_status == 0, first.output  # which is no news of a client
        told(audit())
    finally:
        web1.run("pkill -f '[-]tunnel'")
        program.wait(10)


@fault(
    "short-processes",
    area="listing",
    fault="Processes begin and end while the host is listed",
    cause=f"{BIRTHS:,} processes that live for less than a millisecond, while the module runs",
    says=assessed("web1", line="Everything in scope was looked at."),
)
def test_processes_come_and_go(audit: Auditing, told: Telling, web1: Inside) -> None:
    told(audit(host_vars=during(web1, SHORT_LIVES)))
    assert web1.run("cat /run/fleet/lives") == str(BIRTHS)


@fault(
    "short-listeners",
    area="listing",
    fault="Listeners open and close while the host is listed",
    cause=f"{BIRTHS:,} sockets that listen on loopback for less than a millisecond, while the module runs",
    says=assessed("web1", line="Everything in scope was looked at."),
)
def test_listeners_come_and_go(audit: Auditing, told: Telling, web1: Inside) -> None:
    told(audit(host_vars=during(web1, SHORT_LISTENERS)))
    assert web1.run("cat /run/fleet/lives") == str(BIRTHS)


def during(host: Inside, disturbance: str) -> dict[str, Any]:
    """The module runs while a disturbance does: that begins before it, and is waited for after it."""
    host.run("rm -f /run/fleet/lives")
    host.script("/run/fleet/disturb.py", disturbance)
    begin = "/usr/bin/python3 /run/fleet/disturb.py < /dev/null > /dev/null 2>&1 &"
    return through(host, f'{begin}\n/usr/bin/python3 "$@"; s=$?; wait; exit $s')


@fault(
    "namespace-closed",
    area="listing",
    fault="A network namespace cannot be entered",
    cause="a namespace of ip-netns(8), and a module that runs without CAP_SYS_ADMIN",
    says=not_assessed("web1:namespace-missed:netns/closed", line="could not be entered"),
)
def test_a_namespace_that_cannot_be_entered(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.breaks("ip netns add closed", "ip netns delete closed")
    without = through(web1, 'exec setpriv --bounding-set=-sys_admin /usr/bin/python3 "$@"')
    told(audit(host_vars=without, audit_namespaces="all"))
