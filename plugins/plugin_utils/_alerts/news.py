# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is news in a run, and for whom. Pure: results and what was told before in, what is told now out.

This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .._audit.rule import severity_rank
from .._audit.rules import not_assessed
from .._evidence.results_file import Results
from .._history.look import FINDING_KEYS, Look, host_state

Json = dict[str, Any]
Row = Mapping[str, Any]

#: Kinds of news, in the order of a message, with their titles.
KINDS: Mapping[str, str] = {
    "opened": "New",
    "worse": "Worse than before",
    "reminder": "Still open",
    "resolved": "Over",
}

_NONE: Mapping[str, str] = MappingProxyType({})

#: For so long it is kept what is over: a run that began before it ended, and is told later, does not open it again.
_OVER_KEPT = dt.timedelta(days=30)


class Item(NamedTuple):
    """One piece of news. ``row`` is the finding as it is remembered, ``note`` why it is over or told again."""

    kind: str
    owner: str | None
    id: str
    row: Row
    note: str | None = None


class News(NamedTuple):
    """``items`` to tell, and ``findings`` as they are remembered once those are told."""

    items: list[Item]
    findings: dict[str, Json]


def news(
    results: Results,
    known: Mapping[str, Row],
    remind_after: dt.timedelta | None,
    least: str,
    resolved: Mapping[str, str] = _NONE,
) -> News:
    """What a run says that was not told.

    ``known`` is every finding that was told. ``remind_after`` is None for never; ``least`` is the least severity that
    is told, what could not be told from the rest always is. The time is the start of the run, so the same run twice
    has nothing new to say. ``resolved`` is, by the ids of findings, since when history has them resolved: a run that
    told nobody looked for them, and this one had no reason to look again.
    """
    teller = _Teller(results, known, remind_after, severity_rank(least), resolved)
    items = [*teller.of_what_is_there(), *teller.of_what_is_gone()]
    return News(items, teller.findings())


class _Teller:
    def __init__(
        self,
        results: Results,
        known: Mapping[str, Row],
        remind: dt.timedelta | None,
        least: int,
        resolved: Mapping[str, str],
    ) -> None:
        self._results, self._remind, self._least, self._resolved = results, remind, least, resolved
        self._started: str = results["run"]["started"]
        self._known: dict[str, Json] = {key: dict(row) for key, row in known.items()}
        self._met: set[str] = set()

    def findings(self) -> dict[str, Json]:
        """What is remembered; without what is over for long."""
        oldest = _time(self._started) - _OVER_KEPT
        return {key: row for key, row in self._known.items() if row["open"] or _time(row["seen"]) > oldest}

    def of_what_is_there(self) -> Iterator[Item]:
        """News of findings that the run has."""
        for row in self._results.notable:
            if row["status"] == "pass":
                continue
            key, old = row["id"], self._known.get(row["id"])
            self._met.add(key)
            if old is not None and old["seen"] > self._started:
                continue  # a later run was told already
            was_open = old is not None and old["open"]
            if row["status"] == "excepted":
                if old is not None and was_open:
                    yield self._over(key, old, f"an exception excuses it until {_until(row)}")
            elif row["status"] == "not_assessed" and row["accepted"]:
                if old is not None and was_open and row["gap"] in self._results["run"]["settings"]["accept_gaps"]:
                    yield self._over(key, old, "the gap is accepted by its name")
            elif row["status"] in ("fail", "not_assessed"):
                yield from self._open(key, row, old if was_open else None)

    def of_what_is_gone(self) -> Iterator[Item]:
        """News of findings that were told and that the run has not, where it, or a run before, looked for them."""
        gone: dict[str | None, list[str]] = {}
        for key, old in self._known.items():
            if old["open"] and key not in self._met and old["seen"] <= self._started:
                gone.setdefault(old["host"], []).append(key)
        if not gone:
            return
        for key in gone.get(None, ()):  # no host was in scope
            if self._results["coverage"]["hosts"]["in_scope"]:
                yield self._over(key, self._known[key], None)
        for host in self._results["hosts"]:
            keys = gone.get(host["host"], ())
            if keys:
                rows = [row for row in self._results.notable if row["host"] == host["host"]]
                look = Look(host_state(host, rows), self._results["known_ports"])
                for key in keys:
                    old = self._known[key]
                    if look.knows_finding(old) or self._resolved.get(key, "") > old["seen"]:
                        yield self._over(key, old, None)

    def _open(self, key: str, row: Row, old: Json | None) -> Iterator[Item]:
        new = self._remembered(row)
        alerts = row["status"] == "not_assessed" or severity_rank(row["severity"]) >= self._least
        if old is None:
            if alerts:
                self._known[key] = new
                yield Item("opened", row["owner"], key, new)
        elif row["owner"] != old["owner"]:
            self._known[key] = new
            yield Item("resolved", old["owner"], key, old, f"{row['owner'] or 'nobody'} answers for it now")
            yield Item("opened", row["owner"], key, new, f"{old['owner'] or 'nobody'} answered for it before")
        elif alerts and _gravity(row) > _gravity(old):
            self._known[key] = new
            yield Item("worse", row["owner"], key, new, f"it was {_words(old)}")
        elif alerts and self._is_due(old):
            self._known[key] = new
            yield Item("reminder", row["owner"], key, new)
        elif _gravity(row) >= 0:
            # As grave as it was told to be, so that what goes down and up again is not told each time.
            self._known[key] = {**old, "seen": self._started, "message": row["message"]}

    def _is_due(self, old: Row) -> bool:
        """Whether a reminder is due: by days, not by seconds. A run a minute earlier than yesterday's is on its day."""
        return self._remind is not None and _time(self._started).date() - _time(old["told"]).date() >= self._remind

    def _remembered(self, row: Row) -> Json:
        kept = {name: row[name] for name in (*FINDING_KEYS, "host", "message")}
        since = row["open_since"] or self._started
        return {**kept, "since": since, "open": True, "told": self._started, "seen": self._started}

    def _over(self, key: str, old: Json, note: str | None) -> Item:
        self._known[key] = {**old, "open": False, "seen": self._started}
        return Item("resolved", old["owner"], key, old, note)


def _gravity(row: Row) -> int:
    """What is not assessed is known to be no less grave than anything: -1 where the rule could not tell."""
    return (
        -1
        if row["status"] == "not_assessed" and row["rule"] != not_assessed.RULE.id
        else severity_rank(row["severity"])
    )


def _words(row: Row) -> str:
    return "not assessed" if row["status"] == "not_assessed" else str(row["severity"])


def _until(row: Row) -> str:
    return str((row["exception"] or {}).get("expires", "it ends"))


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
