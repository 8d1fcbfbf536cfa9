# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is recorded is what was seen: once, in any order, on SQLite as on PostgreSQL."""

from __future__ import annotations

import json
import stat

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._history import rebuild as rebuilding
from ansible_collections.vigil.ports.plugins.plugin_utils._history.rebuild import rebuild
from ansible_collections.vigil.ports.plugins.plugin_utils._history.store import opened
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._history.estate import (
    Estate,
    changes_of,
    host,
    results_of,
    scanned,
)

SSH, WEB = build.listener(22), build.listener(8080)
OPEN = [scanned("web1", [22])]


def test_a_run_is_compared_with_the_last_one_and_with_the_last_green_one(estate: Estate) -> None:
    first = estate.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    assert results_of(first)["changes"]["history"] == "first run"
    assert results_of(first)["gate"]["passed"]
    second = estate.audit(2, {"web1": host("web1", [SSH, WEB])}, OPEN)
    assert changes_of(second) == [("web1", "opened", 8080), ("web1", "finding-opened", "undeclared-listener")]
    third = estate.audit(3, {"web1": host("web1", [SSH, WEB])}, OPEN)
    assert changes_of(third) == []
    assert changes_of(third, "since_green") == changes_of(second)
    changes = results_of(third)["changes"]
    assert (changes["last"]["run_id"], changes["green"]["run_id"]) == (second.run_id, first.run_id)
    assert [row["passed"] for row in changes["trend"]] == [True, False]
    report = (third.path / "report.md").read_text()
    assert "### Since the last green run" in report
    assert report.count("| opened |") == 1
    assert "open since: 2026-11-20T02:00:00Z" in (third.path / "junit.xml").read_text()


def test_recording_twice_changes_nothing(estate: Estate) -> None:
    estate.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    run = estate.audit(2, {"web1": host("web1", [SSH, WEB])}, OPEN)
    before = estate.dump()
    assert estate.remember(run).state == "known"
    assert estate.dump() == before


def test_a_host_that_does_not_change_adds_no_row_but_the_run(estate: Estate) -> None:
    def rows() -> dict[str, int]:
        with opened(estate.url, estate.report_dir) as history, history.reading() as connection:
            names = ("runs", "objects", "beliefs", "changes")
            count = "SELECT count(*) FROM vigil_"
            return {name: connection.exec_driver_sql(count + name).scalar_one() for name in names}

    estate.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    before = rows()
    estate.audit(2, {"web1": host("web1", [SSH])}, OPEN)
    assert rows() == {**before, "runs": 2}


def test_a_limited_run_leaves_the_other_hosts_as_they_were(estate: Estate) -> None:
    both = {"web1": host("web1", [SSH, WEB]), "web2": host("web2", [SSH, WEB])}
    estate.audit(1, both, [*OPEN, scanned("web2", [22])])
    limited = estate.audit(2, {"web1": host("web1", [SSH])}, OPEN, limit="web1", left_out=["web2"])
    assert ("web1", "closed", 8080) in changes_of(limited)
    third = estate.audit(3, both, [*OPEN, scanned("web2", [22])])
    assert {row[0] for row in changes_of(third)} == {"web1"}
    [life] = estate.lives(host="web2", port="tcp/8080")[:1]
    assert life["now"].startswith("open")
    assert life["first_seen"] == "2026-11-20T01:00:00Z"


def test_a_host_that_disappears_is_unknown_until_it_returns(estate: Estate) -> None:
    lost = host("web1", status="unreachable", message="no route", listening=None)
    estate.audit(1, {"web1": host("web1", [SSH, WEB])}, OPEN)
    second = estate.audit(2, {"web1": lost}, [scanned("web1", [], status="failed", states=[])])
    assert {(kind, rule) for _host, kind, rule in changes_of(second)} == {("finding-opened", "not-assessed")}
    [life] = [row for row in estate.lives(port="8080") if row["finding"] is None]
    assert life["now"].startswith("open")
    assert life["last_seen"] == "2026-11-20T01:00:00Z"
    third = estate.audit(3, {"web1": host("web1", [SSH])}, OPEN)
    assert ("web1", "closed", 8080) in changes_of(third)
    assert ("web1", "finding-resolved", "undeclared-listener") in changes_of(third)


def test_a_run_in_check_mode_is_compared_and_not_recorded(estate: Estate) -> None:
    estate.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    checked = estate.opened_run(2, {"web1": host("web1", [SSH, WEB])}, OPEN, check_mode=True)
    estate.recall(checked)
    assert ("web1", "opened", 8080) in changes_of(estate.sealed(checked))
    assert estate.remember(checked).state == "check mode"
    assert estate.lives(port="8080") == []
    assert rebuild(estate.url, estate.report_dir).recorded == 0


def test_history_that_is_off_is_said_and_its_runs_are_left_alone(estate: Estate) -> None:
    run = estate.opened_run(1, {"web1": host("web1", [SSH])}, OPEN)
    assert estate.recall(run, is_on=False).state == "off"
    estate.sealed(run)
    assert "History was not asked" in (run.path / "summary.md").read_text()
    second = estate.audit(2, {"web1": host("web1", [SSH])}, OPEN)
    assert results_of(second)["changes"]["history"] == "first run"
    assert rebuild(estate.url, estate.report_dir).recorded == 1


def test_runs_that_were_not_recorded_are_recorded_by_the_next_one(estate: Estate) -> None:
    run = estate.opened_run(1, {"web1": host("web1", [SSH, WEB])}, OPEN)
    estate.recall(run)
    estate.sealed(run)  # and killed before it was recorded
    second = estate.audit(2, {"web1": host("web1", [SSH])}, OPEN)
    assert ("web1", "closed", 8080) in changes_of(second)
    assert results_of(second)["changes"]["imported"] == 1
    assert "Earlier runs that were recorded late: 1." in (second.path / "report.md").read_text()


def test_of_many_unrecorded_runs_an_audit_takes_the_newest_and_says_how_many_are_left(
    on_sqlite: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in range(1, 5):
        run = on_sqlite.opened_run(hour, {"web1": host("web1", [SSH])}, OPEN)
        on_sqlite.recall(run)
        on_sqlite.sealed(run)
        (on_sqlite.report_dir / "history.db").unlink()
    monkeypatch.setattr(rebuilding, "MOST", 2)
    last = on_sqlite.audit(5, {"web1": host("web1", [SSH])}, OPEN)
    changes = results_of(last)["changes"]
    assert (changes["imported"], changes["unrecorded"]) == (2, 2)
    assert "Runs that are not recorded: 2." in (last.path / "report.md").read_text()
    assert rebuild("", on_sqlite.report_dir).recorded == 2


def test_the_evidence_of_history_is_written_once(estate: Estate) -> None:
    estate.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    run = estate.audit(2, {"web1": host("web1", [SSH, WEB])}, OPEN)
    before = run.history.read_bytes()
    assert estate.recall(run).state == "written already"
    assert run.history.read_bytes() == before


def test_a_finding_has_a_life_and_each_part_of_it_a_length(estate: Estate) -> None:
    excuse = build.exception(8080, expires="2026-11-21")
    estate.audit(0, {"web1": host("web1", [SSH])}, OPEN)
    estate.audit(1, {"web1": host("web1", [SSH, WEB])}, OPEN)
    estate.audit(3, {"web1": host("web1", [SSH, WEB], exceptions=[excuse])}, OPEN)
    estate.audit(50, {"web1": host("web1", [SSH, WEB], exceptions=[excuse])}, OPEN, audit_date="2026-11-22")
    estate.audit(51, {"web1": host("web1", [SSH])}, OPEN, audit_date="2026-11-22")
    [life] = [row for row in estate.lives(port="8080") if row["rule"] == "undeclared-listener"]
    assert [(row["kind"], row["seconds"]) for row in life["events"]] == [
        ("finding-opened", 2 * 3600),
        ("finding-excepted", 47 * 3600),
        ("finding-reopened", 3600),
        ("finding-resolved", None),
    ]
    assert life["now"] == "resolved (medium)"
    assert estate.lives(finding=life["finding"][:8]) == [life]


def test_a_clock_that_jumps_back_changes_the_order_and_nothing_else(estate: Estate) -> None:
    estate.audit(5, {"web1": host("web1", [SSH])}, OPEN)
    jumped = estate.audit(3, {"web1": host("web1", [SSH, WEB])}, OPEN)
    assert ("web1", "opened", 8080) in changes_of(jumped)
    events = [row["events"] for row in estate.lives(port="8080") if row["finding"] is None]
    assert [event["kind"] for event in events[0]] == ["closed"]
    assert estate.audit(6, {"web1": host("web1", [SSH])}, OPEN)


def test_a_host_may_be_called_anything(estate: Estate) -> None:
    name = "we\u202eb\0\x1b[31m'; DROP TABLE vigil_runs; --"
    run = estate.audit(1, {name: host(name, [SSH])}, OPEN)
    second = estate.audit(2, {name: host(name, [SSH, WEB])}, OPEN)
    assert (name, "opened", 8080) in changes_of(second)
    assert results_of(run)["hosts"][0]["host"] == name


def test_the_database_belongs_to_its_owner_alone(on_sqlite: Estate) -> None:
    on_sqlite.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    assert stat.S_IMODE((on_sqlite.report_dir / "history.db").stat().st_mode) == 0o600


def test_the_declarations_of_a_run_have_a_digest(estate: Estate) -> None:
    def digests() -> list[str]:
        with opened(estate.url, estate.report_dir) as history, history.reading() as connection:
            query = "SELECT declarations FROM vigil_runs ORDER BY started"
            return list(connection.exec_driver_sql(query).scalars())

    estate.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    estate.audit(2, {"web1": host("web1", [SSH, WEB])}, OPEN)
    estate.audit(3, {"web1": host("web1", [SSH], ports=[])}, OPEN)
    first, second, third = digests()
    assert first == second != third


def test_what_history_knew_is_one_json_document(estate: Estate) -> None:
    estate.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    run = estate.audit(2, {"web1": host("web1", [SSH]), "web2": host("web2", [SSH])}, OPEN)
    known = json.loads(run.history.read_bytes())
    assert [row["host"] for row in known["hosts"]] == ["web1"]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"state":"ok"', '"state":7'),
        ('"open":true', '"open":"yes"'),
        ('"first_seen"', '"last_seen"'),
        ('"endpoints":[{', '"endpoints":[[],{'),
        ('"host":"web1"', '"host":"web9"'),
        ("]}\n", ""),
        ('"shape":"vigil', '"shape":"other'),
    ],
)
def test_history_that_was_edited_is_no_evidence(on_sqlite: Estate, was: str, becomes: str) -> None:
    on_sqlite.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    run = on_sqlite.opened_run(2, {"web1": host("web1", [SSH])}, OPEN)
    on_sqlite.recall(run)
    text = run.history.read_text()
    assert was in text
    run.history.write_text(text.replace(was, becomes, 1) if becomes else text.removesuffix(was))
    with pytest.raises(EvidenceError, match=r"history\.json"):
        on_sqlite.sealed(run)
