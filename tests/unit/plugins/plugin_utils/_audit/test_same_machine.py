# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two names of the inventory for one machine: said once, what fails is found once, and nobody hides behind a name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.reconcile import audit
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
WEB = build.declared(443, reachable_from=["internet"])
GAP = "www:same-machine:web1"
ONE = build.machine("web1", build.ADDRESS)


def named(
    host: str, machine: Json | None, *listeners: Json, ports: Any = (WEB,), **more: Any
) -> tuple[str, HostEvidence]:
    listening = build.listening([build.listener(443), *listeners])
    del listening["machine"]
    if machine is not None:
        listening["machine"] = machine
    return host, build.host_evidence(ports, host=host, **{"listening": listening, **more})


def judged(*hosts: tuple[str, HostEvidence], opened: Any = (443,), **settings: Any) -> Json:
    names = [name for name, _evidence in hosts]
    scans = [build.scan([build.target(opened, host=name) for name in names])]
    results = audit(build.run(names, **settings), hosts, scans)
    build.validator("results").validate(results)
    return results


def gaps(results: Json) -> set[str]:
    return {row["gap"] for row in results["findings"] if row["status"] == "not_assessed"}


def failed(results: Json) -> list[tuple[str, str, int]]:
    return sorted((row["host"], row["rule"], row["port"]) for row in results["findings"] if row["status"] == "fail")


def test_one_machine_is_said_and_breaks_the_gate_until_it_is_accepted() -> None:
    hosts = named("web1", ONE), named("www", ONE)
    results = judged(*hosts)
    assert gaps(results) == {GAP}
    assert not results["gate"]["passed"]
    (row,) = [row for row in results["findings"] if row["gap"] == GAP]
    assert "www and web1 are one machine (192.0.2.10)" in row["message"]
    assert judged(*hosts, accept_gaps=[GAP])["gate"]["passed"]


def test_what_fails_under_both_names_is_one_finding() -> None:
    """Inside and outside; the same names and addresses."""
    results = judged(
        named("web1", ONE, build.listener(8080)), named("www", ONE, build.listener(8080)), opened=(443, 8080)
    )
    assert failed(results) == [("web1", "undeclared-exposure", 8080), ("web1", "undeclared-listener", 8080)]
    assert "2 of its findings are those of web1" in next(row["message"] for row in results["findings"] if row["gap"])
    assert results["counts"]["status"]["fail"] == 2


def test_what_fails_under_one_name_alone_is_kept() -> None:
    """The second name declares less: its findings are not those of the first."""
    results = judged(named("web1", ONE), named("www", ONE, ports=()))
    assert ("www", "undeclared-listener", 443) in failed(results)
    assert ("www", "undeclared-exposure", 443) in failed(results)


def test_a_host_that_claims_to_be_another_hides_nothing_of_either() -> None:
    """The liar comes first, claims the other's machine, and shows nothing of what the other has."""
    results = judged(named("liar", ONE), named("web1", ONE, build.listener(8080)), opened=(443, 8080))
    assert ("web1", "undeclared-listener", 8080) in failed(results)
    results = judged(named("web1", ONE), named("zliar", ONE, build.listener(8080)))
    assert failed(results) == [("zliar", "undeclared-listener", 8080)]


def test_an_excepted_finding_hides_none_that_fails() -> None:
    exceptions = [build.exception(8080)]
    first = named("web1", ONE, build.listener(8080), exceptions=exceptions)
    assert ("www", "undeclared-listener", 8080) in failed(judged(first, named("www", ONE, build.listener(8080))))


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        (ONE, {**ONE, "stack": "a clone at the same address, as NAT of virtual machines gives it"}, False),
        (ONE, build.machine("web1", "192.0.2.11", stack="a clone"), False),
        (ONE, build.machine("web1", "192.0.2.11"), True),  # one network stack: an address came meanwhile
        (ONE, {**ONE, "id": None}, True),
        (ONE, {**ONE, "stack": None}, True),
        ({**ONE, "stack": None}, ONE, True),
        ({**ONE, "stack": None}, {**ONE, "stack": None}, True),
        ({**ONE, "stack": None}, build.machine("web1", "192.0.2.11", stack=None), False),
        ({"id": None, "stack": None, "addresses": []}, {"id": None, "stack": None, "addresses": []}, False),
        (None, ONE, False),
        (None, None, False),
    ],
)
def test_what_makes_one_machine(one: Json | None, other: Json | None, are_one: bool) -> None:
    assert gaps(judged(named("web1", one), named("www", other))) == ({GAP} if are_one else set())


def test_three_names_are_two_gaps_that_name_the_first() -> None:
    results = judged(named("web1", ONE), named("web2", ONE), named("www", ONE))
    assert gaps(results) == {GAP, "web2:same-machine:web1"}
