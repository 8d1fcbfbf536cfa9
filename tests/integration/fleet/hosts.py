# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is planted where. The declarations are in ``inventory/``, what must be found is in ``truth.yml``."""

from __future__ import annotations

import dataclasses
import os

from .layout import DMZ, INNER4, INTERNET, ipv4, ipv6
from .services import PYTHON, Command, Service, certificate, dnsmasq, mariadb, nginx, planted, redis, sshd, unit

HOSTILE_NAME = b"]]><x>\n\x1b[31m\xff"  # at most 15 bytes
HOSTILE_BANNER = b"\x1b[31m]]><x> [click](http://attacker.example) ::error::x\xff\xfe\r\n"
HOSTILE_ARGUMENT = b"]]>\n::error::<script>alert(1)</script> @everyone \xe2\x80\xae \xff password=hunter2"


@dataclasses.dataclass(frozen=True)
class Host:
    """A host of the fleet: its address is ``198.18.0.<octet>`` and ``fd00:198:18::<octet>``."""

    name: str
    octet: int
    services: tuple[Service, ...] = ()
    firewall: str = ""  # nftables, loaded before anything listens
    sysctl: tuple[tuple[str, str], ...] = ()
    namespace: str | None = None  # a second network namespace as `ip netns` makes it, with a wire to the host
    held_by_init: tuple[tuple[str, int], ...] = ()  # (socket unit, port): sockets of process 1
    accounts: tuple[str, ...] = ()  # besides the machine's own
    hides: int | None = None  # a TCP port that is hidden from every program of an SSH session


# Default drop. What is let through by intent: SSH from all, the database from dmz. What is not: 8080 from internet,
# where nothing listens yet; and 9100 is forgotten, which office should reach.
DATABASE_FIREWALL = f"""
table inet filter {{
  chain input {{
    type filter hook input priority filter; policy drop;
    iif lo accept
    ct state established,related accept
    meta l4proto {{ icmp, ipv6-icmp }} accept
    tcp dport 22 accept
    ip saddr {DMZ} tcp dport 3306 accept
    ip saddr {INTERNET} tcp dport 8080 accept
  }}
}}
"""
# Redis is for office. The way from dmz is shut, the way from the internet was forgotten.
CACHE_FIREWALL = f"""
table inet filter {{
  chain input {{
    type filter hook input priority filter; policy accept;
    ip saddr {DMZ} tcp dport 6379 drop
  }}
}}
"""
GATE_FIREWALL = f"""
table inet filter {{
  chain input {{
    type filter hook input priority filter; policy accept;
    ip saddr != {{ {INTERNET}, {ipv4(1)} }} tcp dport 443 drop
  }}
}}
"""
# Published by nothing on the host itself: the packets go on to web1.
EDGE_FIREWALL = f"""
table ip nat {{
  chain prerouting {{
    type nat hook prerouting priority dstnat; policy accept;
    tcp dport 8080 dnat to {ipv4(11)}:80
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip daddr {ipv4(11)} tcp dport 80 masquerade
  }}
}}
"""
# A published port of a container: the host itself shows no listener for it.
CONTAINER_FIREWALL = f"""
table ip nat {{
  chain prerouting {{
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr {ipv4(24)} tcp dport 8091 dnat to {INNER4}2:8091
  }}
}}
"""


def _deleted_executable() -> Service:
    """A service whose program was replaced under it, as an upgrade without a restart leaves it."""
    program = "/tmp/metricsd"
    script = planted("0.0.0.0", 4445).command[1:]
    return Service(
        unit=unit("metricsd.service"),
        command=(program, *script),
        listens=("tcp/4445",),
        user="nobody",
        before=(("install", "-m", "755", os.path.realpath(PYTHON), program),),
        after=(("rm", program),),
        environment={"PYTHONHOME": "/usr"},
    )


def _development_server() -> Service:
    return Service(
        unit="user.slice/user-1000.slice/session-3.scope",
        command=(PYTHON, "-m", "http.server", "8000", "--bind", "0.0.0.0", "--directory", "/var/lib/misc"),
        listens=("tcp/8000",),
        user="nobody",
    )


def _in_namespace(name: str) -> Command:
    return ("nsenter", f"--net=/run/netns/{name}", "--")


_TLS = "ssl_certificate /run/fleet/tls.crt; ssl_certificate_key /run/fleet/tls.key;"

_HOSTS = (
    # Nothing is wrong here.
    Host(
        "web1",
        11,
        (
            nginx(
                "listen 80; listen [::]:80;",
                f"listen 443 ssl; listen [::]:443 ssl; {_TLS}",
                listens=("tcp/80", "tcp/443"),
                before=(certificate("web1"),),
            ),
        ),
    ),
    # Redis is declared for office, and open from the internet as well.
    Host("cache1", 12, (redis(ipv4(12), "127.0.0.1"),), firewall=CACHE_FIREWALL),
    # A default-drop firewall with a forgotten hole, and a service that it blocks.
    Host(
        "db1",
        13,
        (mariadb(), planted("0.0.0.0", 9100, unit_path=unit("exporter.service"))),
        firewall=DATABASE_FIREWALL,
    ),
    # DNS over UDP and TCP; and a syslog server that never answers, so that its state stays open|filtered.
    Host("dns1", 14, (planted("0.0.0.0", 514, "--udp", user="root", unit_path=unit("syslog.service")),)),
    # Every kind of address that looks like another one.
    Host(
        "dual1",
        15,
        (
            planted("::", 8081),
            planted("::", 8082, "--v6only"),
            planted("0.0.0.0", 8083, "--device", "lo"),
            planted("0.0.0.0", 8084, "--device", "lo"),
            planted("0.0.0.0", 8085, "--processes", "3"),
            planted("127.0.0.2", 8086, "--processes", "3"),
            planted("::ffff:" + ipv4(15), 8087),
            planted("::1", 8088),
        ),
    ),
    # A process that hides its name, and one whose executable is gone.
    Host(
        "hostile1",
        16,
        (
            planted(
                "0.0.0.0",
                4444,
                name=HOSTILE_NAME,
                banner=HOSTILE_BANNER,
                rest=(HOSTILE_ARGUMENT,),
                unit_path=unit("hostile.service"),
            ),
            _deleted_executable(),
        ),
    ),
    # What developers leave behind.
    Host(
        "dev1",
        17,
        (_development_server(), redis("127.0.0.1"), planted("0.0.0.0", 40000, "--udp", "--packets", user="root")),
    ),
    # Declared one thing, running another.
    Host(
        "app1",
        18,
        (
            planted("0.0.0.0", 6380, unit_path=unit("redis-server.service")),
            planted("0.0.0.0", 8091, unit_path="user.slice/user-1000.slice/session-7.scope"),
            planted("0.0.0.0", 9203),
        ),
        held_by_init=(("echo.socket", 7777),),
    ),
    # SSH where HTTPS is declared.
    Host("gate1", 19, (sshd("gate1", port=443, name="ssh-alt"),), firewall=GATE_FIREWALL),
    # DNAT to another host's service: open from outside, and nothing listens.
    Host("edge1", 20, firewall=EDGE_FIREWALL, sysctl=(("net.ipv4.ip_forward", "1"),)),
    # Listeners that exceptions excuse, or no longer do.
    Host("policy1", 21, (planted("0.0.0.0", 8001), planted("0.0.0.0", 8002), planted("127.0.0.1", 8003))),
    # Ansible is not root here.
    Host(
        "noroot1",
        22,
        (nginx("listen 8080;", listens=("tcp/8080",)),),
        accounts=("auditor:x:61017:61017::/home/auditor:/bin/sh",),
    ),
    # Its declared inventory is not valid.
    Host("bad1", 23),
    # A second network namespace inside, as a container has.
    Host(
        "ns1",
        24,
        (
            planted("0.0.0.0", 8093, "--packets", prefix=_in_namespace("blue"), user="root"),
            planted("0.0.0.0", 8094, prefix=_in_namespace("blue"), user="root"),
            planted("0.0.0.0", 8091, prefix=_in_namespace("blue"), user="root"),
        ),
        firewall=CONTAINER_FIREWALL,
        sysctl=(("net.ipv4.ip_forward", "1"),),
        namespace="blue",
    ),
    # A listener that the host hides from netlink, /proc, ss: everything that is run on it by SSH is deceived.
    Host("hides1", 25, (planted("0.0.0.0", 31337, user="root"),), hides=31337),
    # Where the scans stand.
    Host("scan-internet", 201),
    Host("scan-office", 202),
    Host("scan-dmz", 203),
)

UNREACHABLE = "ghost1"  # in the inventory at 198.18.0.66, where nobody is

NAMES = {host.name: ipv4(host.octet) for host in _HOSTS}


def _complete(host: Host) -> Host:
    """The host with what every host has, or needs the whole fleet to be known."""
    extra: tuple[Service, ...] = (sshd(host.name, hides=host.hides),)
    if host.name == "dns1":
        extra += (dnsmasq(NAMES),)
    return dataclasses.replace(host, services=extra + host.services)


HOSTS = {host.name: _complete(host) for host in _HOSTS}
ADDRESSES6 = {host.name: ipv6(host.octet) for host in _HOSTS}
