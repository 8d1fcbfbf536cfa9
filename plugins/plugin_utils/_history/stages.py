# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit does with history before it judges and after it sealed. Whatever is wrong with the database, the
audit goes on. This module is private to the collection."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._evidence.history_file import write_history
from .._evidence.run_directory import RunDirectory
from .problem import HistoryError
from .rebuild import Imported, import_missing, record_run, unrecorded_runs
from .recall import Recall
from .retention import prune
from .store import History, opened

_NOTHING: dict[str, Any] = {"message": None, "last": None, "green": None, "trend": [], "imported": 0, "unrecorded": 0}


class Told(NamedTuple):
    """``state`` is what the run's evidence says of history, or what became of the run; ``problems`` is for people."""

    state: str
    problems: tuple[str, ...] = ()


def recall(run: RunDirectory, url: str, *, is_on: bool, patience: float = 60.0) -> Told:
    """Writes what history knows into the evidence of a run that is about to be judged.

    Complete runs that were not recorded are recorded first. Evidence that is there already is left as it is.
    """
    if run.history.exists():
        return Told("written already")
    if not is_on:
        write_history(run.history, {**_NOTHING, "state": "off"}, ())
        return Told("off")
    report_dir = run.path.parent
    try:
        with opened(url, report_dir, patience) as history:
            # Beside a part lie other parts, which have no results.
            imported = Imported(0, 0) if "part" in run.read_run() else import_missing(history, report_dir)
            with history.reading() as connection:
                known = Recall(connection, run.read_run()["hosts"])
                head = {**known.head(), "imported": imported.recorded, "unrecorded": imported.left}
                write_history(run.history, head, known.hosts())
    except HistoryError as error:
        head = {**_NOTHING, "unrecorded": unrecorded_runs(report_dir), "state": "unavailable", "message": str(error)}
        write_history(run.history, head, ())
        return Told("unavailable", (f"history is unavailable, nothing is compared with earlier runs: {error}",))
    return Told(head["state"], imported.problems)


def remember(run: RunDirectory, url: str, *, keep_days: int, patience: float = 60.0) -> Told:
    """Records a run that is sealed, and takes away those that are too old."""
    try:
        with opened(url, run.path.parent, patience) as history:
            outcome = record_run(history, run)
            return Told(outcome, _prune(history, run.run_id, keep_days) if outcome == "recorded" else ())
    except HistoryError as error:
        problem = f"this run was not recorded; the next run will do it: {error}"
        return Told("not recorded", (problem,))


def _prune(history: History, run_id: str, keep_days: int) -> tuple[str, ...]:
    try:
        with history.writing() as connection:
            prune(connection, run_id, keep_days)
    except HistoryError as error:
        return (f"runs that are too old could not be taken away: {error}",)
    return ()
