# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: a scan costs what rate and retries say and no more, and what was seen in its time is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanRequest

ByPort = Callable[[dict[str, Any]], dict[tuple[str, int], str]]
ENGINES = ["nmap", "connect"]
#: To start a process, and to wait for the answer to the last packet.
_ONCE = 2.0


@pytest.mark.parametrize("engine", ENGINES)
def test_silent_ports_of_several_targets_cost_what_rate_and_retries_say(lab: Any, engine: str) -> None:
    with lab.with_rules("drop"):
        before = time.monotonic()
        result = lab.scan([lab.silent, lab.fickle, lab.silent6], ports=["1000-2999"], engine=engine, rate=1000)
        took = time.monotonic() - before
    ideal = 3 * 2000 * 2 / 1000
    assert ideal * 0.9 < took < ideal * 1.1 + _ONCE, took
    assert result["coverage"]["timed_out"] == 6000
    assert abs(result["coverage"]["sent"] - 12000) < 600
    assert result["coverage"]["complete"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rate_for_each_target_is_kept_and_gains_with_the_targets(lab: Any, engine: str) -> None:
    ideal = 300 * 2 / 100
    with lab.with_rules("drop"):
        for addresses in ([lab.silent], [lab.silent, lab.fickle]):
            before = time.monotonic()
            result = lab.scan(addresses, ports=["1000-1299"], engine=engine, rate=1000, target_rate=100)
            took = time.monotonic() - before
            assert ideal * 0.9 < took < ideal * 1.1 + _ONCE, (len(addresses), took)
            assert (result["coverage"]["rate"], result["coverage"]["target_rate"]) == (1000, 100)
            for argv in result["coverage"]["commands"]:
                assert argv[argv.index("--max-rate") + 1] == str(100 * len(addresses))


@pytest.mark.parametrize(
    ("rate", "target_rate", "addresses", "pace"), [(500, 0, 9, 500), (500, 100, 3, 300), (500, 100, 9, 500)]
)
def test_the_smaller_limit_counts(rate: int, target_rate: int, addresses: int, pace: int) -> None:
    assert ScanRequest((), rate=rate, target_rate=target_rate).pace(addresses) == pace


def test_nmap_keeps_the_open_ports_of_a_target_that_takes_too_long(lab: Any, by_port: ByPort) -> None:
    ports = [443, "1000-3000"]
    result = lab.scan([lab.silent, lab.rejecting], ports=ports, engine="nmap", rate=300, host_timeout=4)
    slow = result["targets"][0]
    assert slow["status"] == "partial"
    assert "time-out" in slow["reason"]
    seen = by_port(slow)
    assert seen.pop(("tcp", 443)) == "open"
    assert set(seen.values()) == {"unknown"}
    assert [e["port"] for e in slow["endpoints"]] == [443]


def test_nmap_knows_nothing_of_a_silent_target_that_takes_too_long(lab: Any, by_port: ByPort) -> None:
    result = lab.scan([lab.silent, lab.open_], ports=["1000-3000"], engine="nmap", rate=300, host_timeout=3)
    slow = result["targets"][0]
    assert slow["status"] == "failed"
    assert "time-out" in slow["reason"]
    assert set(by_port(slow).values()) == {"unknown"}


def test_the_connect_engine_keeps_what_a_target_gave_in_its_time(lab: Any, by_port: ByPort) -> None:
    result = lab.scan([lab.silent], ports=[22, "1000-3000"], engine="connect", rate=300, host_timeout=3)
    seen = by_port(result["targets"][0])
    assert seen["tcp", 22] == "closed"
    assert "unknown" in seen.values()
    assert result["targets"][0]["status"] == "partial"
    assert "time-out of 3 s for this target" in result["targets"][0]["reason"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_time_out_in_the_second_pass_takes_nothing_back(lab: Any, engine: str) -> None:
    """400 silent ports that the host listens on take 6 s and more to be asked again."""
    options = {"ports": [443, "1000-1399"], "listening": ["1000-1399"], "rate": 1000, "confirm": True, "timeout": 4}
    result = lab.scan([lab.silent], engine=engine, **options)
    (target,) = result["targets"]
    assert target["status"] == "partial"
    assert "were not asked a second time" in target["reason"]
    assert target["unknown"] == []
    assert [e["port"] for e in target["endpoints"]] == [443]
    assert not result["coverage"]["complete"]
    assert "scan-stopped" in [problem["code"] for problem in result["coverage"]["problems"]]


def test_each_connect_is_one_packet_and_each_closed_port_takes_one(lab: Any) -> None:
    """A socket that was refused is used again: that must send nothing by itself."""
    with lab.with_rules("tcp flags syn counter"):
        result = lab.scan([lab.fickle], ports=["1000-2999"], engine="connect", rate=20000)
        arrived = lab.rules_of_fickle()
    assert result["coverage"]["sent"] == 2000
    assert "counter packets 2000 " in arrived
    assert [(row["state"], row["ports"]) for row in result["targets"][0]["states"]] == [("closed", "1000-2999")]
