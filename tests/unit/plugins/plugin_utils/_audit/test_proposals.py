# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proposal makes nothing green, and cannot be approved by accident."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rule import severity_rank
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.placeholder import (
    is_proposed_layer,
    layer_of_group,
)
from ansible_collections.vigil.ports.tests.unit.examples import examples
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._audit import test_every_audit as every
from hypothesis import given, settings
from hypothesis import strategies as st

Json = dict[str, Any]
SCAN = [build.scan([build.target([443])])]


def proposed(entries: list[Json], heard: list[Json], approved: list[Json] | None = None, **more: Any) -> Json:
    host = build.host_evidence(approved or [], heard)
    host.inventory["vigil_ports__proposed"] = entries
    return build.judged(host, SCAN, build.run(**more))


@pytest.mark.parametrize(
    ("entry", "heard", "severity"),
    [
        (build.declared(443, reachable_from=["internet"]), [build.listener(443)], "high"),
        (build.declared(8080), [build.listener(8080)], "medium"),
        (build.declared(8080, address="loopback"), [build.listener(8080, "127.0.0.1")], "info"),
        (build.declared(8080), [build.listener(8080, "127.0.0.1"), build.listener(8080)], "medium"),
        (build.declared(40000, protocol="udp"), [build.listener(40000, protocol="udp", ephemeral=True)], "low"),
        (build.declared(8080), [], "low"),
    ],
)
def test_what_is_proposed_is_reported_as_gravely_as_without(entry: Json, heard: list[Json], severity: str) -> None:
    results = proposed(
        [entry], heard, [build.declared(443, reachable_from="any", required=False)][entry["port"] == 443 :]
    )
    assert not [row for row in results["findings"] if row["status"] == "fail" and row["rule"].startswith("undeclared")]
    (row,) = build.of_rule(results, "unapproved")
    assert (row["status"], row["severity"], row["place"]) == ("fail", severity, "vigil_ports__proposed[0]")


def test_a_proposal_excuses_no_other_vantage_point_and_no_other_address() -> None:
    entry = build.declared(443, address="loopback", reachable_from=["office"])
    results = proposed([entry], [build.listener(443)])
    assert {"undeclared-listener", "undeclared-exposure", "unapproved"} <= build.failures(results)


def test_a_proposal_lets_no_declared_port_be_reached_from_elsewhere() -> None:
    results = proposed([build.declared(443, reachable_from="any")], [build.listener(443)], [build.declared(443)])
    (row,) = build.of_rule(results, "unapproved")
    assert row["severity"] == "high"
    # The reach of what is declared never rests on a proposal.
    assert "forbidden-exposure" in build.failures(results)
    assert not results["gate"]["passed"]


def test_a_host_that_could_not_be_listed_says_so_of_its_proposals() -> None:
    host = build.host_evidence(status="unreachable", message="no route", listening=None)
    host.inventory["vigil_ports__proposed"] = [build.declared(8080)]
    (row,) = build.of_rule(build.judged(host), "unapproved")
    assert (row["severity"], "not known" in row["message"]) == ("medium", True)


@settings(max_examples=examples(150), deadline=None)
@given(every.audits(), st.lists(every.declarations, min_size=1, max_size=4), st.sampled_from(["low", "medium", "high"]))
def test_no_proposal_turns_any_run_green(made: Any, proposals: list[Json], fail_on: str) -> None:
    """Whatever is proposed: what broke the gate breaks it still, on each port as gravely as before."""
    run, host, scans = made
    run = {**run, "settings": {**run["settings"], "fail_on": fail_on}}
    with_proposals = copy.deepcopy(host)
    with_proposals["inventory"]["vigil_ports__proposed"] = proposals
    before, after = (every.judged(run, one, scans) for one in (host, with_proposals))
    assert before["gate"]["passed"] or not after["gate"]["passed"]
    rest = gravity(after)
    for (protocol, port), severity in gravity(before).items():
        near = [rank for (other, span), rank in rest.items() if other == protocol and within(port, span)]
        assert severity <= max(near, default=-1), f"{protocol}/{port} became less grave"


def gravity(results: Json) -> dict[tuple[str, Any], int]:
    """The gravest failure of each port."""
    found: dict[tuple[str, Any], int] = {}
    for row in results["findings"]:
        if row["status"] == "fail" and row["port"] is not None and row["rule"] != "exception-unused":
            key = (row["protocol"], row["port"])
            found[key] = max(found.get(key, -1), severity_rank(row["severity"]))
    return found


def within(port: Any, span: Any) -> bool:
    if str(port).startswith("ephemeral:"):  # of whatever ports its process has; a proposal names one of them
        return True
    if str(span).startswith("ephemeral:"):
        return False
    first, _dash, last = str(span).partition("-")
    inner, _dash, outer = str(port).partition("-")
    return int(first) <= int(inner) and int(outer or inner) <= int(last or first)


@pytest.mark.parametrize("key", ["justification", "owner", "approved_by", "change"])
@pytest.mark.parametrize("layer", ["vigil_ports", "vigil_ports__web", "vigil_ports__proposedly"])
def test_a_placeholder_is_refused_outside_of_proposals(layer: str, key: str) -> None:
    entry = build.declared(443, **{key: "FILL IN: who answers for it"})
    inventory, problems = load_inventory({layer: [entry]})
    assert not inventory.declarations
    assert [problem.place for problem in problems] == [f"{layer}[0].{key}"]
    assert "nobody has filled it in" in str(problems[0])
    for proposals in ("vigil_ports__proposed", "vigil_ports__proposed_web"):
        inventory, problems = load_inventory({proposals: [entry]})
        assert (problems, len(inventory.proposals), inventory.declarations) == ((), 1, ())


def test_a_proposal_contradicts_no_declaration() -> None:
    layers: Any = {"vigil_ports__web": [build.declared(443)], "vigil_ports__proposed": [build.declared(443, owner="b")]}
    assert load_inventory(layers)[1] == ()


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=2, unique=True))
def test_no_two_groups_share_a_layer(groups: list[str]) -> None:
    layers = [layer_of_group(group) for group in groups]
    assert len(set(layers)) == 2
    for layer in layers:
        assert is_proposed_layer(layer)
        assert load_inventory({layer: [build.declared(80)]})[1] == ()
