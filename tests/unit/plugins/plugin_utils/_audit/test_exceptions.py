# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An exception excuses what it was approved for, until its last day, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]

LISTENERS = [build.listener(8080)]
OPEN = [build.scan([build.target([8080])])]


def judged(exception: Json, **more: Any) -> Json:
    return build.judged(build.host_evidence([], LISTENERS, [exception]), OPEN, **more)


def excused(results: Json) -> set[str]:
    return {row["rule"] for row in results["findings"] if row["status"] == "excepted"}


EVERYTHING = {"undeclared-listener", "undeclared-exposure"}


@pytest.mark.parametrize(
    ("exception", "rules"),
    [
        ({}, EVERYTHING),
        ({"port": "8000-8100"}, EVERYTHING),
        ({"port": [22, 8080]}, EVERYTHING),
        ({"rules": ["undeclared-listener"]}, {"undeclared-listener"}),
        ({"vantage": "internet"}, {"undeclared-exposure"}),
        ({"vantage": "office"}, set()),
        ({"address": build.ADDRESS}, {"undeclared-exposure"}),
        ({"address": "192.0.2.0/24"}, {"undeclared-exposure"}),
        ({"address": "198.51.100.1"}, set()),
        ({"address": "loopback"}, set()),
        ({"protocol": "udp"}, set()),
        ({"port": 8081}, set()),
        ({"namespace": "netns/blue"}, set()),
    ],
)
def test_an_exception_excuses_what_it_names_only(exception: Json, rules: set[str]) -> None:
    results = judged({**build.exception(8080), **exception})
    assert excused(results) == rules
    assert build.failures(results) - {"exception-unused"} == EVERYTHING
    assert {row["rule"] for row in results["findings"] if row["breaks_gate"]} == EVERYTHING - rules


def test_an_exception_for_part_of_a_range_does_not_excuse_the_range() -> None:
    missing = [build.declared("8000-8010")]
    part = build.judged(build.host_evidence(missing, exceptions=[build.exception("8000-8005")]))
    assert build.statuses(part, "missing-listener") == ["fail"]
    whole = build.judged(build.host_evidence(missing, exceptions=[build.exception("7999-8010")]))
    assert build.statuses(whole, "missing-listener") == ["excepted"]


def test_an_exception_for_one_address_knows_nothing_of_a_finding_without_one() -> None:
    missing = build.declared(443, address="192.0.2.10")
    results = build.judged(build.host_evidence([missing], exceptions=[build.exception(443, address="192.0.2.10")]))
    assert build.statuses(results, "missing-listener") == ["fail"]


@pytest.mark.parametrize(
    ("days", "holds", "expiring"), [(-1, False, False), (0, True, True), (14, True, True), (15, True, False)]
)
def test_an_exception_holds_to_the_end_of_its_last_day(days: int, holds: bool, expiring: bool) -> None:
    results = judged(build.exception(8080, expires=build.days_from_today(days)))
    assert excused(results) == (EVERYTHING if holds else set())
    assert build.statuses(results, "exception-expired") == ["pass" if holds else "fail"]
    assert build.statuses(results, "exception-expiring") == (["fail"] if expiring else [])
    assert results["gate"]["passed"] is holds


@pytest.mark.parametrize(
    ("today", "expires", "holds"),
    [
        ("2028-02-29", "2028-02-29", True),
        ("2028-03-01", "2028-02-29", False),
        ("2027-01-01", "2026-12-31", False),
        ("2026-12-31", "2026-12-31", True),
    ],
)
def test_leap_days_and_ends_of_years_are_days_like_others(today: str, expires: str, holds: bool) -> None:
    results = judged(build.exception(8080, expires=expires), about=build.run(audit_date=today))
    assert bool(excused(results)) is holds


def test_an_exception_that_excuses_nothing_is_unused() -> None:
    results = judged(build.exception(8099))
    assert build.statuses(results, "exception-unused") == ["fail"]
    assert build.of_rule(results, "exception-unused")[0]["severity"] == "low"


def test_an_exception_on_a_host_that_was_not_seen_in_full_is_in_force_and_not_called_unused() -> None:
    results = build.judged(build.host_evidence(exceptions=[build.exception(9999)]), [])
    assert build.statuses(results, "exception-unused") == []
    assert build.statuses(results, "exception-expired") == ["pass"]


def test_no_exception_excuses_a_gap_or_an_exception() -> None:
    every = [build.exception("1-65535"), build.exception(1, expires=build.days_from_today(-1))]
    results = build.judged(build.host_evidence([], LISTENERS, every), [])
    assert build.statuses(results, "exception-expired").count("fail") == 1
    assert build.statuses(results, "not-assessed").count("not_assessed") == 1
    assert results["gate"]["passed"] is False


def test_an_excused_finding_names_its_approval() -> None:
    results = judged(build.exception(8080, change="CHG-1050", approved_by="netsec"))
    row = next(row for row in results["findings"] if row["status"] == "excepted")
    assert row["exception"] == {
        "place": "vigil_exceptions__web[0]",
        "protocol": "tcp",
        "port": 8080,
        "namespace": "host",
        "rules": None,
        "reason": "until the cut-over",
        "owner": "web-team",
        "approved_by": "netsec",
        "change": "CHG-1050",
        "expires": "2026-12-20",
    }


@pytest.mark.parametrize(
    ("exception", "said"),
    [
        (build.exception(8099), True),
        (build.exception(9999), False),  # nobody asked the port
        (build.exception("8099-8101"), False),  # nor all of the range
        (build.exception(9999, rules=["undeclared-listener"]), True),  # the listing is enough for that rule
        (build.exception(8099, vantage="internet"), True),
        (build.exception(8099, vantage="office"), False),
        (build.exception(8099, protocol="udp"), False),
        (build.exception(8099, protocol="udp", rules=["undeclared-listener"]), True),
        (build.exception(8099, rules=["wrong-service"]), True),
    ],
)
def test_an_exception_is_called_unused_only_where_all_that_it_excuses_was_looked_for(
    exception: Json, said: bool
) -> None:
    assert bool(build.of_rule(judged(exception), "exception-unused")) is said


def test_what_a_rule_could_not_tell_keeps_its_exception_in_use() -> None:
    ports = [build.declared(8080, process="nginx")]
    exceptions = [build.exception(8080, rules=["wrong-owner"])]
    results = build.judged(build.host_evidence(ports, [build.unowned(8080)], exceptions))
    assert build.statuses(results, "wrong-owner") == ["not_assessed"]
    assert build.of_rule(results, "exception-unused") == []
