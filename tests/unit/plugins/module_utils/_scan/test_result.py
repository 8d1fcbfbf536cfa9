# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: every port that was asked for is in exactly one state, or unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    Endpoint,
    Outcome,
    Problem,
    Seen,
    StateRow,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.result import result
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import Target
from hypothesis import given
from hypothesis import strategies as st

PORTS = st.sets(st.integers(1, 40), max_size=20).map(PortSet.of)
ROWS = st.lists(
    st.builds(
        StateRow,
        st.sampled_from(["tcp", "udp"]),
        st.sampled_from(["open", "closed", "filtered", "open|filtered"]),
        st.sampled_from(["no-response", "reset"]),
        PORTS,
    ),
    max_size=6,
)
ByPort = Callable[[dict[str, Any]], dict[tuple[str, int], str]]


def outcome(seen: dict[str, Seen], tcp: PortSet, udp: PortSet, **more: Any) -> Outcome:
    return Outcome("connect", None, "connect", privileged=False, seen=seen, tcp=tcp, udp=udp, **more)


@given(rows=ROWS, tcp=PORTS, udp=PORTS)
def test_states_and_unknown_are_a_partition_of_what_was_asked(
    by_port: ByPort, rows: list[StateRow], tcp: PortSet, udp: PortSet
) -> None:
    endpoints = tuple(
        Endpoint(row.protocol, port, row.state, row.reason) for row in rows if "open" in row.state for port in row.ports
    )
    made = outcome({"198.18.0.1": Seen(tuple(rows), endpoints)}, tcp, udp)
    found = result([Target("h", "198.18.0.1", ("198.18.0.1",))], made, "asked for", "a", "b")
    (target,) = found["targets"]
    seen = by_port(target)  # fails on a port in two rows
    assert set(seen) == {("tcp", port) for port in tcp} | {("udp", port) for port in udp}
    assert {(e["protocol"], e["port"]) for e in target["endpoints"]} == {k for k, s in seen.items() if "open" in s}
    known = sum(state != "unknown" for state in seen.values())
    assert found["coverage"]["answered"] + found["coverage"]["timed_out"] == known
    assert (target["status"] == "complete") == (0 < known == len(seen))
    assert (target["reason"] is None) == (target["status"] == "complete")
    assert not found["coverage"]["complete"] or target["status"] == "complete"


def test_an_address_of_two_hosts_is_given_to_both_and_counted_once() -> None:
    seen = Seen((StateRow("tcp", "closed", "reset", PortSet.of([1])),))
    targets = [Target(host, "198.18.0.1", ("198.18.0.1",)) for host in ("a", "b")]
    found = result(targets, outcome({"198.18.0.1": seen}, PortSet.of([1]), PortSet()), "", "a", "b")
    assert [(t["host"], t["status"]) for t in found["targets"]] == [("a", "complete"), ("b", "complete")]
    assert found["coverage"]["answered"] == 1


def test_nothing_scanned_is_never_complete() -> None:
    assert not result([], outcome({}, PortSet.of([1]), PortSet()), "", "a", "b")["coverage"]["complete"]


def test_a_problem_that_leaves_ports_unknown_is_the_reason() -> None:
    seen = {"198.18.0.1": Seen((StateRow("tcp", "closed", "reset", PortSet.of([1])),))}
    made = outcome(seen, PortSet.of([1]), PortSet.of([53]), problems=(Problem("x", "UDP is unknown"),))
    (target,) = result([Target("h", "n.example", ("198.18.0.1",))], made, "", "a", "b")["targets"]
    assert (target["status"], target["reason"]) == ("partial", "UDP is unknown")
