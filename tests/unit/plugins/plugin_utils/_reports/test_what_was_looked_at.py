# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A verdict says what it rests on: depth, protocols, network namespaces. In every format, word for word."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.console import console_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.verdict import looked_at, verdict
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
EVERYWHERE = {"asked": "all", "seen": ["host"], "missed": []}


def audited(depth: str, **coverage: Any) -> Json:
    return build.judged(build.host_evidence(**coverage), [], build.run(scan_depth=depth))


@pytest.mark.parametrize("depth", ["none", "known", "common", "full"])
def test_every_format_says_it_in_the_same_words(depth: str) -> None:
    results = audited(depth)
    made = {name: b"".join(chunks).decode() for name, chunks in reports(Results.of(results))}
    said = verdict(results)
    assert looked_at(results) in said
    assert said in made["report.md"]
    assert said in made["summary.md"]
    assert said in next(iter(console_lines(Results.of(results), "x")))
    suites = ET.fromstring(made["junit.xml"]).findall("testsuite")  # noqa: S314 - made here
    assert suites
    for suite in suites:
        assert {one.get("name"): one.get("value") for one in suite.iter("property")}["verdict"] == said


@pytest.mark.parametrize(
    ("depth", "outside"),
    [
        ("none", "From outside nothing was asked;"),
        ("known", "From outside only TCP and UDP ports were asked that are declared or were seen listening;"),
        ("common", "and the most frequent of TCP;"),
        ("full", "From outside every TCP port was asked, and UDP ports that are declared or were seen listening;"),
    ],
)
def test_the_depth_is_told(depth: str, outside: str) -> None:
    assert outside in looked_at(audited(depth))


def test_the_network_namespaces_are_told() -> None:
    own = build.host_evidence()
    everywhere = build.host_evidence(host="web2", listening=build.listening(namespaces=EVERYWHERE))
    unlisted = build.host_evidence(listening=None, status="unreachable", message="no route", host="web3")
    for hosts, said in (
        (
            [own],
            "TCP, UDP, packet and raw sockets of each host's own network namespace, and no other; sockets of other",
        ),
        (
            [everywhere],
            "TCP, UDP, packet and raw sockets of every network namespace; sockets of other kinds are counted",
        ),
        ([own, everywhere], "of every network namespace of 1 host and the own one of 1; "),
        ([unlisted], "inside, no host was listed."),
    ):
        names = [one.host for one in hosts]
        results = build.audit(build.run(names), [(one.host, one) for one in hosts], [])
        assert said in looked_at(results)


def test_a_run_that_did_not_record_it_says_so() -> None:
    results = audited("known")
    del results["coverage"]["looked_at"]
    assert "is not recorded in a run of 0.2" in looked_at(results)
