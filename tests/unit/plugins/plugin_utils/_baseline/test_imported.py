# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of other tools become proposals; a line that is not understood is named, never skipped. The texts are what the
tools print: iproute2 6.1, net-tools 2.10."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.imported import (
    addresses_of,
    format_of,
    imported_for,
    imported_from_nmap,
    read_goss,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.proposals import folded
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.socket_text import (
    NotUnderstoodError,
    read_netstat,
    read_ss,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import given
from hypothesis import strategies as st

SS = """\
Netid State  Recv-Q Send-Q       Local Address:Port  Peer Address:PortProcess
udp   UNCONN 0      0 127.0.0.53%lo:53 0.0.0.0:*    users:(("systemd-resolve",pid=61,fd=11))
udp   UNCONN 0      0 0.0.0.0:40123 0.0.0.0:*
udp   UNCONN 0      0 *:5353 *:*
tcp   LISTEN 0      128 127.0.0.1:6379 0.0.0.0:*    users:(("redis-server",pid=4,fd=4))
tcp   LISTEN 0      128 0.0.0.0:22 0.0.0.0:*    users:(("sshd",pid=26,fd=3))
tcp   LISTEN 0      128 [::1]:8088 [::]:*
tcp   LISTEN 0      128 [::ffff:127.0.0.1]:8087 *:*
tcp LISTEN 0 128 [fd00:198:18:1234:5678:9abc:def0:11]:443 [::]:* users:(("nginx",pid=11,fd=5),("nginx",pid=12,fd=5))
tcp   LISTEN 0      128 [fe80::1]%eth0:546 [::]:*
tcp   LISTEN 0      128 *:80 *:*
tcp   ESTAB  0      0 10.0.0.1:22 10.0.0.2:50000
"""
NETSTAT = """\
Aktive Internetverbindungen (Nur Server)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        0      0 127.0.0.1:6379          0.0.0.0:*               LISTEN      26621/redis-server
tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      26/sshd: /usr/sbin/
tcp6       0      0 ::1:8088                :::*                    LISTEN      -
tcp6       0      0 127.0.0.1:8087          :::*                    LISTEN      -
tcp6       0      0 fd00:198:18:1234:5678:9abc:def0:11:443 :::*                    LISTEN      11/nginx
tcp6       0      0 :::80                   :::*                    LISTEN      -
udp        0      0 127.0.0.53:53           0.0.0.0:*                           61/systemd-resolve
udp6       0      0 :::5353                 :::*                                -
tcp        0      0 10.0.0.1:22             10.0.0.2:50000          VERBUNDEN   -
unix  2      [ ACC ]     STREAM     HÖRT         15110    /run/x:1
"""
GOSS = """\
service:
  sshd: {running: true}
port:
  tcp:22:
    listening: true
    ip: [0.0.0.0]
  tcp6:22:
    listening: true
  tcp:8080:
    listening: false
  udp:53:
    listening: true
    ip:
      - 127.0.0.1
      - "::1"
"""
NMAP = b"""<?xml version="1.0"?><nmaprun scanner="nmap" version="7.93">
<host><status state="up"/><address addr="192.0.2.10" addrtype="ipv4"/><ports>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh" method="probed"/></port>
<port protocol="tcp" portid="80"><state state="open" reason="syn-ack"/><service name="http" method="table"/></port>
<port protocol="tcp" portid="81"><state state="closed" reason="reset"/></port>
<port protocol="udp" portid="53"><state state="open|filtered" reason="no-response"/></port></ports></host>
<host><status state="up"/><address addr="198.51.100.1" addrtype="ipv4"/>
<hostnames><hostname name="web2.example.net" type="user"/></hostnames><ports>
<port protocol="tcp" portid="443"><state state="open" reason="syn-ack"/></port></ports></host>
<host><status state="up"/><address addr="203.0.113.9" addrtype="ipv4"/><ports/></host>
<runstats><finished exit="success"/><hosts up="3"/></runstats></nmaprun>"""

EXPECTED = {
    ("tcp", 22): {"process": "sshd"},
    ("tcp", 80): {},
    ("tcp", 443): {"address": "fd00:198:18:1234:5678:9abc:def0:11", "process": "nginx"},
    ("tcp", 6379): {"address": "loopback", "process": "redis-server"},
    ("tcp", 8087): {"address": "loopback"},
    ("tcp", 8088): {"address": "loopback"},
    ("udp", 53): {"address": "loopback", "process": "systemd-resolve"},
    ("udp", 5353): {},
}


def facts(entries: Any) -> dict[tuple[str, int], dict[str, Any]]:
    left = ("port", "protocol", "justification", "owner")
    return {
        (one.get("protocol", "tcp"), one["port"]): {key: value for key, value in one.items() if key not in left}
        for one in entries
    }


@pytest.mark.parametrize(
    ("kind", "text", "more"),
    [("ss", SS, {("tcp", 546): {"address": "fe80::1"}}), ("netstat", NETSTAT, {})],
)
def test_each_listener_is_proposed_as_the_tool_shows_it(kind: str, text: str, more: Any) -> None:
    assert format_of(text.encode()) == kind
    proposal = imported_for("web1", kind, text.encode(), {}, None)
    assert facts(proposal.entries) == EXPECTED | more
    entries: Any = list(proposal.entries)
    assert load_inventory({"vigil_ports__proposed": entries})[1] == ()
    assert any("taken as headings" in one for one in proposal.left_out)
    assert any("no listener" in one for one in proposal.left_out)


def test_the_columns_that_are_left_out_with_one_protocol() -> None:
    text = "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\nLISTEN 0 128 [::]:22 [::]:*\n"
    (one,) = read_ss(text).listeners
    assert (one.protocol, str(one.address), one.port) == ("tcp", "::", 22)
    assert read_ss(text.splitlines()[1]).listeners == (one,)


def test_what_looks_ephemeral_is_left_out_and_said() -> None:
    said = imported_for("web1", "ss", SS.encode(), {}, None).left_out
    assert any("udp/40123" in one and "ephemeral" in one for one in said)


def test_what_is_declared_or_proposed_is_not_proposed_again() -> None:
    declared = [build.declared(22), build.declared("5000-6000", protocol="udp")]
    proposed = [build.declared(6379, address="loopback"), build.declared(443, address="loopback")]
    variables = {"vigil_ports__web": declared, "vigil_ports__proposed": proposed}
    left = facts(imported_for("web1", "ss", SS.encode(), variables, None).entries)
    assert set(left) == {*EXPECTED, ("tcp", 546)} - {("tcp", 22), ("tcp", 6379), ("udp", 5353)}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("tcp   LISTEN 0  128  0.0.0.0:ssh   0.0.0.0:*", "the port 'ssh' is a name: use -n"),
        ("tcp   LISTEN 0  128  0.0.0.0:70000 0.0.0.0:*", "70000 is no port"),
        ("tcp   LISTEN 0  128  0.0.0.0.0:22  0.0.0.0:*", "does not appear to be"),
        ("tcp   LISTEN 0  128  nowhere       0.0.0.0:*", "no address with a port"),
        ("tcp   LISTEN 0", "too few columns"),
        ("tcp   LISTEN 0  128  0.0.0.0:22    0.0.0.0:*  users:((broken", "processes are not understood"),
        ("something: else entirely", "not a line of ss"),
    ],
)
def test_a_line_of_ss_that_is_not_understood_is_named(line: str, why: str) -> None:
    with pytest.raises(NotUnderstoodError, match=r"(?s)line 14: .*") as caught:
        read_ss(f"{SS}\n{line}\n")
    assert why in str(caught.value)


def test_an_address_that_netstat_cut_is_not_taken_for_another() -> None:
    line = "tcp6       0      0 fd00:198:18:1234:56:443 :::*                    LISTEN\n"
    with pytest.raises(NotUnderstoodError, match="line 13: the address may have been cut"):
        read_netstat(NETSTAT + line)


@pytest.mark.parametrize("text", ["", "\n\n", "Hello world\n", "Netid State Recv-Q Send-Q Local Address:Port\n"])
def test_a_file_that_tells_of_nothing_is_no_empty_success(text: str) -> None:
    for read in (read_ss, read_netstat):
        with pytest.raises(NotUnderstoodError, match="no line tells of a socket"):
            read(text)


@given(st.lists(st.sampled_from([*SS.splitlines(), *NETSTAT.splitlines(), "x:1 y", "tcp", "\x00:1"]), max_size=6))
def test_every_line_is_accounted_for(lines: list[str]) -> None:
    """What is read is a listener, or said to be none, or the header, or the file is refused."""
    for read in (read_ss, read_netstat):
        try:
            found = read("\n".join(lines))
        except NotUnderstoodError:
            continue
        told = sum(int(one.rsplit(", ", 1)[1].split()[0]) for one in found.said)
        assert len(found.listeners) + told == len([line for line in lines if line.strip()])


@pytest.mark.parametrize("text", [GOSS, json.dumps({"port": {"tcp:22": {"listening": True}}})])
def test_goss_is_known_by_its_sections(text: str) -> None:
    assert format_of(text.encode()) == "goss"
    assert read_goss(text).listeners[0].port == 22


NETSTAT_HEAD = "Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name\n"


@pytest.mark.parametrize("head", ["", NETSTAT_HEAD, "Aktive Internetverbindungen (Nur Server)\n" + NETSTAT_HEAD])
def test_a_listener_on_all_addresses_is_never_a_heading(head: str) -> None:
    lines = "".join(
        f"tcp6       0      0 :::{port}                 :::*                    LISTEN      812/app\n"
        for port in (9000, 9001)
    )
    assert [one.port for one in read_netstat(head + lines).listeners] == [9000, 9001]
    assert format_of((head + lines).encode()) == "netstat"


def test_sections_of_other_sockets_are_passed_over() -> None:
    inet = NETSTAT_HEAD + "tcp        0      0 127.0.0.1:631           0.0.0.0:*               LISTEN      700/cupsd\n"
    unix = (
        "Aktive Sockets in der UNIX-Dom\xe4ne (Nur Server)\n"
        "Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Path\n"
        "unix  2      [ ACC ]     STREAM     LISTENING     20811    1/init               /run/systemd/private:1\n"
    )
    bluetooth = "Active Bluetooth connections (only servers)\nl2cap  00:1A:7D:DA:71:13 00:00:00:00:00:00 1 LISTEN\n"
    more = "udp        0      0 0.0.0.0:68              0.0.0.0:*                           512/dhclient\n"
    imported = read_netstat(inet + unix + bluetooth + more)
    assert [(one.protocol, one.port) for one in imported.listeners] == [("tcp", 631), ("udp", 68)]
    assert any(one.startswith("lines 5, 7: that tell of no listener") for one in imported.said)


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("LISTEN      20253/python3", "python3"),
        ("LISTEN      0          415394     20253/python3", "python3"),  # -e
        ("LISTEN      www-data   415394     20253/python3", "python3"),  # -e without -n
        ("LISTEN      0          415394     20253/python3       off (0.00/0/0)", "python3"),  # -o
        ("LISTEN      26/sshd: /usr/sbin/", "sshd"),
        ("LISTEN      977/Media Serve", None),
        ("LISTEN      1/prometheus-node-e", None),  # 19 characters with its pid: cut, or nearly so
        ("LISTEN      0          415394     -", None),
        ("LISTEN", None),
    ],
)
def test_the_process_that_netstat_names_in_any_column(columns: str, name: str | None) -> None:
    line = f"tcp        0      0 0.0.0.0:8080            0.0.0.0:*               {columns}\n"
    imported = read_netstat(NETSTAT_HEAD + line)
    assert [owner.name for owner in imported.listeners[0].owners] == ([name] if name else [])
    shows_a_name = "/" in columns.replace("(0.00/0/0)", "")
    assert bool(imported.unnamed) == (shows_a_name and name is None)
    said = imported_for("web1", "netstat", (NETSTAT_HEAD + line).encode(), {}, None).left_out
    assert any("no process is proposed for tcp/8080" in one for one in said) == bool(imported.unnamed)


def test_a_process_of_ss_that_may_not_be_pasted_is_said() -> None:
    line = 'tcp   LISTEN 0  128  0.0.0.0:32400   0.0.0.0:*  users:(("Media Server",pid=977,fd=3))\n'
    proposal = imported_for("web1", "ss", line.encode(), {}, None)
    assert "process" not in proposal.entries[0]
    assert any("tcp/32400: the name of its process may not be pasted" in one for one in proposal.left_out)


def test_the_port_of_a_goss_test_is_the_one_that_it_tests() -> None:
    text = (
        "port:\n"
        "  tcp:80:\n    port: tcp:8080\n    listening: true\n"
        "  web listener:\n    port: tcp6:8443\n    listening: true\n"
        "  tcp:9100:\n    listening: true\n    skip: true\n"
        "gossfile:\n  more.yaml: {}\n  other:\n    file: conf.d/*.yaml\n"
    )
    proposal = imported_for("web1", "goss", text.encode(), {}, None)
    assert [one["port"] for one in proposal.entries] == [8080, 8443]
    assert any("tcp:9100 is skipped (line 8)" in one for one in proposal.left_out)
    assert any("were not read, import each: more.yaml, conf.d/*.yaml" in one for one in proposal.left_out)
    assert not any("tell of no port" in one for one in proposal.left_out)


def test_a_goss_file_that_only_includes_others_names_them() -> None:
    text = "gossfile:\n  more.yaml: {}\n"
    assert format_of(text.encode()) == "goss"
    with pytest.raises(NotUnderstoodError, match=r"no section 'port'.* import more\.yaml"):
        read_goss(text)


def test_goss_ports_are_proposed_where_they_are_to_listen() -> None:
    proposal = imported_for("web1", "goss", GOSS.encode(), {}, "web-team")
    assert facts(proposal.entries) == {("tcp", 22): {}, ("udp", 53): {"address": "loopback"}}
    assert {one["owner"] for one in proposal.entries} == {"web-team"}
    assert any("tcp:8080 must not listen (line 9)" in one for one in proposal.left_out)
    assert any("service" in one for one in proposal.left_out)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("port:\n  tcp:22:\n    listening: true\n  ssh:\n    listening: true\n", "line 4: 'ssh' is no port"),
        ("port:\n  tcp:99999:\n    listening: true\n", "99999 is no port"),
        ("port:\n  tcp:22:\n    listening: maybe\n", "does not say whether it listens"),
        ("port:\n  tcp:22:\n    listening: true\n    ip: [nowhere]\n", "line 2: 'nowhere'"),
        ("port:\n  {{ range .Vars.ports }}\n", "line 2: a template: render it first"),
        ("port:\n  tcp:22:\n    listening: true\n    skip: perhaps\n", "does not say whether it is skipped"),
        ("port:\n  tcp:22:\n    port: web\n    listening: true\n", "'web' is no port"),
        ("service: {}\n", "no section 'port'"),
        ("port: [22]\n", "a mapping is expected"),
    ],
)
def test_a_goss_entry_that_is_not_understood_is_named(text: str, why: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        read_goss(text)
    assert why in str(caught.value)


def test_nmap_names_its_hosts_by_address_or_name() -> None:
    variables = {"web1": {"vigil_addresses": ["192.0.2.10"]}, "web2": {}}
    names = {"web1": "10.0.0.1", "web2": "web2.example.net"}
    known = {name: host for host in variables for name in addresses_of(host, variables[host], names[host])}
    assert format_of(NMAP) == "nmap"
    web1, web2, stranger = imported_from_nmap(NMAP, known, variables, "internet", None)
    assert facts(web1.entries) == {
        ("tcp", 22): {"service": "ssh", "reachable_from": ["internet"], "required": False},
        ("tcp", 80): {"reachable_from": ["internet"], "required": False},
    }
    assert (web2.host, [one["port"] for one in web2.entries]) == ("web2", [443])
    assert (stranger.host, stranger.entries) == ("203.0.113.9", ())
    assert "no host of the inventory" in stranger.left_out[0]


@pytest.mark.parametrize(
    "data", [b"<html/>", b"<nmaprun", NMAP[:600], b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>"]
)
def test_a_report_that_is_none_or_breaks_off_is_refused(data: bytes) -> None:
    with pytest.raises(NotUnderstoodError, match="nothing was imported"):
        imported_from_nmap(data, {}, {}, None, None)


def test_an_unknown_format_is_an_error_with_a_way_out() -> None:
    with pytest.raises(NotUnderstoodError, match="give import_format"):
        format_of(b"\x00\x01 what is this\n")


def test_consecutive_ports_that_are_alike_become_a_range() -> None:
    alike = [build.declared(port) for port in (9200, 9201, 9202, 9204, 9205, 9300)]
    other = [build.declared(9203, owner="somebody-else"), build.declared(9200, protocol="udp")]
    ports = [(one.get("protocol", "tcp"), one["port"]) for one in folded([*other, *alike])]
    assert ports == [("tcp", "9200-9202"), ("tcp", 9203), ("tcp", 9204), ("tcp", 9205), ("tcp", 9300), ("udp", 9200)]
