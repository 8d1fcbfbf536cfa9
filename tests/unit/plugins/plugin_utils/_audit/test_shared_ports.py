# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declarations of different processes share ports: who listens tells which of them speaks."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]

WEB = build.declared("8000-8099", process="nginx", owner="web-team", required=False, reachable_from=["internet"])
BUILD = build.declared("8050-8149", process="java", owner="build-team", required=False, reachable_from=[])
JAVA = build.owner(name="java", executable="/usr/bin/java", unit="agent.service")
EVIL = build.owner(name="evil", executable="/tmp/evil", unit=None)


def seen_open(port: int) -> Json:
    return build.scan([build.target([port], endpoints=[build.endpoint(port)])])


def failed(results: Json) -> set[tuple[str, Any]]:
    return {(row["rule"], row["port"]) for row in results["findings"] if row["status"] == "fail"}


@pytest.mark.parametrize("order", [[WEB, BUILD], [BUILD, WEB]])
@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (build.owner(), set()),
        # Only the web server may be reached.
        (JAVA, {("forbidden-exposure", 8060)}),
    ],
)
def test_who_listens_tells_who_speaks(order: list[Json], owner: Json, expected: set[tuple[str, int]]) -> None:
    evidence = build.host_evidence(order, [build.listener(8060, owners=[owner])])
    assert failed(build.judged(evidence, [seen_open(8060)])) == expected


@pytest.mark.parametrize("order", [[WEB, BUILD], [BUILD, WEB]])
def test_one_of_neither_is_the_wrong_owner_and_both_declarations_are_named(order: list[Json]) -> None:
    results = build.judged(build.host_evidence(order, [build.listener(8060, owners=[EVIL])]))
    [finding] = [row for row in results["findings"] if (row["rule"], row["status"]) == ("wrong-owner", "fail")]
    text = " ".join([finding["message"], *finding["details"]])
    assert "instead of nginx" in text
    assert "instead of java" in text


def test_two_processes_of_which_each_is_one_of_the_declared_are_of_neither() -> None:
    both = build.listener(8060, owners=[build.owner(), {**JAVA, "pid": 813}])
    assert ("wrong-owner", 8060) in failed(build.judged(build.host_evidence([WEB, BUILD], [both])))


def test_beside_each_other_outside_of_what_they_share() -> None:
    listeners = [build.listener(8001, owners=[JAVA]), build.listener(8149)]
    found = failed(build.judged(build.host_evidence([{**WEB, "reachable_from": []}, BUILD], listeners)))
    assert found == {("wrong-owner", 8001), ("wrong-owner", 8149)}


def test_a_required_one_misses_its_own_process() -> None:
    needed = {**BUILD, "required": True}
    results = build.judged(build.host_evidence([WEB, needed], [build.listener(8060)]), [seen_open(8060)])
    assert failed(results) == {("missing-listener", "8050-8149")}


@pytest.mark.parametrize(
    ("one", "other", "allowed"),
    [
        ({"process": "nginx"}, {"process": "java"}, True),
        ({"process": "nginx"}, {"process": "/usr/sbin/nginx"}, False),
        ({"process": "/usr/sbin/nginx"}, {"process": "/opt/nginx"}, False),
        ({"process": ["nginx", "java"]}, {"process": ["java", "tomcat"]}, False),
        ({"process": "nginx"}, {}, False),
        ({"process": "nginx"}, {"unit": "agent.service"}, False),
        ({"unit": "web.service"}, {"unit": "agent.service"}, True),
        ({"unit": "web.service"}, {"unit": "web.socket"}, False),
        ({"process": "java", "unit": "web.service"}, {"process": "java", "unit": "agent.service"}, True),
    ],
)
def test_owners_share_ports_only_where_no_process_can_be_meant_by_both(one: Json, other: Json, allowed: bool) -> None:
    entries = [{**build.declared(8000), **one}, {**build.declared("7000-8010"), **other, "owner": "another-team"}]
    _inventory, problems = load_inventory({"vigil_ports": entries})
    assert (not problems) is allowed, problems
