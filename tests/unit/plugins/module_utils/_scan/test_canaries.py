# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: an address that answers open for everything is never taken at its word."""

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.canaries import choose_canaries, distrust
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import Endpoint, Outcome, Seen, StateRow
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.result import result
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import Target
from hypothesis import given
from hypothesis import strategies as st

ENGINES = ["nmap", "connect"]
ALL = PortSet.parse(["1-65535"])


@given(count=st.integers(2, 64), low=st.integers(1, 65535), length=st.integers(0, 65535), seed=st.integers(0, 9))
def test_canaries_are_ports_that_nobody_asked_for_or_uses(count: int, low: int, length: int, seed: int) -> None:
    asked = PortSet(((low, min(low + length, 65535)),))
    used = PortSet.parse(["30000-30100"])
    chosen = choose_canaries(count, asked, used, random.Random(seed))  # noqa: S311 - a test that can be repeated
    assert len(chosen) == count
    assert not chosen & (used | PortSet.parse(["1-1023", 8080, 27017]))
    left = ALL - PortSet.parse(["1-1023"]) - asked - used
    assert len(left) < 500 or not chosen & asked


def test_hosts_that_claim_nearly_all_ports_leave_canaries_all_the_same() -> None:
    for claimed in (["1-65535"], ["1024-60000"]):
        assert len(choose_canaries(6, PortSet(), PortSet.parse(claimed))) == 6
    many = PortSet.parse(["10000-20999"])
    assert not any(choose_canaries(64, PortSet(), many) & many for _turn in range(20))


def test_canaries_are_new_each_time() -> None:
    assert choose_canaries(6, PortSet(), PortSet()) != choose_canaries(6, PortSet(), PortSet())


@pytest.mark.parametrize(
    ("opened", "canaries", "doubted"),
    [
        (0, 6, False),
        (1, 6, False),
        (2, 6, False),
        (3, 6, True),
        (6, 6, True),
        (1, 2, False),
        (2, 2, True),
        (2, 5, False),
    ],
)
def test_half_of_the_canaries_and_two_are_enough(opened: int, canaries: int, doubted: bool) -> None:
    asked = PortSet.of(range(40000, 40000 + canaries))
    row = StateRow("tcp", "open", "syn-ack", PortSet.of([22, *range(40000, 40000 + opened)]))
    assert (distrust(Seen((row,)), asked) is not None) == doubted


def test_udp_ports_of_the_same_numbers_are_no_canaries() -> None:
    canaries = PortSet.of([40000, 40001])
    assert distrust(Seen((StateRow("udp", "open", "udp-response", canaries),)), canaries) is None


def test_a_single_open_canary_is_left_out_of_the_result() -> None:
    rows = (StateRow("tcp", "open", "syn-ack", PortSet.of([22, 40000])),)
    seen = Seen(rows, tuple(Endpoint("tcp", port, "open", "syn-ack") for port in (22, 40000)))
    canaries = PortSet.of([40000, 40001])
    made = Outcome("nmap", None, "syn", True, {"198.18.0.1": seen}, PortSet.of([22]), PortSet(), canaries=canaries)
    found = result([Target("h", "198.18.0.1", ("198.18.0.1",))], made, "", "a", "b")
    (target,) = found["targets"]
    assert (target["status"], [e["port"] for e in target["endpoints"]]) == ("complete", [22])
    assert [row["ports"] for row in target["states"]] == ["22"]
    assert found["coverage"]["canaries"] == "40000-40001"
    assert found["coverage"]["complete"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_shield_that_answers_everything_is_untrusted_and_asked_for_no_version(lab: Any, engine: str) -> None:
    addresses = [lab.shielded, lab.open_, lab.silent, lab.shielded6, lab.silent6]
    result = lab.scan(addresses, ports=[22, 443, 8443], engine=engine, canaries=6, versions=engine == "nmap")
    statuses = ["untrusted", "complete", "complete", "untrusted", "complete"]
    assert [target["status"] for target in result["targets"]] == statuses
    assert not result["coverage"]["complete"]
    canaries = PortSet.parse([result["coverage"]["canaries"]])
    assert len(canaries) == 6
    for target in result["targets"]:
        assert all(not PortSet.parse([row["ports"]]) & canaries for row in target["states"])
        if target["status"] == "untrusted":
            assert "6 of 6 ports that nobody uses" in target["reason"]
            assert [e["port"] for e in target["endpoints"]] == [22, 443, 8443]
            assert all(e["service"] is None or e["service"]["method"] == "table" for e in target["endpoints"])
    for argv in result["coverage"]["commands"]:
        assert "-sV" not in argv or not {lab.shielded, lab.shielded6} & set(argv)


@pytest.mark.parametrize("engine", ENGINES)
def test_canaries_are_there_too_when_every_port_is_asked(lab: Any, engine: str) -> None:
    result = lab.scan([lab.shielded], ports=["1-65535"], engine=engine, canaries=4, rate=20000)
    (target,) = result["targets"]
    assert target["status"] == "untrusted"
    assert sum(len(PortSet.parse([row["ports"]])) for row in target["states"]) == 65535
