# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lives of endpoints and findings: when each began, what became of it, and how long that took.

This module is private to the collection.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from . import tables
from .changes import Belief, described
from .look import Look, Place
from .objects import Objects, kept_text, unpacked
from .record import KnownRun, known_runs, look_at

with contextlib.suppress(ImportError):  # tables.py holds the error
    import sqlalchemy as sa

Json = dict[str, Any]
Key = tuple[str, Any]  # host, and a place or the id of a finding


class Wanted(NamedTuple):
    """Whose life is asked for. What is None is not asked; all None: everything."""

    host: str | None = None
    port: str | None = None  # "443", "8000-8010" or "tcp/443"
    finding: str | None = None  # an id, or its first characters

    def holds(self, host: str, row: Mapping[str, Any], finding: str | None) -> bool:
        if self.host is not None and host != kept_text(self.host):
            return False
        if self.finding is not None and not (finding or "").startswith(self.finding):
            return False
        return self.port is None or self.port in (str(row["port"]), f"{row['protocol']}/{row['port']}")


def lives(connection: sa.Connection, wanted: Wanted) -> list[Json]:
    """Each thing that is asked for, with ``first_seen``, ``last_seen``, ``now`` and ``events``, in the order of hosts.

    An event is ``at``, ``run_id``, ``kind``, ``before``, ``after`` and ``seconds``: how long it lasted until
    the next one; None: it still does.
    """
    events = _events(connection, wanted)
    beliefs = dict(_beliefs(connection, wanted))
    walk = _Walk(connection)
    found = []
    for key in sorted({*events, *_wanted_of(beliefs, wanted)}, key=_sort_key):
        host, what = key
        belief = beliefs.get(host)
        rows = events.get(key, [])
        life = _of_endpoint(what, belief) if isinstance(what, Place) else _of_finding(what, belief, rows)
        times = [*(row.started for row in rows[1:]), None]
        told = [_event(row, until) for row, until in zip(rows, times, strict=True)] if rows else []
        found.append({"host": host, **life, "last_seen": walk.last_seen(host, what), "events": told})
    return found


def last_looked(connection: sa.Connection, hosts: Iterable[str]) -> dict[str, str | None]:
    """For each host the start of the newest run that had it in scope; None for none."""
    walk = _Walk(connection)
    return {host: walk.last(host, lambda _look: True) for host in hosts}


class _Walk:
    """Goes back through the runs; what was seen alike is looked at once."""

    def __init__(self, connection: sa.Connection) -> None:
        self._runs: Sequence[KnownRun] = known_runs(connection)[::-1]
        self._objects = Objects(connection)

    def last_seen(self, host: str, what: Place | str) -> str | None:
        """The start of the newest run that saw it."""
        if isinstance(what, Place):
            return self.last(host, lambda look: what in look.endpoints)
        return self.last(host, lambda look: what in look.findings)

    def last(self, host: str, holds: Callable[[Look], bool]) -> str | None:
        asked: dict[str, bool] = {}
        for run in self._runs:
            digest = self._objects.state_of(run.tree, host)
            if digest is None:
                continue
            if digest not in asked:
                asked[digest] = holds(look_at(self._objects, digest))
            if asked[digest]:
                return run.order.started
        return None


def _events(connection: sa.Connection, wanted: Wanted) -> dict[Key, list[Any]]:
    """The changes that are asked for, by what they are about, oldest first."""
    changes = tables.CHANGES
    query = sa.select(changes)
    if wanted.host is not None:
        query = query.where(changes.c.host == kept_text(wanted.host))
    if wanted.finding is not None:
        query = query.where(changes.c.finding.startswith(wanted.finding, autoescape=True))
    if wanted.port is not None:
        query = query.where(changes.c.port == wanted.port.rpartition("/")[2])
    found: dict[Key, list[Any]] = {}
    rows = connection.execute(query).all()
    for row in sorted(rows, key=lambda row: (row.started, row.run_id, row.kind)):
        if row.finding is None and row.protocol is None:
            continue  # of the host itself: its first_seen says it
        if wanted.holds(row.host, dict(row._mapping), row.finding):
            what = row.finding or Place(row.vantage, row.namespace, row.protocol, row.address, int(row.port))
            found.setdefault((row.host, what), []).append(row)
    return found


def _beliefs(connection: sa.Connection, wanted: Wanted) -> Iterator[tuple[str, Belief]]:
    query = sa.select(tables.BELIEFS.c.host, tables.BELIEFS.c.body)
    if wanted.host is not None:
        query = query.where(tables.BELIEFS.c.host == kept_text(wanted.host))
    for row in connection.execute(query):
        belief = Belief.read(unpacked(row.body))
        if any(True for _key in _wanted_of({row.host: belief}, wanted)):
            yield row.host, belief


def _wanted_of(beliefs: Mapping[str, Belief], wanted: Wanted) -> Iterator[Key]:
    for host, belief in beliefs.items():
        for place, row in belief.endpoints.items():
            if wanted.holds(host, row, None):
                yield host, place
        for key, row in belief.findings.items():
            if wanted.holds(host, row, key):
                yield host, key


def _sort_key(key: Key) -> tuple[Any, ...]:
    host, what = key
    return (host, 0, what.sort_key) if isinstance(what, Place) else (host, 1, (what,))


def _of_endpoint(place: Place, belief: Belief | None) -> Json:
    row = belief.endpoints.get(place) if belief else None
    state = "not open" if row is None else "open" if row["open"] else "closed"
    about = f"; {described(row)}" if row and row["open"] else ""
    return {
        "finding": None,
        "rule": None,
        **place._asdict(),
        "first_seen": row and row["first_seen"],
        "since": row and row["since"],
        "now": f"{state}{about}",
    }


def _of_finding(key: str, belief: Belief | None, events: Sequence[Any]) -> Json:
    row = belief.findings.get(key) if belief else None
    about = row if row is not None else events[-1]._mapping
    return {
        "finding": key,
        **{name: about[name] for name in ("rule", "vantage", "namespace", "protocol", "address", "port")},
        "first_seen": row and row["first_seen"],
        "since": row and row["since"],
        "now": "forgotten" if row is None else f"{row['status'].replace('_', ' ')} ({row['severity']})",
    }


def _event(row: Any, until: str | None) -> Json:
    seconds = None if until is None else round((_time(until) - _time(row.started)).total_seconds())
    names = ("run_id", "kind", "before", "after")
    return {"at": row.started, **{name: getattr(row, name) for name in names}, "seconds": seconds}


def _time(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
