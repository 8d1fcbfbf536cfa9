# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packet and raw sockets: a program that takes packets is declared by who it is, or is a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import converted
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.raw_sockets import RawSocket
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records import listening as recorded
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import listing_of
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
RULE = "undeclared-raw-socket"
DHCP = {"process": "dhclient", "justification": "the address", "owner": "net-team"}


def judged(sockets: list[Json], declared: Sequence[Json] = (), layer: str = "vigil_raw_sockets__os") -> Json:
    listening = {**build.listening(), "raw_sockets": sockets}
    evidence = build.host_evidence([build.declared(443, required=False)], listening=listening)
    evidence.inventory[layer] = list(declared)
    return build.judged(evidence)


def of_rule(results: Json) -> list[Json]:
    return [row for row in results["findings"] if row["rule"] == RULE]


def statuses(results: Json) -> list[str]:
    return [row["status"] for row in of_rule(results)]


def backdoor(**more: Any) -> Json:
    shell = build.owner(pid=66, name="hald-addon-acpi", executable="/dev/shm/x", uid=0, user="root", unit=None)
    return build.raw_socket(number=3, interface=None, unit=None, owners=[shell], **more)


def test_a_program_that_waits_for_a_packet_is_no_pass_though_nothing_listens() -> None:
    results = judged([backdoor()])
    (row,) = of_rule(results)
    assert (row["status"], row["severity"], row["protocol"]) == ("fail", "medium", "packet")
    assert row["port"] == "held-by:hald-addon-acpi/root"
    assert row["message"] == "hald-addon-acpi (root) has a packet socket (every protocol), undeclared"
    assert results["gate"]["passed"] is False


def test_it_is_declared_by_who_holds_it() -> None:
    assert statuses(judged([build.raw_socket()], [DHCP])) == ["pass"]
    assert statuses(judged([build.raw_socket(), backdoor()], [DHCP])) == ["fail"]


@pytest.mark.parametrize(
    "other",
    [
        {"process": "dhclient", "user": "nobody"},
        {"process": "dhclient", "unit": "other.service"},
        {"process": "/opt/dhclient"},
        {"process": "dhclient", "kind": "raw"},
        {"process": "dhclient", "namespace": "container/*"},
    ],
    ids=lambda other: str(sorted(other.items())),
)
def test_a_declaration_of_another_is_none_for_it(other: Json) -> None:
    assert statuses(judged([build.raw_socket()], [{**DHCP, **other}])) == ["fail"]


def test_one_that_can_only_send_is_no_finding() -> None:
    assert statuses(judged([build.raw_socket("raw", number=255, receives=False)])) == ["pass"]


def test_the_sockets_of_one_process_are_one_finding_whatever_their_number() -> None:
    many = [build.raw_socket(interface=f"eth{index}") for index in range(40)]
    (row,) = of_rule(judged(many))
    assert "40 packet sockets" in row["message"]
    (few,) = of_rule(judged(many[:3]))
    assert row["id"] == few["id"]


def test_who_of_whom_only_the_first_is_known_may_be_declared_and_that_is_a_gap() -> None:
    partial = build.raw_socket(owners_state="partial")
    results = judged([partial], [DHCP])
    (row,) = of_rule(results)
    assert (row["status"], row["gap"]) == ("not_assessed", "web1:owner-unknown:packet/held-by:dhclient/root")
    assert statuses(judged([partial])) == ["fail"]


def test_one_that_is_surely_another_is_a_finding_whatever_else_bears_the_name() -> None:
    taken = build.owner(name="dhclient", executable="/dev/shm/dhclient", user="root", uid=0)
    strange = build.raw_socket(owners=[taken])
    declared = [{**DHCP, "process": "/usr/sbin/dhclient"}]
    partial = build.raw_socket(owners_state="partial")
    assert statuses(judged([partial, strange], declared)) == ["fail"]
    assert statuses(judged([strange, partial], declared)) == ["fail"]
    assert statuses(judged([partial], declared)) == ["not_assessed"]


def test_what_is_only_proposed_stays_a_finding_that_says_so() -> None:
    entry = {**DHCP, "justification": "FILL IN: why", "owner": "FILL IN: who"}
    (row,) = of_rule(judged([build.raw_socket()], [entry], "vigil_raw_sockets__proposed"))
    assert row["message"].endswith("undeclared; only proposed (vigil_raw_sockets__proposed[0])")


def test_its_ways_out_can_be_pasted_and_then_it_is_declared() -> None:
    (row,) = of_rule(judged([build.raw_socket()]))
    declare = row["ways_out"]["declare"]
    assert declare["variable"] == "vigil_raw_sockets__proposed"
    assert load_inventory({declare["variable"]: [declare["entry"]]})[1] == ()
    filled = {**declare["entry"], "justification": "the address", "owner": "net-team"}
    assert statuses(judged([build.raw_socket()], [filled])) == ["pass"]
    assert row["ways_out"]["except"]["entry"] is None


def test_it_is_a_row_of_its_host_with_who_declared_it() -> None:
    rows = judged([build.raw_socket()], [DHCP])["hosts"][0]["ports"]
    (row,) = [row for row in rows if row["protocol"] == "packet"]
    assert row["port"] == "held-by:dhclient/root"
    assert row["listening"] == ["dhclient (root): IPv4 on eth0"]
    assert row["declared"] == ["owner net-team"]
    assert row["verdicts"] == []


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"justification": "x", "owner": "y"}, "vigil_raw_sockets__os[0]"),
        ({**DHCP, "kind": "tap"}, "vigil_raw_sockets__os[0].kind"),
        ({**DHCP, "port": 67}, "vigil_raw_sockets__os[0].port"),
        ({**DHCP, "owner": "FILL IN: who"}, "vigil_raw_sockets__os[0].owner"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_declaration_that_says_too_little_is_refused_with_its_place(entry: Json, place: str) -> None:
    _inventory, problems = load_inventory({"vigil_raw_sockets__os": [entry]})
    assert [problem.place for problem in problems] == [place]


@pytest.mark.parametrize("name", ["vigil_raw_socket", "vigil_raw_sockets_os", "vigil_packet_sockets"])
def test_a_variable_that_was_meant_to_be_one_is_named(name: str) -> None:
    _inventory, problems = load_inventory({name: []})
    assert [problem.place for problem in problems] == [name]


def test_a_listing_that_claims_to_have_listed_them_and_holds_none_is_no_evidence() -> None:
    listening = build.listening([])
    del listening["raw_sockets"]
    assert "raw_sockets is missing" in str(listing_of(listening))


@pytest.mark.parametrize(
    "wrong", [{"kind": "tap"}, {"number": "3"}, {"sockets": True}, {"owners": {}}, {"address": "x"}, {"extra": 1}]
)
def test_a_row_of_another_shape_is_refused(wrong: Json) -> None:
    listening = {**build.listening([]), "raw_sockets": [build.raw_socket(**wrong)]}
    assert "listening.raw_sockets[0]" in str(listing_of(listening))


def test_what_it_takes_is_said_in_words() -> None:
    def takes(kind: str, number: int) -> str:
        return RawSocket.of(converted(recorded.RawSocket, build.raw_socket(kind, number=number), "row")).takes

    packet = [takes("packet", number) for number in (3, 0x0800, 0x88F7)]
    assert packet == ["every protocol", "IPv4", "Ethernet protocol 0x88f7"]
    assert takes("raw", 1) == "ICMP"
    assert takes("raw", 132) == "IP protocol 132"
