# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that was due and did not come is told by the next one."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.missed_runs import missed_runs

NOW = dt.datetime(2026, 11, 20, 13, 0, tzinfo=dt.UTC)


def earlier(started: str, label: str | None = "inside") -> dict[str, str | None]:
    return {"run_id": f"run of {started}", "label": label, "started": f"2026-11-20T{started}Z"}


@pytest.mark.parametrize(
    ("started", "missed"),
    [
        ("12:00:00", 0),
        ("12:04:59", 0),  # put off, this one is not
        ("11:55:01", 0),  # the other way round
        ("11:00:00", 1),
        ("11:05:00", 1),
        ("03:00:00", 9),
        ("12:59:00", 0),  # by hand
        ("14:00:00", 0),  # the clock was put back
    ],
)
def test_the_periods_without_a_run_are_counted(started: str, missed: int) -> None:
    found = missed_runs(3600, "inside", NOW, [earlier(started)])
    assert found == {"every": 3600, "last_run_id": f"run of {started}", "missed": missed}


def test_only_runs_of_the_same_label_count_and_of_these_the_last() -> None:
    runs = [earlier("12:59:00", "outside"), earlier("12:58:00", None), earlier("09:00:00"), earlier("08:00:00")]
    found = missed_runs(3600, "inside", NOW, runs)
    assert found == {"every": 3600, "last_run_id": "run of 09:00:00", "missed": 3}


def test_the_first_run_misses_none_and_a_run_that_is_never_due_says_nothing() -> None:
    assert missed_runs(3600, "inside", NOW, []) == {"every": 3600, "last_run_id": None, "missed": 0}
    assert missed_runs(0, "inside", NOW, [earlier("01:00:00")]) is None
