# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An address that the host has and nobody scans is a gap, unless somebody left it out on purpose."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
SECOND, SIX = "192.0.2.77", "2001:db8::77"
ADDRESSES = [
    build.own_address("127.0.0.1", "lo"),
    build.own_address(build.ADDRESS),
    build.own_address(SECOND, "eth1"),
    build.own_address(SIX, "eth1"),
    build.own_address("fe80::1"),
    build.own_address("172.17.0.1", "docker0", inner=True),
]


def judged(given: Any = None, *scanned: str, scans: int = 1) -> Json:
    listening = build.listening([], ADDRESSES)
    evidence = build.host_evidence(listening=listening)
    if given is not None:
        evidence.inventory["vigil_addresses"] = given
    targets = [build.target(address=address) for address in (scanned or (build.ADDRESS,))]
    return build.judged(evidence, [build.scan(targets)] * scans)


def gaps(results: Json) -> list[str]:
    return [row["gap"] for row in results["findings"] if row["status"] == "not_assessed"]


def test_a_second_interface_and_a_global_ipv6_address_are_one_gap() -> None:
    results = judged()
    assert gaps(results) == [f"web1:own-addresses-not-scanned@internet:{SECOND},{SIX}"]
    (row,) = [row for row in results["findings"] if row["status"] == "not_assessed"]
    assert f'scan it with vigil_addresses: ["{build.ADDRESS}", "{SECOND}", "{SIX}"]' in row["message"]
    assert f'leave it out on purpose with vigil_addresses: ["{build.ADDRESS}"]' in row["message"]
    assert not results["gate"]["passed"]


def test_what_was_scanned_is_no_gap() -> None:
    assert gaps(judged(None, build.ADDRESS, SECOND)) == [f"web1:own-addresses-not-scanned@internet:{SIX}"]
    assert gaps(judged(None, build.ADDRESS, SECOND, SIX)) == []


@pytest.mark.parametrize("given", [[build.ADDRESS], {"internet": [build.ADDRESS]}, {"default": [build.ADDRESS]}])
def test_what_vigil_addresses_leaves_out_is_left_out_on_purpose_and_said(given: Any) -> None:
    results = judged(given)
    assert gaps(results) == []
    said = {row["address"]: row["reason"] for row in results["hosts"][0]["unscanned"]}
    assert said == {
        SECOND: "left out by vigil_addresses",
        SIX: "left out by vigil_addresses",
        "127.0.0.1": "loopback",
        "fe80::1": "link-local",
        "172.17.0.1": "a bridge by which no packet leaves the host",
    }


def test_another_vantage_points_addresses_leave_nothing_out_here() -> None:
    assert gaps(judged({"office": [build.ADDRESS]})) != []


def test_a_run_from_inside_alone_does_not_speak_of_addresses() -> None:
    run = build.run()
    run["settings"]["scan_depth"] = "none"
    results = build.judged(build.host_evidence(listening=build.listening([], ADDRESSES)), [], run)
    assert not [name for name in gaps(results) if "own-addresses" in name]


def test_what_is_offered_keeps_what_is_said_of_other_vantage_points() -> None:
    results = judged({"office": ["192.0.2.9"]})
    (message,) = [row["message"] for row in results["findings"] if row["gap"]]
    assert f'vigil_addresses: {{"office": ["192.0.2.9"], "internet": ["{build.ADDRESS}"]}}' in message


def test_an_address_that_is_routed_to_the_host_is_no_loopback_address() -> None:
    """Anycast, and a load balancer that answers directly: the service's address is on lo."""
    listening = build.listening([], [*ADDRESSES[:2], build.own_address("192.0.2.99", "lo")])
    results = build.judged(build.host_evidence(listening=listening), [build.scan([build.target()])])
    assert gaps(results) == ["web1:own-addresses-not-scanned@internet:192.0.2.99"]


def test_a_host_that_claims_ten_thousand_addresses_has_one_short_gap() -> None:
    many = [build.own_address(f"10.{number >> 8}.{number & 255}.1") for number in range(10_000)]
    listening = build.listening([], [*ADDRESSES[:2], *many])
    results = build.judged(build.host_evidence(listening=listening), [build.scan([build.target()])])
    (name,) = gaps(results)
    assert len(name) < 300
    assert "9992-more-" in name
    (message,) = [row["message"] for row in results["findings"] if row["gap"]]
    assert len(message) < 600
