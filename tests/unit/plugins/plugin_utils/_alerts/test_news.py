# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each change is told once, to whom it concerns; what nobody looked at is never said to be over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.message_text import LONGEST, messages
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.news import Item, news
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]

WEEK = dt.timedelta(days=7)
UNREACHABLE: Json = {"status": "unreachable", "message": "no route to host", "listening": None}


class Days:
    """An estate of one host whose owners are told day by day."""

    def __init__(self) -> None:
        self.findings: Mapping[str, Json] = {}
        self.results: Json = {}

    def tell(
        self, day: int, evidence: Json, scans: Any = None, at: str = "01:00:00", **asked: Any
    ) -> list[tuple[str, str | None, str]]:
        """Kind, owner and rule of each piece of news of a run on that day of the month."""
        about = build.run(run_id=f"202611{day:02}T010000Z-abcdef", started=f"2026-11-{day:02}T{at}Z", **asked)
        self.results = build.judged(evidence, scans, about)
        self.items = self.again()
        return [(item.kind, item.owner, item.row["rule"]) for item in self.items]

    def again(self, least: str = "low", resolved: Mapping[str, str] | None = None) -> list[Item]:
        told = news(Results.of(self.results), self.findings, WEEK, least, resolved or {})
        self.findings = told.findings
        return told.items


def host(*ports: int, **more: Any) -> Json:
    """443 is declared and listens; so do the others, which nobody declared."""
    listeners = [build.listener(port) for port in (443, *ports)]
    return build.host_evidence([build.declared(443, reachable_from=["internet"])], listeners, **more)


def scan(*ports: int, **more: Any) -> list[Json]:
    return [build.scan([build.target([443, *ports], **more)])]


def test_a_port_is_told_once_and_once_more_when_it_is_over() -> None:
    days = Days()
    assert days.tell(1, host(), scan()) == []
    assert days.tell(2, host(8080), scan()) == [("opened", None, "undeclared-listener")]
    assert days.again() == []
    assert days.tell(3, host(8080), scan()) == []
    assert days.tell(4, host(), scan()) == [("resolved", None, "undeclared-listener")]
    assert days.tell(5, host(), scan()) == []
    assert days.tell(6, host(8080), scan()) == [("opened", None, "undeclared-listener")]


def test_it_is_told_again_after_the_time_and_not_before() -> None:
    days = Days()
    days.tell(1, host(8080), scan())
    assert [days.tell(day, host(8080), scan()) for day in range(2, 8)] == [[]] * 6
    assert days.tell(8, host(8080), scan()) == [("reminder", None, "undeclared-listener")]
    assert days.tell(9, host(8080), scan()) == []


def test_a_finding_that_is_worse_is_told_and_one_that_goes_down_and_up_is_not() -> None:
    proposed = build.host_evidence([build.declared(443)], [build.listener(443), build.listener(8080)])
    proposed.inventory["vigil_ports__proposed"] = [build.declared(8080, reachable_from="any", owner="web-team")]

    days = Days()
    assert ("opened", "web-team", "unapproved") in days.tell(1, proposed, scan())
    assert ("worse", "web-team", "unapproved") in days.tell(2, proposed, scan(8080))
    assert [item.note for item in days.items if item.kind == "worse"] == ["it was medium"]
    for day, scans in ((3, scan()), (4, scan(8080))):
        assert "unapproved" not in {rule for _kind, _owner, rule in days.tell(day, proposed, scans)}


def test_what_nobody_looked_at_is_not_over() -> None:
    days = Days()
    days.tell(1, host(8080), scan(8080))
    open_then = {key for key, row in days.findings.items() if row["open"]}
    assert len(open_then) == 2
    assert days.tell(2, host(**UNREACHABLE), []) == [("opened", None, "not-assessed")] * 2
    over = days.tell(3, host(), [], scan_depth="none")
    assert sorted(over) == [("resolved", None, "not-assessed"), ("resolved", None, "undeclared-listener")]
    assert [row["rule"] for row in days.findings.values() if row["open"]] == [
        "undeclared-exposure",
        "not-assessed",
    ]
    assert {rule for _kind, _owner, rule in days.tell(4, host(), scan())} == {"undeclared-exposure", "not-assessed"}
    assert not any(row["open"] for row in days.findings.values())


def test_what_a_run_ended_that_told_nobody_is_over_as_history_knows() -> None:
    days = Days()
    days.tell(2, host(8080), scan(8080))
    (exposure,) = (key for key, row in days.findings.items() if row["rule"] == "undeclared-exposure")
    # History has it closed from outside, so that nobody asks that port there again.
    assert days.tell(4, host(), [], scan_depth="none") == [("resolved", None, "undeclared-listener")]
    assert days.again(resolved={exposure: "2026-11-02T01:00:00Z"}) == []  # not after it was seen
    assert [item.id for item in days.again(resolved={exposure: "2026-11-03T01:00:00Z"})] == [exposure]
    assert days.again(resolved={exposure: "2026-11-03T01:00:00Z"}) == []


def test_an_exception_ends_it_and_its_end_begins_it_again() -> None:
    days = Days()
    days.tell(1, host(8080), scan())
    excused = host(8080, exceptions=[build.exception(8080)])
    assert days.tell(2, excused, scan()) == [("resolved", None, "undeclared-listener")]
    assert days.items[0].note == "an exception excuses it until 2026-12-20"
    assert ("opened", None, "undeclared-listener") in days.tell(3, host(8080), scan())


def test_who_answers_for_it_now_is_told_and_who_did_is_told_too() -> None:
    def missing(owner: str) -> Json:
        return build.host_evidence([build.declared(25, owner=owner)], [])

    days = Days()
    nothing = [build.scan([build.target()])]
    assert days.tell(1, missing("mail"), nothing) == [("opened", "mail", "missing-listener")]
    assert days.tell(2, missing("ops"), nothing) == [
        ("resolved", "mail", "missing-listener"),
        ("opened", "ops", "missing-listener"),
    ]


def test_a_run_that_began_earlier_and_ends_later_tells_nothing_old() -> None:
    days = Days()
    days.tell(2, host(8080), scan())
    days.tell(4, host(), scan())
    assert days.tell(3, host(8080), scan()) == []
    assert days.tell(5, host(), scan()) == []


def test_what_is_below_the_least_severity_is_not_told_and_what_could_not_be_told_is() -> None:
    days = Days()
    days.tell(1, host(8080, **UNREACHABLE), [])
    days.findings = {}
    assert {item.row["rule"] for item in days.again("critical")} == {"not-assessed"}
    days.tell(2, host(8080), scan())
    days.findings = {}
    assert days.again("high") == []


def test_each_owner_gets_one_message_with_what_is_his() -> None:
    days = Days()
    evidence = build.host_evidence(
        [build.declared(25, owner="mail"), build.declared(26, owner="mail"), build.declared(5432, owner="dba")],
        [build.listener(8080)],
    )
    days.tell(1, evidence, [build.scan([build.target()])])
    nobody, dba, mail = messages(days.items, days.results["run"], "https://ci.example/runs/")
    assert (nobody.owner, dba.owner, mail.owner) == (None, "dba", "mail")
    assert mail.title == "vigil.ports: 2 new for mail; gravest: medium"
    assert "tcp/25, missing-listener" in mail.body
    assert "tcp/26, missing-listener" in mail.body
    assert "5432" not in mail.body
    assert "https://ci.example/runs/20261101T010000Z-abcdef/report.md" in mail.body


def test_what_a_stranger_named_is_no_markup_and_no_mention() -> None:
    hostile = "@everyone <!channel> *b* _i_ `c` [x](https://evil.example)\n# h\x1b[31m"
    days = Days()
    evidence = build.host_evidence([build.declared(25, owner=hostile)], [])
    days.tell(1, evidence, [build.scan([build.target()])], label=hostile)
    row = {**days.items[0].row, "message": hostile, "host": hostile}
    (message,) = messages([days.items[0]._replace(row=row)], days.results["run"], "")
    for text in (message.title, message.body):
        for mark in ("@", "<", ">", "`", "*", "#", "https://", "](", " _", "\x1b"):
            assert mark not in text, (mark, text)
    assert "\n" not in message.title
    assert len(message.body.split("\n")) == 7


def test_a_message_is_bounded_and_says_what_it_left_out() -> None:
    days = Days()
    days.tell(1, host(*range(2000, 2100)), scan())
    (message,) = messages(days.items, days.results["run"], "")
    assert "New (100):" in message.body
    assert "- and 80 more, in the report" in message.body
    rows = [item._replace(row={**item.row, "message": "x" * 5000, "vantage": "y" * 500}) for item in days.items]
    (message,) = messages(rows, days.results["run"], "")
    assert len(message.body) <= LONGEST
    assert "more lines, in the report" in message.body


def test_the_gap_of_a_scan_is_not_closed_by_a_run_that_did_not_scan() -> None:
    days = Days()
    cut = scan(status="partial", reason="timed out", unknown=[{"protocol": "tcp", "ports": "8000-8100"}])
    assert ("opened", None, "not-assessed") in days.tell(1, host(), cut)
    assert days.tell(2, host(), [], scan_depth="none") == []
    assert days.tell(3, host(), scan()) == [("resolved", None, "not-assessed")]


def test_an_exception_that_was_renewed_ends_what_was_told_of_its_end() -> None:
    days = Days()
    ended, renewed = ([build.exception(8080, expires=day)] for day in ("2026-11-10", "2027-11-20"))
    assert ("opened", "web-team", "exception-expired") in days.tell(19, host(8080, exceptions=ended), scan())
    assert ("resolved", "web-team", "exception-expired") in days.tell(20, host(8080, exceptions=renewed), scan())


def test_what_a_rule_could_not_tell_is_told_whatever_its_severity_is() -> None:
    days = Days()
    evidence = build.host_evidence([build.declared(443, process="nginx")], [build.unowned(443)])
    days.tell(1, evidence, [build.scan([build.target()])])
    days.findings = {}
    assert [(item.kind, item.row["rule"], item.row["status"]) for item in days.again("critical")] == [
        ("opened", "wrong-owner", "not_assessed")
    ]


@pytest.mark.parametrize("at", ["00:00:00", "00:59:59", "01:30:00", "23:59:59"])
def test_a_reminder_comes_on_the_day_it_is_due_whatever_the_hour_of_the_run(at: str) -> None:
    days = Days()
    days.tell(1, host(8080), scan(), at="01:00:01")
    assert days.tell(7, host(8080), scan(), at="23:59:59") == []
    assert days.tell(8, host(8080), scan(), at=at) == [("reminder", None, "undeclared-listener")]
