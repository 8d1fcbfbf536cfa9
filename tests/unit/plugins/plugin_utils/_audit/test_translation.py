# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that a host leads elsewhere: asked by each scan of that host, and a gap where no scan can tell."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import listing_of
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scan_plan import scan_plan
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]


def led(protocol: str | None, ports: str | None, address: str | None = None) -> Json:
    return {"protocol": protocol, "ports": ports, "address": address, "by": "nftables"}


def host(*rows: Json, declared: Any = ()) -> HostEvidence:
    listening = {**build.listening([build.listener(443)]), "translated": list(rows)}
    return build.host_evidence([build.declared(443), *declared], listening=listening)


def state(protocol: str, how: str, ports: str) -> Json:
    return {"protocol": protocol, "state": how, "reason": "no-response", "ports": ports}


def gaps(evidence: HostEvidence, *states: Json, **run: Any) -> list[str]:
    seen = build.target([443], states=[*build.states([443], "443"), *states])
    scans = None if run.get("scan_depth") == "none" else [build.scan([seen])]
    results = build.judged(evidence, scans, build.run(**run))
    return [row["gap"] for row in results["findings"] if row["gap"] and ":translated:" in row["gap"]]


def test_udp_that_leads_elsewhere_is_a_gap_where_it_is_silent() -> None:
    assert gaps(host(led("udp", "53")), state("udp", "open|filtered", "53")) == ["web1:translated:udp/53"]
    assert gaps(host(led("udp", "53"))) == ["web1:translated:udp/53"]
    assert gaps(host(led("udp", "53")), state("udp", "closed", "53")) == []


def test_a_node_port_that_the_depth_does_not_reach_is_a_gap() -> None:
    assert gaps(host(led("tcp", "30080-30081"))) == ["web1:translated:tcp/30080-30081"]
    assert gaps(host(led("tcp", "30080-30081")), state("tcp", "closed", "30080-30081")) == []


def test_what_is_declared_is_none() -> None:
    declared = [build.declared("30080-30081", forwarded=True, reachable_from="any", required=False)]
    assert gaps(host(led("tcp", "30080-30081"), declared=declared)) == []


@pytest.mark.parametrize(("address", "named"), [("192.0.2.10", True), (None, True), ("10.96.0.10", False)])
def test_what_is_sent_to_an_address_of_another_is_not_the_hosts(address: str | None, named: bool) -> None:
    assert gaps(host(led("udp", "53", address))) == (["web1:translated:udp/53"] if named else [])


def test_rules_that_do_not_name_their_ports_are_counted() -> None:
    assert gaps(host(led("tcp", None), led(None, None))) == ["web1:translated:2-rules"]
    assert gaps(host(led("tcp", None)), scan_depth="full") == []
    assert gaps(host(led(None, None)), scan_depth="full") == ["web1:translated:1-rules"]  # of UDP nobody asks all


def test_a_run_from_inside_says_nothing_of_what_can_be_reached() -> None:
    assert gaps(host(led("udp", "53")), scan_depth="none") == []


def test_each_scan_asks_them_of_their_host_and_a_long_range_no_further_than_its_depth() -> None:
    evidence = [host(led("tcp", "30080"), led("udp", "53"), led(None, "7000"), led("tcp", "1-60000"))]
    share = {"vantage": "internet", "scanner": "control1", "index": 0, "of": 1}
    plan = scan_plan(evidence, share, "known", scanner_is_control=True)
    assert str(plan.known) == "443,7000,30080"
    assert plan.targets[0]["udp_ports"] == "53,7000"


@pytest.mark.parametrize("code", ["translation-not-read", "translation-unknown", "namespaces-unknown"])
def test_a_listing_that_could_not_read_what_leads_elsewhere_is_a_gap(code: str) -> None:
    listening = build.listening([build.listener(443)], problems=[{"code": code, "message": "x"}])
    results = build.judged(build.host_evidence([build.declared(443)], listening=listening))
    assert f"web1:{code}" in {row["gap"] for row in results["findings"]}
    assert results["gate"]["passed"] is False


@pytest.mark.parametrize("wrong", [{"ports": "1-99999"}, {"address": "x"}, {"protocol": 6}, {"by": "magic"}])
def test_a_row_of_another_shape_is_refused(wrong: Json) -> None:
    listening = {**build.listening([]), "translated": [{**led("tcp", "80"), **wrong}]}
    assert "listening.translated[0]" in str(listing_of(listening))
