# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scan that is cut short, lost or lied to keeps what it saw, and never says more than it knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.conduct import (
    Limits,
    ScannerLostError,
    Surroundings,
    conduct,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.lost_shares import done_by, lost_and_standing
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.progress import Progress
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scan_plan import EVERY_TCP_PORT, ScanPlan
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.slices import Pace
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
PACE = Pace(rate=4000, target_rate=0, retries=1)
LIMITS = Limits("auto", True, PACE, 0, 0)
KNOWN = PortSet.of([22, 443])


class Scanner:
    """Answers as scan_info does: 443 is open, the rest closed; a second passes with each call."""

    def __init__(self, status: str = "complete") -> None:
        self.calls: list[Mapping[str, Any]] = []
        self.seconds = 0.0
        self.status = status

    def ask(self, options: Mapping[str, Any]) -> Json:
        self.calls.append(options)
        self.seconds += 1
        asked = PortSet.parse(options["ports"])
        return {
            "targets": [self._target(row, asked) for row in options["targets"]],
            "machine": {"id": "a", "stack": "b", "addresses": ["192.0.2.200"]},
            "coverage": {
                "started": f"2026-11-20T13:00:{len(self.calls):02}Z",
                "finished": f"2026-11-20T13:01:{len(self.calls):02}Z",
                "engine": "nmap",
                "why": "auto",
                "asked": {"tcp": str(asked), "udp": ""},
                "sent": len(asked),
                "answered": len(asked),
                "timed_out": 0,
                "commands": [["nmap", str(len(self.calls))]],
                "canaries": "",
                "confirm_rate": None,
                "complete": True,
                "problems": [],
            },
        }

    def _target(self, row: Mapping[str, Any], asked: PortSet) -> Json:
        web = asked & PortSet.of([443])
        rows = [("closed", asked - web), ("open", web)]
        return {
            "host": row["host"],
            "address": row["address"],
            "status": self.status,
            "reason": None if self.status == "complete" else "as told",
            "states": [
                {"protocol": "tcp", "state": state, "reason": "seen", "ports": str(ports)}
                for state, ports in rows
                if ports
            ],
            "unknown": [],
            "endpoints": [{"protocol": "tcp", "port": 443, "state": "open"}] if web else [],
        }


def plan(hosts: int = 2, sweep: PortSet = EVERY_TCP_PORT - KNOWN) -> ScanPlan:
    rows = tuple({"host": f"h{n}", "address": f"198.18.9.{n}", "listening": []} for n in range(hosts))
    return ScanPlan("full", rows, (), KNOWN, sweep, 0)


def run(
    scanner: Scanner, limits: Limits = LIMITS, ask: Callable[[Mapping[str, Any]], Any] | None = None, **more: Any
) -> tuple[Json, list[Mapping[str, Any]], list[str]]:
    saved: list[Mapping[str, Any]] = []
    shown: list[str] = []
    around = Surroundings(ask or scanner.ask, saved.append, shown.append, True, lambda: scanner.seconds)
    return conduct("from dmz by s1", "s1", more.pop("plan", plan()), limits, around), saved, shown


def test_a_whole_scan_accounts_for_every_port() -> None:
    share, saved, _shown = run(Scanner())
    assert share["status"] == "scanned"
    assert share["coverage"]["complete"] is True
    for target in share["targets"]:
        assert target["status"] == "complete"
        assert target["unknown"] == []
        assert sum(len(PortSet.parse([row["ports"]])) for row in target["states"]) == 65535
        assert [row["port"] for row in target["endpoints"]] == [443]
    assert saved[-1] == share
    assert share["coverage"]["asked"]["tcp"] == "1-65535"


def test_what_was_known_is_kept_when_the_scanner_is_lost_in_the_sweep() -> None:
    scanner = Scanner()

    def ask(options: Mapping[str, Any]) -> Any:
        if len(scanner.calls) == 2:
            raise ScannerLostError("unreachable", "ssh: no route")
        return scanner.ask(options)

    share, _saved, _shown = run(scanner, ask=ask)
    assert (share["status"], share["message"]) == ("unreachable", "ssh: no route")
    assert share["coverage"]["complete"] is False
    for target in share["targets"]:
        assert target["status"] == "partial"
        assert "s1 was lost" in target["reason"]
        assert [row["port"] for row in target["endpoints"]] == [443]
        seen = PortSet.parse([row["ports"] for row in target["states"]])
        [unknown] = target["unknown"]
        assert seen | PortSet.parse([unknown["ports"]]) == EVERY_TCP_PORT
        assert not seen & PortSet.parse([unknown["ports"]])


def test_a_scanner_that_never_answers_leaves_every_target_failed() -> None:
    def ask(_options: Mapping[str, Any]) -> Any:
        raise ScannerLostError("failed", "no python")

    share, _saved, _shown = run(Scanner(), ask=ask)
    assert share["coverage"] is None
    assert [(row["status"], row["states"]) for row in share["targets"]] == [("failed", []), ("failed", [])]


def test_the_time_for_the_scan_ends_it_between_calls() -> None:
    scanner = Scanner()
    share, _saved, _shown = run(scanner, Limits("auto", True, PACE, 3, 0))
    assert len(scanner.calls) <= 3
    assert {row["status"] for row in share["targets"]} == {"partial"}
    assert "time of 3 s" in share["targets"][0]["reason"]
    assert [call["timeout"] for call in scanner.calls] == [3, 2, 1][: len(scanner.calls)]


def test_a_scan_that_nobody_waits_for_ends_between_calls_and_says_so() -> None:
    """The worker of a playbook that got SIGKILL lives on."""
    scanner = Scanner()
    around = Surroundings(
        scanner.ask,
        lambda _share: None,
        lambda _line: None,
        is_awaited=lambda: len(scanner.calls) < 2,
        clock=lambda: scanner.seconds,
    )
    share = conduct("from dmz by s1", "s1", plan(), LIMITS, around)
    assert len(scanner.calls) == 2
    assert share["status"] == "interrupted"
    assert {row["status"] for row in share["targets"]} == {"partial"}
    assert "playbook" in share["targets"][0]["reason"]


def test_canaries_and_the_rate_of_the_second_pass_are_those_of_all_calls() -> None:
    scanner = Scanner()

    def ask(options: Mapping[str, Any]) -> Any:
        answer = scanner.ask(options)
        first = len(scanner.calls) == 1
        answer["coverage"].update(canaries="7,9" if first else "11", confirm_rate=800 if first else None)
        return answer

    share, _saved, _shown = run(scanner, ask=ask)
    assert len(scanner.calls) > 1
    assert (share["coverage"]["canaries"], share["coverage"]["confirm_rate"]) == ("7,9,11", 800)


@pytest.mark.parametrize("status", ["untrusted", "failed"])
def test_nothing_more_is_asked_of_a_target_from_which_nothing_can_be_learnt(status: str) -> None:
    scanner = Scanner(status)
    share, _saved, _shown = run(scanner)
    assert len(scanner.calls) == 1
    assert {row["status"] for row in share["targets"]} == {status}


def test_evidence_that_is_saved_on_the_way_says_that_it_is_not_all() -> None:
    scanner = Scanner()
    scanner.seconds = 0.0

    def slowly(options: Mapping[str, Any]) -> Any:
        scanner.seconds += 40
        return scanner.ask(options)

    _share, saved, _shown = run(scanner, ask=slowly)
    assert len(saved) > 1
    for share in saved[:-2]:
        assert share["status"] == "interrupted"
        assert all(row["status"] != "complete" for row in share["targets"])


def test_a_refused_target_is_in_the_evidence_and_never_asked() -> None:
    refused = ({"host": "h9", "address": "127.0.0.1", "reason": "a loopback address"},)
    only = ScanPlan("known", (), refused, KNOWN, PortSet(), 0)
    scanner = Scanner()
    share, _saved, _shown = run(scanner, plan=only)
    assert scanner.calls == []
    assert [(row["host"], row["status"], row["reason"]) for row in share["targets"]] == [
        ("h9", "refused", "a loopback address")
    ]


def test_a_log_gets_a_line_a_minute_and_a_terminal_one_each_two_seconds() -> None:
    def lines(on_terminal: bool) -> int:
        progress = Progress("from dmz by s1", 600, on_terminal=on_terminal, clock=0.0)
        return sum(progress.line(done, "0 of 2", 0, float(done)) is not None for done in range(1, 600))

    assert lines(on_terminal=False) == 9
    assert lines(on_terminal=True) == 299


def test_progress_says_what_is_done_and_what_is_left() -> None:
    progress = Progress("from dmz by s1", 100, on_terminal=True, clock=0.0)
    assert progress.line(25, "1 of 4", 7, 30.0) == (
        "scan from dmz by s1:  25%, 1 of 4 targets done, 7 open, about 1 min 30 s left"
    )
    assert progress.line(100, "4 of 4", 9, 90.0) == "scan from dmz by s1: 100%, 4 of 4 targets done, 9 open, 1 min 30 s"


def test_lost_are_those_that_did_not_finish_or_never_wrote() -> None:
    shares = [{"vantage": "dmz", "scanner": name} for name in ("a", "b", "c")]
    done = build.target(host="h", address="x", status="complete", states=[])
    scan = build.scan_by([build.share([], "a"), build.share([done], "b", status="unreachable")])
    lost, standing = lost_and_standing(shares, scan)
    assert ([share["scanner"] for share in lost], standing) == (["b", "c"], ["a"])
    assert done_by(scan, "b") == {("h", "x")}
    assert lost_and_standing(shares, None) == (shares, [])


Tamper = Callable[[Json, Mapping[str, Any]], None]


def _forgets_ports(answer: Json, _options: Mapping[str, Any]) -> None:
    for row in answer["targets"]:
        row["states"] = [state for state in row["states"] if state["state"] == "open"]


def _forgets_a_target(answer: Json, _options: Mapping[str, Any]) -> None:
    del answer["targets"][0]


def _speaks_of_another_address(answer: Json, _options: Mapping[str, Any]) -> None:
    answer["targets"][0]["address"] = "203.0.113.1"


def _speaks_of_another_host(answer: Json, _options: Mapping[str, Any]) -> None:
    answer["targets"][0]["host"] = "h9"


@pytest.mark.parametrize(
    "tamper", [_forgets_ports, _forgets_a_target, _speaks_of_another_address, _speaks_of_another_host]
)
def test_a_scanner_that_calls_complete_what_it_is_not_is_found_out(tamper: Tamper) -> None:
    scanner = Scanner()

    def ask(options: Mapping[str, Any]) -> Any:
        answer = scanner.ask(options)
        if "open" not in options["targets"][0]:
            tamper(answer, options)
        return answer

    share, _saved, _shown = run(scanner, ask=ask)
    target = next(row for row in share["targets"] if row["host"] == "h0")
    assert (target["address"], target["status"] == "complete") == ("198.18.9.0", False)
    assert target["reason"]
    seen = PortSet.parse([row["ports"] for row in target["states"]])
    if target["status"] != "failed":  # of whom nothing is known no more is asked
        assert seen | PortSet.parse([row["ports"] for row in target["unknown"]]) == EVERY_TCP_PORT
    assert {row["host"] for row in share["targets"]} == {"h0", "h1"}
    assert not share["coverage"]["complete"]


def test_a_name_is_resolved_once_and_each_of_its_addresses_asked_everything() -> None:
    """The IPv6 address answered the first call only, and was complete with three ports."""
    scanner = Scanner()
    named = ({"host": "h0", "address": "web.example", "listening": [], "own_addresses": ["198.18.9.1", "fd00::1"]},)

    def ask(options: Mapping[str, Any]) -> Any:
        by_name = options["targets"][0]["address"] == "web.example"
        assert by_name == (not scanner.calls)
        answer = scanner.ask(options)
        if by_name:
            (row,) = answer["targets"]
            both = ("198.18.9.1", "fd00::1", "203.0.113.9")  # the last is none of the host's
            answer["targets"] = [{**row, "given": "web.example", "address": address} for address in both]
        return answer

    whole = ScanPlan("full", named, (), KNOWN, EVERY_TCP_PORT - KNOWN, 0)
    share, _saved, _shown = run(scanner, plan=whole, ask=ask)
    told = [(row["address"], row["given"], row["status"]) for row in share["targets"]]
    assert told == [(address, "web.example", "complete") for address in ("198.18.9.1", "fd00::1")]
    for target in share["targets"]:
        assert PortSet.parse([row["ports"] for row in target["states"]]) == EVERY_TCP_PORT


def test_ports_that_a_host_claims_and_nobody_asks_are_unknown() -> None:
    rows = ({"host": "h0", "address": "198.18.9.0", "listening": [], "own": "8000-8001", "left_out": "60000-60009"},)
    share, _saved, _shown = run(Scanner(), plan=ScanPlan("known", rows, (), KNOWN, PortSet(), 0))
    (target,) = share["targets"]
    assert target["status"] == "partial"
    assert target["unknown"] == [{"protocol": "tcp", "ports": "60000-60009"}]
    assert {row["ports"] for row in target["states"]} == {"22,8000-8001", "443"}


def test_ten_thousand_targets_are_conducted_in_seconds() -> None:
    scanner = Scanner()
    before = time.process_time()
    rows = tuple({"host": f"h{n}", "address": f"10.9.{n // 250}.{n % 250}", "listening": []} for n in range(10_000))
    share, _saved, _shown = run(
        scanner,
        Limits("auto", False, Pace(100_000, 0, 1), 0, 0),
        plan=ScanPlan("known", rows, (), KNOWN, PortSet(), 0),
    )
    assert time.process_time() - before < 30
    assert len(share["targets"]) == 10_000
    assert share["coverage"]["complete"]
