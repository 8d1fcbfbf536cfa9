# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found by mutating real inputs and stays mended, each by what it would let an attacker or an accident do."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners import socket_units
from ansible_collections.vigil.ports.plugins.module_utils._listeners.cgroups import place_of_membership
from ansible_collections.vigil.ports.plugins.module_utils._listeners.packages import owning_packages
from ansible_collections.vigil.ports.plugins.module_utils._listeners.proc_net import (
    ProcNetError,
    parse_port_range,
    parse_sockets,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.programs import Answer
from ansible_collections.vigil.ports.plugins.module_utils._scan.import_engine import import_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_report import read_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_xml import NmapXmlError, read_nmap_xml
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanRequest
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortError, PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.result import result
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import Target
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import ShapeError, converted
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.listening import Listening
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import scan_problem
from ansible_collections.vigil.ports.tests.fuzz.capture import results
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

# What str.splitlines() takes for the end of a line besides the newline.
LINE_ENDS = ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
HEAD = '<nmaprun version="7.93" args="nmap -p 22,80"><scaninfo type="syn" protocol="tcp" services="22,80"/>'
TAIL = '<runstats><finished exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>'


def host(ports: str) -> str:
    address = '<status state="up" reason="reset"/><address addr="198.18.0.2" addrtype="ipv4"/>'
    return f"{HEAD}<host>{address}<ports>{ports}</ports></host>{TAIL}"


def port(number: int, state: str) -> str:
    return f'<port protocol="tcp" portid="{number}"><state state="{state}" reason="syn-ack"/></port>'


@pytest.mark.parametrize("end", LINE_ENDS)
def test_nobody_gets_the_unit_of_another_by_a_line_end_in_the_name_of_a_cgroup(end: str) -> None:
    content = f"0::/user.slice/user-1000.slice/user@1000.service/x{end}0::/system.slice/sshd.service\n"
    assert place_of_membership(content.encode()).unit == "user@1000.service"


@pytest.mark.parametrize("end", LINE_ENDS)
def test_nobody_gets_the_package_of_another_by_a_line_end_in_a_path(end: str) -> None:
    path = f"/srv/x{end}nginx: /usr/sbin/nginx"

    def run(argv: object) -> Answer:
        return Answer(0, f"mine: {path}\n".encode(), b"") if "--search" in list(argv) else Answer(1, b"", b"")  # type: ignore[call-overload]

    assert b"/usr/sbin/nginx" not in owning_packages("dpkg", [b"/usr/sbin/nginx"], run, root="/nonexistent")


@pytest.mark.parametrize("end", LINE_ENDS)
def test_a_socket_unit_is_what_systemd_writes_on_a_line(end: str) -> None:
    output = f"Id=x.socket\nTriggers=a.service\nDescription=x{end}Listen=0.0.0.0:22 (Stream)\n"
    (unit,) = socket_units.parse(output.encode())
    assert unit.listens == frozenset()


def test_an_endpoint_of_a_socket_unit_has_a_port() -> None:
    output = b"Id=x.socket\nListen=0.0.0.0:99999 (Stream)\nListen=0.0.0.0:0 (Stream)\nListen=[::]:22 (Stream)\n"
    (unit,) = socket_units.parse(output)
    assert unit.listens == {("tcp", "::", 22)}


@pytest.mark.parametrize("content", [b"32768\t99999", b"60999 32768", b"-1 60999", b"3_2768 60999"])
def test_a_range_that_is_none_does_not_make_listeners_ephemeral(content: bytes) -> None:
    with pytest.raises(ProcNetError):
        parse_port_range(content)


@pytest.mark.parametrize("field", [b"1_0", b"-5", b"+5"])
def test_a_number_of_the_kernel_is_digits(field: bytes) -> None:
    line = b"0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000 %b 0 77 1\n"
    assert parse_sockets(b"head\n" + line % b"33", "tcp")[0].uid == 33
    with pytest.raises(ProcNetError):
        parse_sockets(b"head\n" + line % field, "tcp")


def test_a_report_that_nests_without_end_is_refused() -> None:
    deep = "<table>" * 50_000 + "</table>" * 50_000
    with pytest.raises(NmapXmlError, match="deep"):
        read_report(host(deep).encode())
    assert read_report(host("<script><table><table><elem/></table></table></script>" + port(80, "open")).encode())


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://198.18.0.9/x.dtd"> %a;]>',
    ],
)
def test_entities_are_refused(declared: str) -> None:
    for text in (declared + host(port(80, "open")), '<?xml version="1.0"?>\n' + declared + host("&a;")):
        for data in (text.encode(), b"\xef\xbb\xbf" + text.encode()):
            with pytest.raises(NmapXmlError):
                read_nmap_xml(data)


def test_entities_hide_in_no_other_encoding() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "b">]>' + host("&a;")
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-7"):
        with pytest.raises(NmapXmlError):
            read_nmap_xml(text.encode(encoding))


def test_a_document_type_from_elsewhere_is_not_fetched() -> None:
    text = '<!DOCTYPE nmaprun SYSTEM "http://198.18.0.9/x.dtd">' + host(port(80, "open"))
    assert "198.18.0.2" in read_report(text.encode()).seen


def test_a_port_that_stands_in_two_states_is_unknown_and_named() -> None:
    twice = host(port(22, "open") + port(80, "open") + port(80, "closed"))
    outcome = import_report(ScanRequest(("198.18.0.2",), PortSet.parse(["22,80"])), twice.encode())
    (row,) = result([Target("web1", "198.18.0.2", ("198.18.0.2",))], outcome, "", "x", "x")["targets"]
    assert row["status"] == "partial"
    assert row["unknown"] == [{"protocol": "tcp", "ports": "80"}]
    assert any("80 of 198.18.0.2 is there 2 times" in problem.message for problem in outcome.problems)


def test_ports_that_are_summed_up_again_and_again_are_told_once() -> None:
    reason = '<extrareasons reason="syn-ack" count="65535" proto="tcp" ports="1-65535"/>'
    text = host(f'<extraports state="open" count="65535">{reason * 50}</extraports>')
    assert len(read_report(text.encode()).seen["198.18.0.2"].endpoints) == 65535


def test_ports_of_a_protocol_that_nobody_asked_for_are_no_evidence() -> None:
    reason = '<extrareasons reason="reset" count="1" proto="x" ports="80"/>'
    text = host(f'<extraports state="open" count="1">{reason}</extraports>')
    seen = read_report(text.encode()).seen["198.18.0.2"]
    assert not seen.rows
    assert not seen.endpoints


@pytest.mark.parametrize("text", ["80\x1d", "\x0b80", "80\u2028", "\u200380"])
def test_a_port_has_no_odd_character_beside_it(text: str) -> None:
    with pytest.raises(PortError):
        PortSet.parse([text])
    assert PortSet.parse(["22, 80"]) == PortSet.of([22, 80])


ANSWER = {"coverage": build.scan_coverage(), "machine": build.machine()}


@pytest.mark.parametrize("targets", [None, 5, "x", {"a": 1}])
def test_targets_of_a_scanner_that_are_no_list_are_refused(targets: object) -> None:
    assert str(scan_problem({**ANSWER, "targets": targets})).startswith("scan.targets: ")


def test_a_target_that_answered_has_an_address_or_one_scanner_would_stop_the_audit_of_all() -> None:
    result = {**ANSWER, "targets": [build.target([443], address="web1.example")]}
    assert "web1.example" in str(scan_problem(result))
    nothing = build.target(address="web1.example", status="failed", reason="no such name", states=[])
    assert scan_problem({**ANSWER, "targets": [nothing]}) is None


def test_half_a_character_in_an_answer_is_refused_or_one_host_would_stop_the_audit_of_all() -> None:
    scan = {**ANSWER, "targets": [build.target([443], reason="x\ud800")]}
    assert "no Unicode" in str(scan_problem(scan))
    with pytest.raises(ShapeError, match="no Unicode"):
        converted(Listening, build.listening([build.listener(443, unit="\udc80.service")]), "listening")


@pytest.mark.parametrize("row", [b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_a_row_of_the_results_that_was_edited_is_named(row: bytes, tmp_path: Path) -> None:
    lines = results(tmp_path / "run").split(b"\n")
    lines[lines.index(b'"findings":[') + 1] = row
    path = tmp_path / "results.json"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(EvidenceError, match=r"results\.json: a row"):
        list(read_results(path)["findings"])
