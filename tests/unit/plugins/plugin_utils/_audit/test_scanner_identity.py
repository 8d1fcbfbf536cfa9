# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scan counts as a look from outside only when the scanner made it, from where the scanner was before."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.reachable import ScanEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.values import Machine
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scanner_identity import is_another, known_before
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
DECLARED = [build.declared(443, reachable_from=["internet"])]


def gaps(results: Json) -> set[str]:
    return {row["gap"] for row in results["findings"] if row["status"] == "not_assessed"}


def judged(machines: list[Json], known_as: Json | None = None, about: Json | None = None, **host: Any) -> Json:
    evidence = build.host_evidence(DECLARED, [build.listener(443)], **host)
    share = build.share([build.target([443])], machines=machines, known_as=known_as)
    return build.judged(evidence, [build.scan_by([share])], about)


def test_what_the_host_saw_of_itself_is_no_look_from_outside() -> None:
    """The scan was delegated to a scanner whose name led to the host: every port of it looks as it does inside."""
    results = judged([build.machine("web1")])
    assert gaps(results) == {"web1:scanner-is-target@internet", "web1:not-scanned@internet"}
    assert not results["gate"]["passed"]
    assert not [row for row in build.of_rule(results, "blocked-service") if row["status"] == "pass"]


def test_the_control_node_looks_at_itself_as_the_quick_start_says() -> None:
    assert not gaps(judged([build.machine("web1")], is_control=True))
    assert not gaps(judged([build.machine("web1")], about=scanner_is_control(True), is_control=True))


def scanner_is_control(said: bool) -> Json:
    return build.run(scanners={"control1": {"addresses": ["192.0.2.1"], "is_control": said}})


def test_another_scanner_that_leads_to_the_control_node_is_no_look_at_it() -> None:
    """Its address is a loopback one: over SSH it is the control node, which is audited under its own name."""
    results = judged([build.machine("web1")], about=scanner_is_control(False), is_control=True)
    assert gaps(results) == {"web1:scanner-is-target@internet", "web1:not-scanned@internet"}


def test_a_scanner_that_has_the_scanned_address_saw_itself_whatever_the_host_says() -> None:
    """The host lies about its machine; the packets never left the scanner."""
    results = judged([build.machine("control1", "192.0.2.200", build.ADDRESS)])
    assert gaps(results) == {"web1:scanner-is-target@internet", "web1:not-scanned@internet"}
    said = next(row["message"] for row in results["findings"] if row["gap"] == "web1:scanner-is-target@internet")
    assert "what answered as control1 has the address 192.0.2.10 itself" in said


@pytest.mark.parametrize(
    ("answered", "is_said"),
    [
        (build.machine("control1"), False),
        (build.machine("control1", "192.0.2.200", "2001:db8::200"), False),  # one address more
        (build.machine("control1", stack="after a reboot"), False),
        (build.machine("control1", id=None), False),  # it does not tell, and has the address
        (build.machine("other"), True),  # another id at the same address
        (build.machine("control1", "192.0.2.9"), True),  # the same one somewhere else, or a clone
        (build.machine("control1", "192.0.2.9", id=None), True),
    ],
)
def test_another_machine_than_before_is_a_gap_by_name(answered: Json, is_said: bool) -> None:
    results = judged([answered], known_as=build.machine("control1"))
    assert gaps(results) == ({"web1:scanner-changed@internet"} if is_said else set())
    assert results["gate"]["passed"] is not is_said


def test_a_scanner_that_changes_on_the_way_is_a_gap() -> None:
    assert gaps(judged([build.machine("control1"), build.machine("other")])) == {"web1:scanner-changed@internet"}


def test_evidence_without_identities_is_judged_as_it_was() -> None:
    share = build.share([build.target([443])])
    del share["machines"], share["known_as"]
    evidence = build.host_evidence(DECLARED, [build.listener(443)])
    evidence = build.edited(evidence, lambda row: row["listening"].pop("machine"))
    results = build.judged(evidence, [build.scan_by([share])])
    assert results["gate"]["passed"]


def known(runs: list[tuple[Json, ScanEvidence | None]]) -> Json | None:
    machine = known_before(runs, "internet", "control1")
    return machine and build.on_disk(machine)


def earlier(
    answered: Json, known_as: Json | None, *accepted: str, hosts: tuple[str, ...] = ("web1",)
) -> tuple[Json, ScanEvidence | None]:
    run = build.run()
    run["settings"]["accept_gaps"] = list(accepted)
    targets = [build.target(host=host) for host in hosts]
    return run, build.scan_by([build.share(targets, machines=[answered], known_as=known_as)])


def test_another_machine_is_not_known_until_somebody_accepts_it() -> None:
    first, other = build.machine("control1"), build.machine("other")
    runs = [earlier(other, first), earlier(first, first)]
    assert known(runs) == first
    runs = [earlier(other, first, "web1:scanner-changed@internet"), earlier(first, first)]
    assert known(runs) == other
    assert known([(build.run(), None), *runs]) == other  # a run without a scan
    assert known([]) is None
    both = earlier(other, first, "web1:scanner-changed@internet", hosts=("web1", "web2"))
    assert known([both, *runs]) == first, "it was accepted for one of two hosts"
    assert known_before(runs, "internet", "control2") is None


def test_a_machine_that_tells_nothing_is_not_called_another() -> None:
    nothing = Machine(id=None, stack=None, addresses=())
    assert not is_another(nothing, nothing)
    before = Machine(id="a", stack=None, addresses=("192.0.2.200",))
    assert is_another(before, nothing), "the addresses that were known are gone"
