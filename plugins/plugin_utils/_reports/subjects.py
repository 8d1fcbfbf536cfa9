# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One subject is one row: findings about the same port, and about neighbouring ports alike, stand together.

An open port that nobody declared is a finding of its listener and one of each vantage point; a range of such ports is
as many again. People read one row: port or range, what is wrong, from where, whose, since when. Pure: findings in,
rows out. This module is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._audit.finding import by_gravity
from .._audit.rule import severity_rank

Row = Mapping[str, Any]


class Subject(NamedTuple):
    """What is wrong with a port, a range of ports, or (``ports`` is None) with a host or the run.

    ``rules`` gravest first; ``message`` what the first finding of each of them says; ``vantages`` by name;
    ``open_since`` the earliest, None where no finding tells one; ``way`` the number of its ways out, None where there
    are none; ``rows`` its findings, gravest first.
    """

    host: str | None
    namespace: str | None
    protocol: str | None
    ports: str | None
    severity: str
    breaks_gate: bool
    rules: tuple[str, ...]
    vantages: tuple[str, ...]
    message: str
    owner: str | None
    open_since: str | None
    way: int | None
    rows: tuple[Row, ...]

    @property
    def endpoint(self) -> str:
        """``tcp/8000-8079``; empty where it is not about a port."""
        return f"{self.protocol}/{self.ports}" if self.ports is not None else ""


def subjects(findings: Iterable[Row]) -> list[Subject]:
    """The subjects of findings that failed, gravest first, with their ways out numbered in that order from 1."""
    of_port: dict[tuple[Any, ...], list[Row]] = {}
    for row in sorted(findings, key=by_gravity):
        # A vantage point does not know of namespaces: what it saw is said of the host's own.
        about = (row["host"], row["namespace"] or "host", row["protocol"], row["port"])
        of_port.setdefault(about if row["port"] is not None else (*about, row["id"]), []).append(row)
    folded = sorted(_ranges(map(_subject, of_port.values())), key=_gravest_first)
    return list(_numbered(folded))


def neighbours(rows: Iterable[Row], alike: Iterable[str]) -> Iterator[tuple[str, Row]]:
    """Rows of ports, in order, as ``(port or range, first row)``: neighbours with equal ``alike`` are one.

    ``rows`` have ``protocol``, ``port`` and ``namespace``.
    """
    keys = ("protocol", "namespace", *alike)
    group: list[Row] = []
    for row in rows:
        if group and not (_follows(group[-1]["port"], row["port"]) and all(group[0][key] == row[key] for key in keys)):
            yield _span(group[0]["port"], group[-1]["port"]), group[0]
            group = []
        group.append(row)
    if group:
        yield _span(group[0]["port"], group[-1]["port"]), group[0]


def _subject(rows: Sequence[Row]) -> Subject:
    first = rows[0]
    rules = tuple(dict.fromkeys(row["rule"] for row in rows))
    since = [row["open_since"] for row in rows if row["open_since"]]
    return Subject(
        host=first["host"],
        namespace=next((row["namespace"] for row in rows if row["namespace"]), None),
        protocol=first["protocol"],
        ports=None if first["port"] is None else str(first["port"]),
        severity=first["severity"],
        breaks_gate=first["breaks_gate"],
        rules=rules,
        vantages=tuple(sorted({row["vantage"] for row in rows if row["vantage"] is not None})),
        message="; ".join({row["rule"]: row["message"] for row in reversed(rows)}[rule] for rule in rules),
        owner=next((row["owner"] for row in rows if row["owner"]), None),
        open_since=min(since, default=None),
        way=None,
        rows=tuple(rows),
    )


def _ranges(single: Iterable[Subject]) -> Iterator[Subject]:
    """Neighbouring ports of which the same is wrong as one subject."""
    by_kind: dict[tuple[Any, ...], list[Subject]] = {}
    for one in single:
        if isinstance(one.rows[0]["port"], int):
            by_kind.setdefault(_kind(one), []).append(one)
        else:
            yield one
    for alike in by_kind.values():
        alike.sort(key=lambda one: int(one.ports or 0))
        group: list[Subject] = []
        for one in alike:
            if group and not _follows(group[-1].rows[0]["port"], one.rows[0]["port"]):
                yield _joined(group)
                group = []
            group.append(one)
        yield _joined(group)


def _kind(one: Subject) -> tuple[Any, ...]:
    """What neighbours have in common. Their messages differ by the port alone."""
    said = _without_port(one.message, one.endpoint)
    same = (one.host, one.namespace, one.protocol, one.severity, one.breaks_gate, one.rules, one.vantages)
    return (*same, one.owner, one.open_since, said)


def _without_port(message: str, endpoint: str) -> tuple[str, ...]:
    """The message in pieces between which the port stood."""
    return tuple(re.split(rf"(?<![\w/.:-]){re.escape(endpoint)}(?![\w-])", message))


def _joined(group: Sequence[Subject]) -> Subject:
    first, last = group[0], group[-1]
    if first is last:
        return first
    ports = f"{first.ports}-{last.ports}"
    message = f"{first.protocol}/{ports}".join(_without_port(first.message, first.endpoint))
    rows = tuple(row for one in group for row in one.rows)
    return first._replace(ports=ports, message=message, rows=rows)


def _follows(port: object, other: object) -> bool:
    return isinstance(port, int) and isinstance(other, int) and other == port + 1


def _span(first: object, last: object) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _gravest_first(one: Subject) -> tuple[Any, ...]:
    port = one.rows[0]["port"]
    number = port if isinstance(port, int) else 0
    rank = severity_rank(one.severity)
    return (not one.breaks_gate, -rank, one.host or "", one.rules[0], one.protocol or "", number, str(port))


def _numbered(some: Iterable[Subject]) -> Iterator[Subject]:
    number = 0
    for one in some:
        if any(row["ways_out"] for row in one.rows):
            number += 1
            yield one._replace(way=number)
        else:
            yield one
