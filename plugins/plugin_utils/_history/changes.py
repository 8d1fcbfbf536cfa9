# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is believed of a host, and what a further look at it changes. Pure.

A belief holds the last thing that was known of each endpoint and each finding. What a look does not
know stays as it was: a host that could not be reached has not closed a port. The same look twice
changes nothing. This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._audit.rule import severity_rank
from .._audit.rules import not_assessed
from .look import ATTRIBUTES, Look, Place

Json = dict[str, Any]
Row = Mapping[str, Any]


class Change(NamedTuple):
    """One thing that is otherwise than it was believed to be. Fields that do not apply are None.

    ``kind`` is one of KINDS. ``before`` and ``after`` are short texts. ``entry`` is what was believed
    before, None when there was nothing.
    """

    kind: str
    vantage: str | None = None
    namespace: str | None = None
    protocol: str | None = None
    port: int | str | None = None
    address: str | None = None
    finding: str | None = None
    rule: str | None = None
    severity: str | None = None
    owner: str | None = None
    before: str | None = None
    after: str | None = None
    since: str | None = None
    entry: Row | None = None

    def as_dict(self, host: str) -> Json:
        """The change as results hold it."""
        row = self._asdict()
        del row["entry"]
        return {"host": host, **row}


#: Every kind of change with what it means, in the order of reports.
KINDS: Mapping[str, str] = {
    "finding-opened": "a rule fails that did not",
    "finding-reopened": "it fails again: after it was resolved, or after its exception ended",
    "finding-severity": "it fails with another severity",
    "finding-excepted": "an exception excuses it from now on",
    "finding-resolved": "it was looked for, and is no longer there",
    "opened": "something listens, or can be reached, that was not there",
    "reopened": "the same, and it was there before",
    "closed": "it was looked for, and is no longer there",
    "undeclared": "a declaration covered it, and none does now",
    "declared": "a declaration covers it now",
    "owner-changed": "another process, user, unit, executable or file at its path listens, or another service answers",
    "version-changed": "another version of it",
    "host-new": "a host that no earlier run looked at",
}

_OWNER = ("process", "user", "unit", "executable")


class Belief(NamedTuple):
    """``endpoints`` and ``findings`` as rows by their identity; ``first_seen`` of the host."""

    first_seen: str
    endpoints: dict[Place, Json]
    findings: dict[str, Json]

    @classmethod
    def read(cls, row: Row) -> Belief:
        return cls(
            row["first_seen"],
            {Place.of(one): one for one in row["endpoints"]},
            {one["id"]: one for one in row["findings"]},
        )

    def as_dict(self) -> Json:
        """JSON; equal beliefs give equal values."""
        return {
            "first_seen": self.first_seen,
            "endpoints": [self.endpoints[place] for place in sorted(self.endpoints, key=lambda one: one.sort_key)],
            "findings": [self.findings[key] for key in sorted(self.findings)],
        }


def fold(belief: Belief | None, look: Look, at: str) -> tuple[Belief, list[Change]]:
    """The belief after a look at the time ``at``, and what that changed, in a fixed order.

    Without an earlier belief the endpoints are where the host begins, and no changes; its findings are.
    """
    if belief is None:
        before, changes = Belief(at, {}, {}), [Change("host-new", after=at)]
        endpoints = {place: _entry(row, at) for place, row in look.endpoints.items()}
    else:
        before, changes, endpoints = belief, [], {}
        picked = _Picked(belief, look)
        for place in sorted({*belief.endpoints, *look.endpoints}, key=lambda one: one.sort_key):
            entry, found = _endpoint(place, belief.endpoints.get(place), look, at)
            changes.extend(change for change in found if picked.is_news(change, belief.endpoints.get(place), entry))
            if entry is not None:
                endpoints[place] = entry
    findings = {}
    for key in sorted({*before.findings, *look.findings}):
        entry, change = _finding(before.findings.get(key), look.findings.get(key), look, at)
        changes.extend(filter(None, (change,)))
        if entry is not None:
            findings[key] = entry
    return Belief(before.first_seen, endpoints, findings), changes


class _Picked:
    """Ports that the kernel picked: which one a process has at the moment is no news, that it has any is.

    All of one process, user and unit are one, for each protocol and address, so that a resolver with a hundred sockets
    is no hundred changes a run.
    """

    def __init__(self, belief: Belief, look: Look) -> None:
        self._before = {_holder(row) for row in belief.endpoints.values() if row["ephemeral"] and row["open"]}
        self._now = {_holder(row) for row in look.endpoints.values() if row["ephemeral"]}
        self._told: set[tuple[Any, ...]] = set()

    def is_news(self, change: Change, old: Json | None, new: Json | None) -> bool:
        row = new if change.kind == "opened" else old if change.kind == "closed" else None
        if row is None or not row["ephemeral"]:
            return True
        key = (change.kind, *_holder(row))
        told = key in self._told or _holder(row) in (self._before if change.kind == "opened" else self._now)
        self._told.add(key)
        return not told


def _holder(row: Row) -> tuple[Any, ...]:
    return tuple(row.get(key) for key in ("namespace", "protocol", "address", *_OWNER))


def _entry(row: Row, at: str) -> Json:
    """An endpoint that is there for the first time."""
    about = {key: row.get(key) for key in (*Place._fields, *ATTRIBUTES, "ephemeral")}
    return {**about, "open": True, "first_seen": at, "since": at}


def _endpoint(place: Place, old: Json | None, look: Look, at: str) -> tuple[Json | None, list[Change]]:
    row = look.endpoints.get(place)
    where = place._asdict()
    if row is None:
        if old is None or not old["open"] or not look.knows(place):
            return old, []
        change = Change("closed", **where, before=described(old), since=old["since"], entry=old)
        # Ports that the kernel picks would pile up for ever.
        closed = None if old["ephemeral"] else {**old, "open": False, "since": at}
        return closed, [change]
    if old is None:
        return _entry(row, at), [Change("opened", **where, after=described(row))]
    if not old["open"]:
        new = {**_entry(row, at), "first_seen": old["first_seen"]}
        before = f"closed since {old['since']}"
        return new, [Change("reopened", **where, before=before, after=described(row), since=old["since"], entry=old)]
    known = {key: row[key] for key in ATTRIBUTES if row.get(key) is not None}
    new = {**old, **known}
    changes = list(_differences(where, old, new))
    return ({**new, "since": at} if changes else new), changes


def _differences(where: Mapping[str, Any], old: Json, new: Json) -> Iterator[Change]:
    """In what an open endpoint is otherwise. That something became known at all is no change."""
    changed = {key for key in ATTRIBUTES if old.get(key) is not None and new[key] != old[key]}
    if "declared" in changed:
        kind = "declared" if new["declared"] else "undeclared"
        yield Change(kind, **where, after=described(new), since=old["since"], entry=old)
    if changed.intersection(_OWNER):
        swapped = "executable" in changed
        texts = {
            name: f"{owner_text(row)}, which runs {row['executable']}" if swapped else owner_text(row)
            for name, row in (("before", old), ("after", new))
        }
        yield Change("owner-changed", **where, **texts, since=old["since"], entry=old)
    elif "file" in changed and "version" not in changed:  # an update changes the file as well
        texts = {
            name: f"{owner_text(row)}, which runs {row['executable']}: {row['file']}"
            for name, row in (("before", old), ("after", new))
        }
        yield Change("owner-changed", **where, **texts, since=old["since"], entry=old)
    if "version" in changed:
        texts = {"before": old["version"], "after": new["version"]}
        yield Change("version-changed", **where, **texts, since=old["since"], entry=old)


#: How long a finding's life begins anew: what it was, what it is now -> the kind of change.
_TURNS: Mapping[tuple[str | None, str], str] = {
    (None, "fail"): "finding-opened",
    (None, "not_assessed"): "finding-opened",
    (None, "excepted"): "finding-excepted",
    ("fail", "excepted"): "finding-excepted",
    ("resolved", "excepted"): "finding-excepted",
    ("resolved", "fail"): "finding-reopened",
    ("resolved", "not_assessed"): "finding-reopened",
    ("excepted", "fail"): "finding-reopened",
}


def _finding(old: Json | None, row: Row | None, look: Look, at: str) -> tuple[Json | None, Change | None]:
    if row is not None and row["status"] == "not_assessed" and row["rule"] != not_assessed.RULE.id:
        return old, None  # the rule could not tell
    if row is None:
        if old is None or old["status"] == "resolved" or not look.knows_finding(old):
            return old, None
        entry = {**old, "status": "resolved", "since": at}
        return entry, _turn("finding-resolved", entry, old)
    if old is None:
        entry = {**row, "first_seen": at, "open_since": at, "since": at}
        return entry, _turn(_TURNS[None, row["status"]], entry, None)
    entry = {**old, **row}
    if old["status"] != row["status"]:
        entry["since"] = at
        if old["status"] == "resolved":
            entry["open_since"] = at
        return entry, _turn(_TURNS[old["status"], row["status"]], entry, old)
    if old["severity"] != row["severity"]:
        if severity_rank(row["severity"]) < severity_rank(old["severity"]) and not look.knows_milder(old):
            return {**entry, "severity": old["severity"]}, None
        return entry, _turn("finding-severity", entry, old)
    return entry, None


def _turn(kind: str, entry: Json, old: Json | None) -> Change:
    before = None if old is None else old["severity"] if kind == "finding-severity" else old["status"]
    return Change(
        kind,
        vantage=entry["vantage"],
        namespace=entry["namespace"],
        protocol=entry["protocol"],
        port=entry["port"],
        address=entry["address"],
        finding=entry["id"],
        rule=entry["rule"],
        severity=entry["severity"],
        owner=entry["owner"],
        before=before,
        after=entry["severity"] if kind == "finding-severity" else entry["status"],
        since=None if old is None else old["since"],
        entry=old,
    )


def described(row: Row) -> str:
    """Who is at an endpoint and whether it is declared, in a few words."""
    words = [owner_text(row), row["version"], _DECLARED[row["declared"]]]
    words.append("a port that the kernel picks" if row["ephemeral"] else None)
    return "; ".join(filter(None, words))


def owner_text(row: Row) -> str:
    """``nginx as www-data in nginx.service``, as far as it is known."""
    user = f" as {row['user']}" if row["user"] else ""
    unit = f" in {row['unit']}" if row["unit"] else ""
    return f"{row['process'] or 'unknown'}{user}{unit}"


_DECLARED = {True: "declared", False: "not declared", None: None}
