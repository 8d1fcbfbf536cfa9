# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What history knows before a run: the content of ``evidence/history.json``. Private to the collection."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import tables
from .changes import Belief
from .look import Place
from .objects import CHUNK, Objects, kept_text, unpacked
from .record import KnownRun, known_runs

with contextlib.suppress(ImportError):  # tables.py holds the error
    import sqlalchemy as sa

Json = dict[str, Any]

#: How many runs the trend goes back.
TREND = 10


class Recall:
    """What is known of the hosts of a run that is about to be judged."""

    def __init__(self, connection: sa.Connection, hosts: Sequence[str]) -> None:
        self._connection = connection
        self._hosts = hosts
        self._runs = known_runs(connection)
        self._objects = Objects(connection)
        self._last = self._newest(self._runs)
        self._green = self._newest([run for run in self._runs if run.passed])

    def head(self) -> Json:
        """``state`` is ``ok`` or ``first run``; ``last`` and ``green`` are the newest such runs of any of the hosts."""
        return {
            "state": "ok" if self._runs else "first run",
            "message": None,
            "last": _named(max(self._last.values(), default=None)),
            "green": _named(max(self._green.values(), default=None)),
            "trend": self._trend(),
        }

    def hosts(self) -> Iterator[Json]:
        """Each host that a run looked at, in the order of the run that asks."""
        for start in range(0, len(self._hosts), CHUNK):
            yield from self._some(self._hosts[start : start + CHUNK])

    def _some(self, hosts: Sequence[str]) -> Iterator[Json]:
        beliefs = tables.BELIEFS.c
        wanted = sa.select(beliefs.host, beliefs.body).where(beliefs.host.in_([kept_text(host) for host in hosts]))
        bodies = {row.host: row.body for row in self._connection.execute(wanted)}
        since = self._changed_since(hosts)
        for host in hosts:
            body = bodies.get(kept_text(host))
            if body is None or host not in self._last:
                continue
            now, green = unpacked(body), self._green.get(host)
            first_changes = since.get(str(kept_text(host)))
            yield {
                "host": host,
                "last": self._last[host].order.run_id,
                "green": None if green is None else green.order.run_id,
                "now": now,
                "at_green": _as_it_was(now, first_changes) if green is not None and first_changes else None,
            }

    def _newest(self, runs: Sequence[KnownRun]) -> dict[str, KnownRun]:
        """For each host the newest of the runs that had it in scope."""
        found: dict[str, KnownRun] = {}
        left, seen = set(self._hosts), set()
        for run in reversed(runs):
            if not left:
                break
            if run.tree in seen:
                continue
            seen.add(run.tree)
            there = {host for host in left if self._objects.state_of(run.tree, str(kept_text(host))) is not None}
            found.update(dict.fromkeys(there, run))
            left -= there
        return found

    def _changed_since(self, hosts: Sequence[str]) -> dict[str, list[Any]]:
        """By host the changes since its last green run, oldest first."""
        green = {str(kept_text(host)): self._green[host].order for host in hosts if host in self._green}
        if not green:
            return {}
        changes = tables.CHANGES.c
        columns = (changes.host, changes.started, changes.run_id, changes.finding, changes.entry)
        place = (changes.vantage, changes.namespace, changes.protocol, changes.address, changes.port)
        oldest = min(order.started for order in green.values())
        wanted = sa.select(*columns, *place).where(changes.host.in_(list(green)), changes.started >= oldest)
        rows = sorted(self._connection.execute(wanted), key=lambda row: (row.started, row.run_id))
        found: dict[str, list[Any]] = {}
        for row in rows:
            if (row.started, row.run_id) > green[row.host]:
                found.setdefault(row.host, []).append(row)
        return found

    def _trend(self) -> list[Json]:
        runs = tables.RUNS.c
        names = [run.order.run_id for run in self._runs[-TREND:]]
        columns = (runs.run_id, runs.started, runs.hosts, runs.assessed, runs.passed, runs.counts)
        rows = {row.run_id: row for row in self._connection.execute(sa.select(*columns).where(runs.run_id.in_(names)))}
        return [_trend_row(rows[name]) for name in names]


def _as_it_was(now: Mapping[str, Any], changes: Sequence[Any]) -> Json:
    """A belief as it was before changes: each thing is what it was before the first change to it."""
    belief = Belief.read(now)
    endpoints, findings = dict(belief.endpoints), dict(belief.findings)
    done: set[str | Place] = set()
    for row in changes:
        if row.protocol is None and row.finding is None:
            continue  # of the host itself
        key = row.finding or Place(row.vantage, row.namespace, row.protocol, row.address, int(row.port))
        if key in done:
            continue
        done.add(key)
        entry = None if row.entry is None else json.loads(row.entry)
        kept: dict[Any, Json] = findings if row.finding else endpoints
        kept.pop(key, None)
        if entry is not None:
            kept[entry["id"] if row.finding else Place.of(entry)] = entry
    return Belief(belief.first_seen, endpoints, findings).as_dict()


def _named(run: KnownRun | None) -> Json | None:
    return None if run is None else {"run_id": run.order.run_id, "started": run.order.started}


def _trend_row(row: Any) -> Json:
    counts = json.loads(row.counts)
    return {
        "run_id": row.run_id,
        "started": row.started,
        "hosts": row.hosts,
        "assessed": row.assessed,
        "passed": row.passed,
        "severity": counts["severity"],
        "not_assessed": counts["status"]["not_assessed"],
    }
