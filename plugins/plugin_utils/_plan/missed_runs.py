# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that should have been there and were not. Pure. This module is private to the collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any


def missed_runs(
    every: int, label: str | None, now: dt.datetime, earlier: Iterable[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """How many runs of this label are missing since the last one; None when none are expected.

    ``every`` is seconds, 0 when no run is due at any time. ``earlier`` are complete runs as ``evidence/run.json``
    holds them, the newest first. A start that was put off by less than half a period is not a missed one.
    """
    if not every:
        return None
    last = next((run for run in earlier if run["label"] == label and not run.get("what_if")), None)
    if last is None:
        return {"every": every, "last_run_id": None, "missed": 0}
    began = dt.datetime.fromisoformat(last["started"])
    periods = round((now - began).total_seconds() / every)
    return {"every": every, "last_run_id": last["run_id"], "missed": max(0, periods - 1)}
