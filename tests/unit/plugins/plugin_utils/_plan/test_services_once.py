# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: what answers is asked once for a whole scan, of all targets together, and what was not says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.conduct import (
    Limits,
    ScannerLostError,
    Surroundings,
    conduct,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scan_plan import EVERY_TCP_PORT, ScanPlan
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.slices import Pace, service_calls

Json = dict[str, Any]
KNOWN = PortSet.of([22, 443])
SSH: Json = {"name": "ssh", "product": "OpenSSH", "version": "9.2p1", "method": "probed"}


class Scanner:
    """443 is open everywhere, 22 is untrusted on h1; a second passes with each call."""

    def __init__(self, lost_at_services: bool = False) -> None:
        self.states: list[Mapping[str, Any]] = []
        self.services: list[Mapping[str, Any]] = []
        self.seconds = 0.0
        self._lost = lost_at_services

    def ask(self, options: Mapping[str, Any]) -> Json:
        self.seconds += 1
        is_about_services = any("open" in row for row in options["targets"])
        (self.services if is_about_services else self.states).append(options)
        if is_about_services and self._lost:
            raise ScannerLostError("unreachable", "the line was cut")
        asked = PortSet.parse(options["ports"])
        targets = [self._told(row) if is_about_services else self._seen(row, asked) for row in options["targets"]]
        coverage: Json = {"started": "1", "finished": "2", "engine": "nmap", "why": "auto", "canaries": ""}
        counts: Json = {"sent": 1, "answered": 1, "timed_out": 0, "confirm_rate": None, "commands": []}
        asked_texts = {"tcp": str(asked), "udp": ""}
        return {
            "targets": targets,
            "machine": {"id": "a", "stack": "b", "addresses": ["192.0.2.200"]},
            "coverage": {**coverage, **counts, "asked": asked_texts, "complete": True, "problems": []},
        }

    def _seen(self, row: Mapping[str, Any], asked: PortSet) -> Json:
        web = asked & PortSet.of([443])
        endpoint: Json = {"protocol": "tcp", "port": 443, "state": "open", "service": None, "scripts": []}
        return {
            **{key: row[key] for key in ("host", "address")},
            "status": "untrusted" if row["host"] == "h1" else "complete",
            "reason": None,
            "states": [
                {"protocol": "tcp", "state": state, "reason": "x", "ports": str(ports)}
                for state, ports in (("open", web), ("closed", asked - web))
                if ports
            ],
            "unknown": [],
            "endpoints": [{**endpoint, "identification": "not-asked"}] if web else [],
        }

    def _told(self, row: Mapping[str, Any]) -> Json:
        told: Json = {"state": "open", "service": SSH, "scripts": [], "identification": "identified"}
        return {
            **{key: row[key] for key in ("host", "address")},
            "status": "complete",
            "reason": None,
            "states": [],
            "unknown": [],
            # a port that was not asked, and one that is not open: nothing is taken of them
            "endpoints": [{"protocol": "tcp", "port": port, **told} for port in (443, 444)],
        }


def run(scanner: Scanner, timeout: int = 0, versions: bool = True) -> Json:
    targets = tuple({"host": f"h{n}", "address": f"198.18.9.{n}", "listening": []} for n in range(3))
    plan = ScanPlan("full", targets, (), KNOWN, EVERY_TCP_PORT - KNOWN, 0)
    around = Surroundings(scanner.ask, lambda _share: None, lambda _line: None, clock=lambda: scanner.seconds)
    return conduct("x", "s1", plan, Limits("auto", versions, Pace(4000, 0, 1), timeout, 0), around)


def endpoints(share: Json) -> dict[str, list[tuple[int, str, Any]]]:
    return {
        target["host"]: [(e["port"], e["identification"], e["service"]) for e in target["endpoints"]]
        for target in share["targets"]
    }


def test_services_are_asked_once_of_all_targets_together() -> None:
    scanner = Scanner()
    share = run(scanner)
    assert len(scanner.states) > 3
    assert not any(options["versions"] for options in scanner.states)
    (asked,) = scanner.services
    assert asked["versions"]
    assert [(row["host"], row["open"]) for row in asked["targets"]] == [("h0", [443]), ("h2", [443])]
    told = endpoints(share)
    assert told["h0"] == told["h2"] == [(443, "identified", SSH)]
    assert told["h1"] == [(443, "not-asked", None)]  # every port answers there
    assert [target["status"] for target in share["targets"]] == ["complete", "untrusted", "complete"]


def test_without_versions_nothing_is_asked() -> None:
    scanner = Scanner()
    assert endpoints(run(scanner, versions=False))["h0"] == [(443, "not-asked", None)]
    assert scanner.services == []


def test_what_was_not_identified_in_time_says_so() -> None:
    calls = len((whole := Scanner()).states) or (run(whole), len(whole.states))[1]
    scanner = Scanner()
    share = run(scanner, timeout=calls)
    assert scanner.services == []
    assert endpoints(share)["h0"] == [(443, "timed-out", None)]
    assert not share["coverage"]["complete"]
    assert [p["code"] for p in share["coverage"]["problems"]] == ["versions-incomplete"]
    assert {t["status"] for t in share["targets"]} == {"complete", "untrusted"}  # the states are known all the same


def test_a_scanner_that_is_lost_at_the_services_keeps_the_states() -> None:
    share = run(Scanner(lost_at_services=True))
    assert (share["status"], share["message"]) == ("unreachable", "the line was cut")
    assert endpoints(share)["h0"] == [(443, "timed-out", None)]
    assert "2 open ports were not asked" in share["coverage"]["problems"][0]["message"]


def test_many_ports_are_asked_in_parts_and_none_twice() -> None:
    rows = [
        {"host": f"h{n}", "address": f"198.18.9.{n}", "open": list(range(1, 301)), "open_udp": []} for n in range(9)
    ]
    calls = list(service_calls(rows))
    assert [row for call in calls for row in call["targets"]] == rows
    assert len(calls) == 3
    assert list(service_calls([])) == []
