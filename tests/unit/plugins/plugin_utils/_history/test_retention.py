# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are too old go; what was first seen in them stays known."""

from __future__ import annotations

import sqlalchemy as sa
from ansible_collections.vigil.ports.plugins.plugin_utils._history import tables
from ansible_collections.vigil.ports.plugins.plugin_utils._history.rebuild import complete_runs, rebuild
from ansible_collections.vigil.ports.plugins.plugin_utils._history.record import fold_anew, known_runs
from ansible_collections.vigil.ports.plugins.plugin_utils._history.store import opened
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._history.estate import Estate, host, scanned

SSH, WEB, OLD = build.listener(22), build.listener(8080), build.listener(7777)
OPEN = [scanned("web1", [22])]


def kept(estate: Estate) -> list[str]:
    with opened(estate.url, estate.report_dir) as history, history.reading() as connection:
        return [run.order.started[:10] for run in known_runs(connection)]


def days(estate: Estate, *listeners: list[build.Json], first: int = 0, keep: int = 10) -> None:
    """A run a day."""
    for day, heard in enumerate(listeners, start=first):
        run = estate.opened_run(24 * day, {"web1": host("web1", heard)}, OPEN)
        estate.recall(run)
        estate.remember(estate.sealed(run), keep_days=keep)


def test_what_is_too_old_goes_and_what_is_open_keeps_its_age(estate: Estate) -> None:
    days(estate, [SSH, OLD], [SSH, WEB], *[[SSH, WEB]] * 12)
    assert kept(estate)[0] == "2026-11-22"
    assert len(kept(estate)) == 12
    [life] = [row for row in estate.lives(port="8080") if row["finding"] is None]
    assert life["first_seen"] == "2026-11-21T00:00:00Z"
    days(estate, [SSH], first=14)
    [life] = [row for row in estate.lives(port="8080") if row["finding"] is None]
    assert [event["kind"] for event in life["events"]] == ["closed"]
    assert life["first_seen"] == "2026-11-21T00:00:00Z"


def test_what_is_folded_anew_after_that_is_the_same(estate: Estate) -> None:
    days(estate, [SSH, OLD], [SSH, WEB], *[[SSH, WEB]] * 11, [SSH])
    before = [row for row in estate.lives() if row["port"] != 7777]
    with opened(estate.url, estate.report_dir) as history, history.writing() as connection:
        fold_anew(connection, ["web1"])
    assert [row for row in estate.lives() if row["port"] != 7777] == before


def test_a_run_that_was_taken_away_is_not_recorded_again(estate: Estate) -> None:
    days(estate, *[[SSH]] * 14)
    before = kept(estate)
    assert len(before) == 12
    assert rebuild(estate.url, estate.report_dir).recorded == 0
    assert kept(estate) == before
    oldest = complete_runs(estate.report_dir)[0]
    assert estate.remember(oldest).state == "too old"


def test_objects_that_no_run_needs_go_with_it(estate: Estate) -> None:
    def objects() -> int:
        with opened(estate.url, estate.report_dir) as history, history.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(tables.OBJECTS)).scalar_one()

    days(estate, [SSH, OLD], *[[SSH, WEB]] * 10)
    before = objects()
    days(estate, *[[SSH, WEB]] * 3, first=11)
    assert objects() == before - 3  # a state, its group and its tree


def test_a_clock_that_was_ahead_once_takes_nothing_away(estate: Estate) -> None:
    days(estate, [SSH], [SSH])
    days(estate, [SSH, WEB], first=4000)
    days(estate, [SSH], first=2)
    assert len(kept(estate)) == 4


def test_zero_days_keep_everything(estate: Estate) -> None:
    days(estate, [SSH], keep=0)
    days(estate, [SSH], [SSH], first=4000, keep=0)
    assert len(kept(estate)) == 3
