# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long runs are kept. What was first seen before that stays known. Private to the collection."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Sequence

from . import tables
from .changes import Belief, fold
from .objects import CHUNK, Objects, packed, unpacked, upsert
from .record import KnownRun, known_runs, look_at

with contextlib.suppress(ImportError):  # tables.py holds the error
    import sqlalchemy as sa

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def prune(connection: sa.Connection, run_id: str, keep_days: int) -> int:
    """Takes away runs that started more than ``keep_days`` before the run, and how many these were. 0 keeps all.

    Time is that of the run and of the one before it, whichever is earlier: a clock that was ahead once takes
    nothing away. It waits until a tenth more than the days is there, so that the work is not done each
    time. The newest run and what follows the newest green one within the days stay.
    """
    runs = known_runs(connection)
    place = next(index for index, run in enumerate(runs) if run.order.run_id == run_id)
    now = dt.datetime.strptime(runs[max(0, place - 1)].order.started, _TIME).replace(tzinfo=dt.UTC)
    if keep_days <= 0 or _days_before(now, keep_days + max(1, keep_days // 10)) <= runs[0].order.started:
        return 0
    oldest_kept = _days_before(now, keep_days)
    gone = [run for run in runs[:-1] if run.order.started < oldest_kept]
    if gone:
        _fold_into_bases(connection, gone, oldest_kept)
        _take_away(connection, gone, runs[len(gone) :])
    return len(gone)


def _days_before(now: dt.datetime, days: int) -> str:
    return (now - dt.timedelta(days)).strftime(_TIME)


def _fold_into_bases(connection: sa.Connection, gone: Sequence[KnownRun], oldest_kept: str) -> None:
    """What was believed after the runs that go is where later ones begin. What has ended long ago is forgotten."""
    objects = Objects(connection)
    hosts = sorted({host for run in gone for host in objects.states(run.tree)})
    for start in range(0, len(hosts), CHUNK):
        chunk = hosts[start : start + CHUNK]
        known = connection.execute(sa.select(tables.BASES).where(tables.BASES.c.host.in_(chunk)))
        bases = {row.host: Belief.read(unpacked(row.body)) for row in known}
        for host in chunk:
            last = None
            for run in gone:
                digest = objects.state_of(run.tree, host)
                if digest is not None and digest != last:
                    bases[host], _changes = fold(bases.get(host), look_at(objects, digest), run.order.started)
                    last = digest
        kept = {host: _without_the_ended(belief, oldest_kept) for host, belief in bases.items()}
        rows = [{"host": host, "body": packed(belief.as_dict())} for host, belief in kept.items()]
        upsert(connection, tables.BASES, rows)


def _without_the_ended(belief: Belief, oldest_kept: str) -> Belief:
    return belief._replace(
        endpoints={key: row for key, row in belief.endpoints.items() if row["open"] or row["since"] >= oldest_kept},
        findings={
            key: row
            for key, row in belief.findings.items()
            if row["status"] != "resolved" or row["since"] >= oldest_kept
        },
    )


def _take_away(connection: sa.Connection, gone: Sequence[KnownRun], kept: Sequence[KnownRun]) -> None:
    objects = Objects(connection)
    names = [run.order.run_id for run in gone]
    for start in range(0, len(names), CHUNK):
        chunk = names[start : start + CHUNK]
        connection.execute(sa.delete(tables.CHANGES).where(tables.CHANGES.c.run_id.in_(chunk)))
        connection.execute(sa.delete(tables.RUNS).where(tables.RUNS.c.run_id.in_(chunk)))
    upsert(connection, tables.MARKS, [{"name": "base", "value": json.dumps(gone[-1].order)}])
    unused = set(_objects_of(objects, gone)) - set(_objects_of(objects, kept))
    digests = sorted(unused)
    for start in range(0, len(digests), CHUNK):
        chunk = digests[start : start + CHUNK]
        connection.execute(sa.delete(tables.OBJECTS).where(tables.OBJECTS.c.digest.in_(chunk)))


def _objects_of(objects: Objects, runs: Sequence[KnownRun]) -> set[str]:
    """Every object that the runs refer to."""
    trees = {run.tree for run in runs}
    groups = {digest for tree in trees for digest in objects.get(tree).values()}
    states = {digest for group in groups for digest in objects.get(group).values()}
    ports = {
        key
        for digest in states
        for row in (objects.get(digest)["seen"] or {"outside": ()})["outside"]
        for key in row["known"].values()
    }
    return trees | groups | states | ports
