# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked from outside: all that matters on some host, of every host, and never of another machine."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scan_plan import (
    COMMON_PORTS,
    MOST_CLAIMS,
    ScanPlan,
    left_over,
    open_ports,
    scan_plan,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.slices import Pace, slices
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]

ALONE = {"vantage": "internet", "scanner": "scan1", "index": 0, "of": 1}


def host(name: str, *addresses: str, ports: Any = (), listeners: Any = (), **more: Any) -> HostEvidence:
    return build.host_evidence(ports, listeners, host=name, outside_addresses={"default": list(addresses)}, **more)


def planned(
    *hosts: HostEvidence, depth: str = "known", share: Json | None = None, control: bool = False, **more: Any
) -> ScanPlan:
    return scan_plan(hosts, share or ALONE, depth, scanner_is_control=control, **more)


def sent(plan: ScanPlan) -> list[tuple[str, str]]:
    return [(row["host"], row["address"]) for row in plan.targets]


def test_tcp_of_one_host_is_asked_of_all_and_udp_of_its_own_only() -> None:
    one = host("web1", "192.0.2.1", ports=[build.declared([443, "8000-8002"]), build.declared(53, protocol="udp")])
    two = host("web2", "192.0.2.2", listeners=[build.listener(9000), build.listener(161, protocol="udp")])
    plan = planned(one, two)
    assert sent(plan) == [("web1", "192.0.2.1"), ("web2", "192.0.2.2")]
    assert [row["udp_ports"] for row in plan.targets] == ["53", "161"]
    assert (str(plan.known), str(plan.udp_ports), str(plan.sweep), plan.top_ports) == (
        "443,8000-8002,9000",
        "53,161",
        "",
        0,
    )


@pytest.mark.parametrize(
    "listener",
    [
        build.listener(9000, "127.0.0.1"),
        build.listener(9000, interface="lo"),
        build.listener(9000, namespace="netns/blue"),
        build.listener(49000, protocol="udp", ephemeral=True),
    ],
)
def test_what_nothing_outside_could_reach_is_not_asked(listener: Json) -> None:
    plan = planned(host("web1", "192.0.2.1", listeners=[listener]))
    assert (str(plan.known), str(plan.udp_ports)) == ("", "")


def test_what_an_exception_is_for_is_asked_or_nobody_could_call_it_unused() -> None:
    excused = [build.exception(8004), build.exception("9000-9001"), build.exception("1-65535")]
    plan = planned(host("web1", "192.0.2.1", exceptions=excused), host("web2", "192.0.2.2"))
    asked = {target["host"]: target["own"] or str(plan.known) for target in plan.targets}
    assert asked["web1"] == "8004,9000-9001"


def test_how_deep_the_scan_goes() -> None:
    declared = host("web1", "192.0.2.1", ports=[build.declared(443)])
    assert planned(declared, depth="common").top_ports == COMMON_PORTS
    full = planned(declared, depth="full")
    assert (str(full.known), str(full.sweep)) == ("443", "1-442,444-65535")


def test_a_host_that_could_not_be_listed_or_whose_inventory_is_wrong_is_scanned_all_the_same() -> None:
    silent = host("web1", "192.0.2.1", listening=None, status="unreachable")
    wrong = host("web2", "192.0.2.2", ports=[{"port": 0}])
    assert sent(planned(silent, wrong)) == [("web1", "192.0.2.1"), ("web2", "192.0.2.2")]


@pytest.mark.parametrize(("scanner", "refused"), [("scan1", True), ("web1", False)])
@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1", "::FFFF:7f00:1"])
def test_a_loopback_address_is_asked_by_its_own_host_only(address: str, scanner: str, refused: bool) -> None:
    plan = planned(host("web1", address), share={**ALONE, "scanner": scanner})
    assert sent(plan) == ([] if refused else [("web1", address)])
    assert [row["address"] for row in plan.refused] == ([address] if refused else [])


def test_a_name_stands_for_addresses_of_its_host_only() -> None:
    named = host("web1", "web1.example", "203.0.113.7", listeners=[build.listener(443)])
    (row, _literal) = planned(named, host("web2", "192.0.2.99")).targets[:2]
    assert row["own_addresses"] == [build.ADDRESS, "203.0.113.7"]  # what it has, and what is written out for it
    (row, _literal) = planned(named, share={**ALONE, "scanner": "web1"}).targets
    assert "127.0.0.1" in row["own_addresses"]
    (row,) = planned(host("gone", "gone.example", listening=None, status="unreachable")).targets
    assert row["own_addresses"] == []  # nobody knows whose address it would be


@pytest.mark.parametrize(("scans_here", "lives_here"), [(True, True), (True, False), (False, True)])
def test_the_control_node_may_ask_itself(scans_here: bool, lives_here: bool) -> None:
    plan = planned(host("web1", "127.0.0.1", is_control=lives_here), control=scans_here)
    assert bool(plan.targets) is (scans_here and lives_here)


@pytest.mark.parametrize("scanners", [1, 2, 3, 7])
def test_scanners_of_one_place_ask_everything_once(scanners: int) -> None:
    hosts = [host(f"web{number}", f"192.0.2.{number}", f"198.51.100.{number}") for number in range(5)]
    hosts.append(host("here", "127.0.0.1"))
    plans = [planned(*hosts, share={**ALONE, "index": index, "of": scanners}) for index in range(scanners)]
    assert sorted(one for plan in plans for one in sent(plan)) == sorted(sent(planned(*hosts)))
    assert sum(len(plan.refused) for plan in plans) == 1


def test_a_vantage_point_asks_the_addresses_that_are_for_it() -> None:
    evidence = host("web1", "10.0.0.1")
    evidence.outside_addresses["internet"] = ("203.0.113.1",)
    assert sent(planned(evidence)) == [("web1", "203.0.113.1")]
    assert sent(planned(evidence, share={**ALONE, "vantage": "office"})) == [("web1", "10.0.0.1")]


def test_what_a_lost_scanner_left_is_divided_among_the_others_once() -> None:
    hosts = [host(f"web{number}", f"192.0.2.{number}") for number in range(7)]
    plan = planned(*hosts)
    done = [("web0", "192.0.2.0"), ("web3", "192.0.2.3")]
    parts = [left_over(plan, done, number, 2) for number in range(2)]
    assert sorted(one for part in parts for one in sent(part)) == sorted(set(sent(plan)) - set(done))


def test_what_an_earlier_run_saw_open_is_asked_again() -> None:
    earlier = build.scan([build.target([7000], endpoints=[build.endpoint(7000), build.endpoint(53, protocol="udp")])])
    plan = planned(host("web1", "192.0.2.1"), seen_open=open_ports([earlier]))
    assert (str(plan.known), str(plan.udp_ports)) == ("7000", "53")


def test_a_protocol_that_is_not_scanned_is_passed_over() -> None:
    earlier = build.scan([build.target(endpoints=[build.endpoint(3868, protocol="sctp")])])
    declared = host("web1", "192.0.2.1", ports=[build.declared(3868, protocol="sctp")])
    plan = planned(declared, seen_open=open_ports([earlier]))
    assert (str(plan.known), str(plan.udp_ports)) == ("", "")


def test_the_plan_is_evidence() -> None:
    share = {**build.share([]), "plan": planned(host("web1", "192.0.2.1"), host("web2", "::1"), depth="full").as_dict()}
    build.validator("evidence").validate(build.on_disk(build.scan_by([share])))


def test_what_was_open_over_udp_is_asked_of_that_host_again_and_of_no_other() -> None:
    plan = planned(host("web1", "192.0.2.1"), host("web2", "192.0.2.2"), seen_open=[("web2", "udp", 53)])
    assert [row["udp_ports"] for row in plan.targets] == ["", "53"]


@pytest.mark.parametrize("claims", [1001, 10_000, 65_535])
def test_a_host_that_claims_to_listen_everywhere_makes_no_other_host_be_asked(claims: int) -> None:
    greedy = host("evil", "192.0.2.66", listeners=[build.listener(port) for port in range(1, claims + 1)])
    honest = host("web1", "192.0.2.1", ports=[build.declared(443)], listeners=[build.listener(22)])
    plan = planned(greedy, honest)
    assert str(plan.known) == "22,443"
    evil, web = plan.targets
    assert (web["own"], web["left_out"]) == ("", "")
    own, left_out = PortSet.parse([evil["own"]]), PortSet.parse([evil["left_out"]] if evil["left_out"] else [])
    assert len(own | left_out | plan.known) == claims  # what is not asked is its own gap, and not forgotten
    assert len(own) <= MOST_CLAIMS
    full = planned(greedy, honest, depth="full")
    assert {row["own"] + row["left_out"] for row in full.targets} == {""}  # all of it is asked in any case


def test_ten_thousand_targets_are_planned_in_seconds() -> None:
    hosts = [host(f"h{n}", f"10.9.{n // 250}.{n % 250}", listeners=[build.listener(22)]) for n in range(10_000)]
    before = time.process_time()
    plan = planned(*hosts, depth="common")
    calls = list(slices(plan, Pace(100_000, 0, 1)))
    assert time.process_time() - before < 30
    assert max(len(call.targets) for call in calls) <= 1000
