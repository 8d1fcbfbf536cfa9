# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: what is open is asked twice, no answer is lost by asking again, and silence overrules nothing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    Endpoint,
    ScanRequest,
    Seen,
    StateRow,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.second_pass import (
    Question,
    confirmation_pace,
    seen_twice,
    together,
)
from hypothesis import given
from hypothesis import strategies as st

ENGINES = ["nmap", "connect"]
ANSWERS = [("open", "syn-ack"), ("closed", "reset"), ("filtered", "no-response"), ("filtered", "port-unreach")]
SEEN = st.dictionaries(st.integers(1, 30), st.sampled_from(ANSWERS), max_size=20)


def seen(by_port: dict[int, tuple[str, str]], reason: str | None = None) -> Seen:
    rows = [StateRow("tcp", *a, PortSet.of(p for p, b in by_port.items() if a == b)) for a in ANSWERS]
    endpoints = [Endpoint("tcp", port, *answer) for port, answer in sorted(by_port.items()) if answer[0] == "open"]
    return Seen(tuple(row for row in rows if row.ports), tuple(endpoints), reason)


def states(found: Seen) -> dict[int, tuple[str, str]]:
    by_port: dict[int, tuple[str, str]] = {}
    for row in found.rows:
        for port in row.ports:
            assert port not in by_port, "a port in two rows"
            by_port[port] = (row.state, row.reason)
    return by_port


@given(first=SEEN, second=SEEN, wanted=st.sets(st.integers(1, 30)))
def test_no_answer_is_lost_and_each_difference_is_told(
    first: dict[int, tuple[str, str]], second: dict[int, tuple[str, str]], wanted: set[int]
) -> None:
    both, problems = seen_twice("198.18.0.1", seen(first), seen(second), PortSet.of(wanted))
    found = states(both)
    assert set(found) == set(first) | set(second)
    assert {e.port: (e.state, e.reason) for e in both.endpoints} == {p: s for p, s in found.items() if s[0] == "open"}
    told = " ".join(problem.message for problem in problems)
    for port, (state, reason) in found.items():
        was, again = first.get(port), second.get(port)
        if was and again and was[0] != again[0]:
            silent = again[1] == "no-response"
            assert state == (was[0] if silent else again[0])
            assert silent or reason == f"{again[1]}, first seen {was[0]}"
        if was and was[0] == "open" and (again or ("",))[0] != "open" and (again or port in wanted):
            assert "not-confirmed" in [problem.code for problem in problems]
            assert str(port) in told or "-" in told


@pytest.mark.parametrize(
    ("again", "state", "reason", "code"),
    [
        (("open", "syn-ack"), "open", "syn-ack", None),
        (("filtered", "no-response"), "open", "syn-ack, silent when asked again", "not-confirmed"),
        (("closed", "reset"), "closed", "reset, first seen open", "not-confirmed"),
        (("filtered", "port-unreach"), "filtered", "port-unreach, first seen open", "not-confirmed"),
    ],
)
def test_what_a_second_answer_makes_of_an_open_port(
    again: tuple[str, str], state: str, reason: str, code: str | None
) -> None:
    both, problems = seen_twice("a", seen({22: ("open", "syn-ack")}), seen({22: again}), PortSet.of([22]))
    assert states(both) == {22: (state, reason)}
    assert [problem.code for problem in problems] == ([code] if code else [])


def test_an_open_port_that_was_not_asked_again_says_why() -> None:
    _both, problems = seen_twice("a", seen({22: ("open", "syn-ack")}), Seen(reason="it died"), PortSet.of([22]))
    assert [(p.code, p.message) for p in problems] == [
        ("not-confirmed", "a: ports 22 were not asked a second time: it died")
    ]


def test_a_port_that_contradicts_the_host_and_was_not_asked_again_is_unconfirmed() -> None:
    """The first, fast pass may have lost the answer: its silence proves nothing."""
    both, problems = seen_twice(
        "a", seen({22: ("filtered", "no-response")}), Seen(reason="the time was up"), PortSet.of([22])
    )
    assert both.unconfirmed == "ports 22 were not asked a second time: the time was up"
    assert [problem.code for problem in problems] == ["not-confirmed"]


@pytest.mark.parametrize(
    ("rate", "target_rate", "slow"),
    [(1, 0, 1), (50, 0, 50), (500, 0, 100), (2000, 0, 400), (100000, 0, 1000), (500, 20, 20), (5000, 300, 300)],
)
def test_the_second_pass_is_slow_and_within_every_limit(rate: int, target_rate: int, slow: int) -> None:
    pace = confirmation_pace(ScanRequest(("198.18.0.1", "198.18.0.2"), rate=rate, target_rate=target_rate, retries=1))
    assert (pace.pace(2), pace.retries) == (slow, 2)


@given(st.lists(st.tuples(st.sets(st.integers(1, 60), min_size=1, max_size=8), st.booleans()), max_size=12))
def test_grouped_questions_ask_everything_and_little_in_vain(wanted: list[tuple[set[int], bool]]) -> None:
    udp = PortSet.of([53])
    asked = [
        Question((f"198.18.0.{i}",), PortSet.of(ports), udp if has_udp else PortSet(), len(ports) + has_udp)
        for i, (ports, has_udp) in enumerate(wanted)
    ]
    groups = together(asked, 20)
    assert sorted(a for group in groups for a in group.addresses) == sorted(q.addresses[0] for q in asked)
    for group in groups:
        assert group.in_vain <= 20
        members = [q for q in asked if q.addresses[0] in group.addresses]
        assert all(not q.tcp - group.tcp and q.udp == group.udp for q in members)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_service_that_was_missed_is_found_because_the_host_says_it_listens(lab: Any, engine: str) -> None:
    sent = 100 if engine == "nmap" else 150  # two SYN of 44 or 60 bytes: both tries of the first pass
    with lab.with_rules(f"tcp dport 443 quota until {sent} bytes drop"):
        result = lab.scan([lab.fickle], ports=[22, 443], engine=engine, confirm=True, listening=[443, 9000])
    (target,) = result["targets"]
    assert {row["ports"]: (row["state"], row["reason"]) for row in target["states"]}["443"] == (
        "open",
        "syn-ack, first seen filtered",
    )
    assert [e["port"] for e in target["endpoints"]] == [443]
    assert [p["code"] for p in result["coverage"]["problems"]] == ["missed-at-first"]
    assert result["coverage"]["confirm_rate"] == 200
    assert target["status"] == "complete"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_firewall_that_shuts_after_the_first_answer_hides_nothing(lab: Any, engine: str) -> None:
    rules = "tcp dport 443 tcp flags syn limit rate 1/day burst 1 packets accept\ntcp dport 443 tcp flags syn drop"
    with lab.with_rules(rules):
        result = lab.scan([lab.fickle, lab.open_], ports=[22, 443], engine=engine, confirm=True)
    target, calm = result["targets"]
    assert [(e["port"], e["state"]) for e in target["endpoints"]] == [(443, "open")]
    assert "silent when asked again" in target["endpoints"][0]["reason"]
    (problem,) = result["coverage"]["problems"]
    assert problem["code"] == "not-confirmed"
    assert problem["message"] == f"{lab.fickle}: 443 was open, and silent when asked again"
    assert calm["endpoints"][0]["reason"] == "syn-ack"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_service_that_stopped_in_between_is_closed_and_was_open(lab: Any, engine: str) -> None:
    again = "tcp flags syn reject with tcp reset"
    with lab.with_rules(f"tcp dport 443 tcp flags syn limit rate 1/day burst 1 packets accept\ntcp dport 443 {again}"):
        result = lab.scan([lab.fickle], ports=[443], engine=engine, confirm=True)
    (target,) = result["targets"]
    (row,) = target["states"]
    assert (row["state"], row["reason"].partition(", ")[2]) == ("closed", "first seen open")
    assert target["endpoints"] == []
    assert [p["code"] for p in result["coverage"]["problems"]] == ["not-confirmed"]


def test_what_is_open_is_confirmed_before_it_is_asked_for_its_version(lab: Any) -> None:
    addresses = [lab.open_, lab.silent]
    result = lab.scan(addresses, ports=[21, 22, 443], engine="nmap", confirm=True, versions=True, listening=[22])
    first, second, *versions = result["coverage"]["commands"]
    assert second[second.index("--max-rate") + 1] == "200"
    assert int(second[second.index("--max-retries") + 1]) > int(first[first.index("--max-retries") + 1])
    assert ["-sV" in argv for argv in (first, second, *versions)] == [False, False, *(True for _argv in versions)]
    assert versions
    assert result["coverage"]["complete"], result["coverage"]["problems"]


def test_without_a_second_pass_there_is_no_rate_for_it(lab: Any) -> None:
    for engine in ENGINES:
        result = lab.scan([lab.silent], ports=[1000], engine=engine, confirm=True, listening=[2000])
        assert result["coverage"]["confirm_rate"] is None
        assert result["coverage"]["complete"]
