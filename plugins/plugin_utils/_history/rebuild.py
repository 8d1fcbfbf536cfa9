# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on disk that the database has not: recorded late, or all of them anew. Private to the collection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .._evidence.history_file import read_history
from .._evidence.kept import EvidenceError
from .._evidence.results_file import Results, read_results
from .._evidence.run_directory import RunDirectory
from .._evidence.sealing import RUN_ID
from .problem import HistoryError
from .record import Outcome, base_of, known_runs, record
from .store import History, database_file, opened

with contextlib.suppress(ImportError):  # tables.py holds the error
    import sqlalchemy as sa

#: How many runs an audit records late. More are left to vigil.ports.history_rebuild.
MOST = 25


class Imported(NamedTuple):
    """What became of the runs of a report directory. ``problems`` says of each that cannot be recorded why."""

    recorded: int
    left: int
    problems: tuple[str, ...] = ()
    set_aside: Path | None = None

    def sentence(self) -> str:
        """What was done, for people."""
        aside = f"; the broken database is kept as {self.set_aside}" if self.set_aside else ""
        failed = f", {len(self.problems)} cannot be" if self.problems else ""
        return f"{self.recorded} runs were recorded{failed}{aside}"


def complete_runs(report_dir: Path) -> list[RunDirectory]:
    """The sealed runs of a report directory, oldest first."""
    paths = sorted(path for path in report_dir.iterdir() if RUN_ID.fullmatch(path.name) and not path.is_symlink())
    return [run for run in map(RunDirectory, paths) if run.is_sealed]


def record_run(history: History, run: RunDirectory) -> Outcome:
    """Records a run from its directory. Raises EvidenceError for one that cannot be read, HistoryError."""
    results = read_results(run.results)
    _expect_what_history_reads(results, run)
    with history.writing() as connection:
        return record(connection, results)


def import_missing(history: History, report_dir: Path, *, everything: bool = False) -> Imported:
    """Records the complete runs that are not recorded, oldest first.

    Those that were not to be recorded (history was off) are left alone, and so are all but the newest MOST,
    unless ``everything`` is wanted. Runs older than what retention keeps are never recorded.
    """
    with history.reading() as connection:
        known = {run.order.run_id for run in known_runs(connection)}
        base = base_of(connection)
    missing = [run for run in complete_runs(report_dir) if run.run_id not in known]
    missing = [run for run in missing if base is None or run.run_id > base.run_id]
    if not everything:
        missing = [run for run in missing if _was_to_be_recorded(run)]
    chosen = missing if everything else missing[-MOST:]
    recorded, problems = 0, []
    for run in chosen:
        try:
            recorded += record_run(history, run) == "recorded"
        except EvidenceError as error:
            problems.append(str(error))
    return Imported(recorded, len(missing) - len(chosen), tuple(problems))


def rebuild(url: str, report_dir: Path) -> Imported:
    """Records everything in a report directory. An SQLite database that is broken is set aside first, and made anew.

    Raises HistoryError.
    """
    set_aside = None
    try:
        with opened(url, report_dir) as history:
            _expect_whole(history)
    except HistoryError as error:
        file = database_file(url, report_dir)
        if not error.is_corrupt or file is None:
            raise
        set_aside = _set_aside(file)
    with opened(url, report_dir) as history:
        return import_missing(history, report_dir, everything=True)._replace(set_aside=set_aside)


def unrecorded_runs(report_dir: Path) -> int:
    """How many of the newest complete runs found history unavailable, one after the other."""
    count = 0
    for run in reversed(complete_runs(report_dir)):
        if _state(run) != "unavailable":
            break
        count += 1
    return count


def _was_to_be_recorded(run: RunDirectory) -> bool:
    return _state(run) not in (None, "off")


def _state(run: RunDirectory) -> str | None:
    """What the run says of history; None when it did not ask or cannot be read."""
    try:
        before = read_history(run.history)
    except EvidenceError:  # what is wrong with it is said by whoever reads the run
        return None
    return None if before is None else str(before.head["state"])


def _expect_what_history_reads(results: Results, run: RunDirectory) -> None:
    if "known_ports" not in results:
        version = results["run"]["versions"].get("vigil.ports", "unknown")
        raise EvidenceError(
            f"{run.results}: made by version {version}, which wrote nothing for history: this run cannot be recorded"
        )


def _expect_whole(history: History) -> None:
    """Raises HistoryError where SQLite finds its file broken."""
    with history.reading() as connection:
        if connection.dialect.name == "sqlite":
            said = list(_quick_check(connection))
            if said != ["ok"]:
                raise history.error(f"broken: {said[0]}", "it is set aside", corrupt=True)


def _quick_check(connection: sa.Connection) -> Iterator[str]:
    yield from connection.exec_driver_sql("PRAGMA quick_check(1)").scalars()


def _set_aside(file: Path) -> Path:
    """Moves a broken database, with its journal, to a name that is free."""
    number = 1
    while (aside := file.with_name(f"{file.name}.broken-{number}")).exists():
        number += 1
    for ending in ("-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            file.with_name(file.name + ending).rename(f"{aside}{ending}")
    file.rename(aside)
    return aside
