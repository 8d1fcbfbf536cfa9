# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: no report, however broken, makes an exception or a state that nmap did not see."""

from __future__ import annotations

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan import nmap_report, nmap_second_reading
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_report import read_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_xml import NmapXmlError
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import Seen
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="nmap -sS -p 1-10" version="7.93">
<scaninfo type="syn" protocol="tcp" numservices="10" services="1-10"/>
"""
TAIL = """<runstats><finished time="1" timestr="x" elapsed="4.27" exit="success"/><hosts up="2" down="1" total="3"/>
</runstats>
</nmaprun>
"""
WEB = """<host><status state="up" reason="arp-response"/>
<address addr="198.18.0.2" addrtype="ipv4"/><address addr="42:7B:66:0C:5B:F3" addrtype="mac"/>
<ports><extraports state="closed" count="8">
<extrareasons reason="reset" count="8" proto="tcp" ports="3-10"/></extraports>
<port protocol="tcp" portid="1"><state state="open" reason="syn-ack"/><service name="http" product="nginx"
 tunnel="ssl" method="probed" conf="10"><cpe>cpe:/a:one</cpe><cpe>cpe:/o:two</cpe></service>
<script id="banner" output="a&#x1b;[31mb&#xa;c"/></port>
<port protocol="tcp" portid="2"><state state="filtered" reason="no-response"/></port>
</ports></host>
"""
SIX = """<host><status state="up" reason="nd-response"/><address addr="FD00::0:2" addrtype="ipv6"/>
<ports><extraports state="filtered" count="10"><extrareasons reason="no-response" count="10" proto="tcp" ports="1-10"/>
</extraports></ports></host>
"""
LATE = (
    '<host timedout="true"><status state="up" reason="user-set"/><address addr="198.18.0.4" addrtype="ipv4"/></host>\n'
)
DOWN = '<host><status state="down" reason="no-response"/><address addr="198.18.0.5" addrtype="ipv4"/></host>\n'
WHOLE = HEAD + WEB + SIX + LATE + DOWN + TAIL


def states(seen: Seen) -> dict[int, str]:
    return {port: row.state for row in seen.rows for port in row.ports}


def test_a_whole_report_is_read_as_it_is() -> None:
    report = read_report(WHOLE.encode())
    assert report.finished
    assert report.version == "7.93"
    assert report.technique == "syn"
    assert report.asked == {"tcp": PortSet.parse(["1-10"])}
    assert states(report.seen["198.18.0.2"]) == {1: "open", 2: "filtered", **dict.fromkeys(range(3, 11), "closed")}
    assert states(report.seen["fd00::2"]) == dict.fromkeys(range(1, 11), "filtered")
    (endpoint,) = report.seen["198.18.0.2"].endpoints
    assert endpoint.service is not None
    assert endpoint.service.cpes == ("cpe:/a:one", "cpe:/o:two")
    assert endpoint.service.tunnel == "ssl"
    assert endpoint.service.confidence == 10


def test_time_outs_and_hosts_that_are_down_have_no_states() -> None:
    report = read_report(WHOLE.encode())
    assert report.seen["198.18.0.4"].rows == ()
    assert "time-out" in str(report.seen["198.18.0.4"].reason)
    assert report.seen["198.18.0.5"].rows == ()
    assert "down" in str(report.seen["198.18.0.5"].reason)


def test_forbidden_characters_are_made_visible_and_reported() -> None:
    raw = WHOLE.replace("nginx", "ng\x01inx\ufffe").encode() + b""
    report = read_report(raw)
    (endpoint,) = report.seen["198.18.0.2"].endpoints
    assert endpoint.scripts[0].output == "a\\x1b[31mb\\x0ac"
    assert endpoint.service is not None
    assert endpoint.service.product == "ng\\x01inx\\xfffe"
    assert "nmap-xml-repaired" in [problem.code for problem in report.problems]


@pytest.mark.parametrize("reference", ["&#0;", "&#27;", "&#xD800;", "&#x110000;", "&#99999999;", "&#xffff;"])
def test_every_forbidden_reference_is_repaired(reference: str) -> None:
    report = read_report(WHOLE.replace("&#x1b;", reference).encode())
    assert report.finished
    assert states(report.seen["198.18.0.2"])[1] == "open"


def test_a_report_cut_anywhere_gives_whole_hosts_or_nothing() -> None:
    whole = read_report(WHOLE.encode())
    data = WHOLE.encode()
    for length in range(len(data)):
        try:
            report = read_report(data[:length])
        except NmapXmlError:
            assert length < len(HEAD)
            continue
        if length < len(data.rstrip()):
            assert "nmap-xml-cut-short" in [problem.code for problem in report.problems], length
        if length < data.index(b"</runstats>"):
            assert not report.finished
        for address, seen in report.seen.items():
            assert seen == whole.seen[address], "a state that the whole report does not have"
        expected = [host for host, end in (("198.18.0.2", WEB), ("fd00::2", SIX)) if _end(data, end) <= length]
        assert [address for address, seen in report.seen.items() if seen.rows] == expected


def _end(data: bytes, part: str) -> int:
    return data.index(part.encode()) + len(part.rstrip())


def test_damage_inside_keeps_the_hosts_before_it() -> None:
    report = read_report(WHOLE.replace('<host timedout="true">', "<host <<").encode())
    assert set(report.seen) == {"198.18.0.2", "fd00::2"}
    assert not report.finished


@pytest.mark.parametrize(
    "text", ["", "not xml", "<html></html>", "<nmaprun", "<!DOCTYPE x [<!ENTITY a 'b'>]>" + WHOLE, "\x00\x01"]
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(NmapXmlError):
        read_report(text.encode())


@pytest.mark.parametrize(
    "broken",
    [
        '<port protocol="tcp" portid="2"></port>',
        '<port protocol="tcp" portid="x"><state state="open" reason="a"/></port>',
        '<port protocol="tcp" portid="70000"><state state="open" reason="a"/></port>',
        '<port protocol="tcp"><state state="open"/></port>',
        '<port protocol="tcp" portid="2"><state state="ajar" reason="a"/></port>',
        '<port protocol="tcp" portid="2"><state state="unfiltered" reason="a"/></port>',
        '<port protocol="tcp" portid="2"><state/></port>',
    ],
)
def test_a_port_without_a_known_state_stays_unknown(broken: str) -> None:
    line = '<port protocol="tcp" portid="2"><state state="filtered" reason="no-response"/></port>'
    report = read_report(WHOLE.replace(line, broken).encode())
    assert states(report.seen["198.18.0.2"]) == {1: "open", **dict.fromkeys(range(3, 11), "closed")}


def test_counts_without_ports_are_used_only_where_they_can_mean_one_thing() -> None:
    old = WHOLE.replace(' proto="tcp" ports="3-10"', "")
    assert states(read_report(old.encode()).seen["198.18.0.2"]) == states(
        read_report(WHOLE.encode()).seen["198.18.0.2"]
    )
    wrong_count = old.replace('state="closed" count="8"', 'state="closed" count="7"')
    second = 'state="filtered" count="3"/><extraports state="closed" count="5">'
    two = old.replace('state="closed" count="8">', second)
    for text in (wrong_count, two):
        report = read_report(text.encode())
        assert states(report.seen["198.18.0.2"]) == {1: "open", 2: "filtered"}
        assert "states-not-listed" in [problem.code for problem in report.problems]


def test_entries_for_one_address_are_joined_and_what_they_disagree_about_is_unknown() -> None:
    second = WEB.replace('state="open"', 'state="closed"').replace('portid="2"', 'portid="12"')
    report = read_report((HEAD + WEB + second + TAIL).encode())
    assert states(report.seen["198.18.0.2"]) == {2: "filtered", 12: "filtered"}
    said = [problem.message for problem in report.problems]
    assert any("more than once" in one for one in said)
    assert any("port 1 of 198.18.0.2 is there 2 times (closed, open)" in one for one in said)


def test_a_report_with_an_entry_for_each_port_loses_none() -> None:
    """masscan writes one, and another for the same port when it has a banner."""
    entry = '<host><address addr="192.0.2.{}" addrtype="ipv4"/><ports>{}</ports></host>'
    opened = '<port protocol="tcp" portid="{}"><state state="open" reason="syn-ack"/>{}</port>'
    banner = '<service name="ssh" banner="SSH-2.0-x"/>'
    entries = [
        entry.format(10, opened.format(22, "")),
        entry.format(11, opened.format(23, "")),
        entry.format(10, opened.format(3306, "")),
        entry.format(10, opened.format(22, banner)),
    ]
    head = '<nmaprun scanner="masscan"><scaninfo type="syn" protocol="tcp"/>'
    end = '<runstats><finished time="1"/><hosts up="2" down="0" total="2"/></runstats></nmaprun>'
    report = read_report((head + "".join(entries) + end).encode())
    assert not report.finished  # masscan does not say that all went well
    assert states(report.seen["192.0.2.10"]) == {22: "open", 3306: "open"}
    assert states(report.seen["192.0.2.11"]) == {23: "open"}
    assert [one.port for one in report.seen["192.0.2.10"].endpoints if one.service] == [22]


def test_a_host_without_an_address_is_left_out() -> None:
    for text in ('addr="198.18.0.2" addrtype="ipv4"', 'addr="evil" addrtype="ipv4"', 'addr="1" addrtype="mac"'):
        report = read_report(WHOLE.replace('addr="198.18.0.2" addrtype="ipv4"', text).encode())
        assert ("198.18.0.2" in report.seen) == (text == 'addr="198.18.0.2" addrtype="ipv4"')
        assert "fd00::2" in report.seen


def test_a_report_of_nmap_5_which_writes_no_exit_came_to_its_end() -> None:
    head = '<nmaprun scanner="nmap" version="5.00"><scaninfo type="syn" protocol="tcp" numservices="1" services="22"/>'
    host = '<host><address addr="192.0.2.10" addrtype="ipv4"/><ports><port protocol="tcp" portid="22">'
    port = '<state state="open" reason="syn-ack"/></port></ports></host>'
    end = '<runstats><finished time="1" timestr="x"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>'
    assert read_report((head + host + port + end).encode()).finished
    failed = end.replace('timestr="x"', 'errormsg="boom"')
    assert not read_report((head + host + port + failed).encode()).finished
    assert not read_report((head + host + port).encode()).finished


def test_a_port_of_which_two_readers_read_different_states_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = "".join(
        f'<port protocol="tcp" portid="{port}"><state state="open" reason="syn-ack"/></port>' for port in (22, 80)
    )
    host = f'<host><address addr="192.0.2.10" addrtype="ipv4"/><ports>{ports}</ports></host>'
    text = f'<nmaprun scanner="nmap">{host}</nmaprun>'
    assert nmap_second_reading.PortScanner is not None  # the control node has it
    agreed = read_report(text.encode())
    assert [str(row.ports) for row in agreed.seen["192.0.2.10"].rows] == ["22,80"]
    told = {"192.0.2.10": {("tcp", 22): "closed", ("tcp", 80): "open"}}
    monkeypatch.setattr(nmap_report, "second_reading", lambda _root: told)
    doubted = read_report(text.encode())
    assert [str(row.ports) for row in doubted.seen["192.0.2.10"].rows] == ["80"]
    assert "readers-differ" in [problem.code for problem in doubted.problems]
    monkeypatch.undo()
    monkeypatch.setattr(nmap_second_reading, "PortScanner", None)  # as on a scanner
    assert read_report(text.encode()).seen == agreed.seen
