# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A verdict that nobody gave is "not known" in every format, and a cell is marked by a finding alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
SIX = "2001:db8::10"


def rendered(results: Json) -> dict[str, str]:
    return {name: b"".join(chunks).decode() for name, chunks in reports(Results.of(results))}


def passes(results: Json) -> set[str]:
    suites = ET.fromstring(rendered(results)["junit.xml"])  # noqa: S314 - our own
    return {str(case.get("name")) for case in suites.iter("testcase") if len(case) == 0}


def rows(results: Json, heading: str) -> list[list[str]]:
    text = rendered(results)["report.md"].split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]


def test_a_dead_host_is_as_declared_in_no_format() -> None:
    declared = [build.declared(22, service="ssh", review_by="2030-01-01", reachable_from="any")]
    dead = build.host_evidence(declared, status="unreachable", message="no route", listening=None)
    results = build.judged(dead, [build.scan([], status="failed", message="no route")])
    assert "as declared" not in rendered(results)["report.md"].split("## Hosts")[1].split("## ")[0].replace(
        "is not to be so", ""
    )
    assert [row[-1] for row in rows(results, "Hosts")] == ["not known"]
    assert passes(results) == {"the review of tcp/22 is not overdue", "no approval is too broad"}


def test_a_scan_alone_says_of_no_port_that_it_is_as_declared() -> None:
    """The service is the declared one; whether the right process listens, nobody saw."""
    declared = [build.declared(443, service="https", process="nginx", reachable_from="any")]
    seen = build.target([443])
    seen["endpoints"][0]["service"] = build.service("https")
    blind = build.host_evidence(declared, status="unreachable", message="no route", listening=None)
    results = build.judged(blind, [build.scan([seen])])
    assert "tcp/443 is as declared" not in passes(results)
    assert "the service of tcp/443 is the declared one" in passes(results)


def test_a_declared_service_passes_only_when_something_identified_it() -> None:
    declared = [build.declared(443, service="https", reachable_from="any")]
    results = build.judged(build.host_evidence(declared, [build.listener(443)]), [build.scan([build.target([443])])])
    assert not [name for name in passes(results) if name.startswith("the service of")]
    assert [row[-1] for row in rows(results, "Hosts")] == ["service not known"]


@pytest.mark.parametrize("depth", ["known", "common", "full"])
def test_no_listener_is_hidden_only_after_every_port_was_asked(depth: str) -> None:
    run = build.run()
    run["settings"]["scan_depth"] = depth
    results = build.judged(build.host_evidence(), [build.scan([build.target()])], run)
    assert ("no listener is hidden" in passes(results)) is (depth == "full")


def two(four: Json, six: Json, **declared: Any) -> Json:
    host = build.host_evidence(
        [build.declared(443, **declared)],
        listening=build.listening(
            [build.listener(443), build.listener(443, "::", v6only=True)],
            [build.own_address("127.0.0.1", "lo"), build.own_address(build.ADDRESS), build.own_address(SIX)],
        ),
        outside_addresses={"default": [build.ADDRESS, SIX]},
    )
    return build.judged(host, [build.scan([four, six])])


def test_two_addresses_are_not_one_cell_and_bold_is_what_a_finding_calls_wrong() -> None:
    closed = {**build.target(), "states": build.states([], "443")}
    opened = build.target([443], address=SIX)
    forbidden = two(closed, opened, reachable_from=["office"])
    (cell,) = [row[3] for row in rows(forbidden, "Hosts")]
    assert cell == f"closed at `{build.ADDRESS}`, **open** at `{SIX}`"
    assert [row[2] for row in rows(forbidden, "Segmentation")] == ["closed 1, **open 1**"]
    as_declared = two({**closed, "address": build.ADDRESS}, {**closed, "address": SIX})
    assert [row[3] for row in rows(as_declared, "Hosts")] == ["closed"]
    assert [row[2] for row in rows(as_declared, "Segmentation")] == ["closed 1"]


def test_not_asked_not_known_and_no_answer_are_three_words_and_none_is_escaped() -> None:
    declared = [build.declared(port, protocol="udp", required=False) for port in (53, 123, 161)]
    target = build.target()
    target["states"] = [{"protocol": "udp", "state": "open|filtered", "reason": "no-response", "ports": "53"}]
    target["unknown"] = [{"protocol": "udp", "ports": "123"}]
    results = build.judged(build.host_evidence(declared), [build.scan([{**target, "status": "partial"}])])
    assert [row[3] for row in rows(results, "Hosts")] == ["open or filtered", "not known", "not asked"]
    assert [row[2] for row in rows(results, "Segmentation")] == ["open or filtered 1", "not known 1", "not asked 1"]


def test_a_run_of_0_2_is_rendered() -> None:
    results = build.judged(build.host_evidence([build.declared(443)]), [build.scan([build.target([443])])])
    for row in results["hosts"][0]["ports"]:
        row["reachable"] = {"internet": "closed, open"}
    assert [row[3] for row in rows(results, "Hosts")] == ["closed, open"]
