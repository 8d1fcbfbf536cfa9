# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed since the last run and since the last green one, and the trend. Private to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._audit.rule import severity_rank
from .._evidence.results_file import Results
from .._history.changes import KINDS
from .ink import Ink
from .subjects import neighbours

Row = Mapping[str, Any]

#: Most rows of one table; what is more is counted, and stands in results.json.
MOST_ROWS = 200

_PLACES = {kind: place for place, kind in enumerate(KINDS)}
_SEVERITIES = ("critical", "high", "medium", "low", "info")


def what_changed(ink: Ink, results: Results) -> Iterator[str]:
    """The section of the report, without line ends."""
    changes = results["changes"]
    yield from ink.heading(2, "What changed")
    if changes["history"] != "ok":
        yield from ink.paragraph(_no_comparison(changes["history"], ink))
    else:
        yield from _section(ink, "the last run", changes["last"], changes["since_last"])
        if changes["green"] is None:
            yield from ink.heading(3, "Since the last green run")
            yield from ink.paragraph("No run that is kept passed its gate.")
        elif changes["green"] == changes["last"]:
            yield from ink.paragraph("The last run passed its gate: it is the last green one.")
        else:
            yield from _section(ink, "the last green run", changes["green"], changes["since_green"])
    yield from ink.items((line, ()) for line in _left_behind(changes))
    yield from _trend(ink, results)


def changes_line(ink: Ink, results: Results) -> str:
    """What changed in one line."""
    changes = results["changes"]
    if changes["history"] != "ok":
        return _no_comparison(changes["history"], ink)
    return f"Since the last run, {_named(ink, changes['last'])}: {counted(changes['since_last'])}."


def counted(changes: Sequence[Row]) -> str:
    """``finding-opened 2, closed 1``; ``nothing changed``."""
    kinds = Counter(row["kind"] for row in changes)
    return ", ".join(f"{kind} {kinds[kind]}" for kind in KINDS if kinds[kind]) or "nothing changed"


def _no_comparison(history: str, ink: Ink) -> str:
    if history == "first run":
        return "This is the first run that is recorded: there is nothing to compare it with."
    if history == "off":
        return "History was not asked: nothing is compared with earlier runs."
    reason = history.partition(": ")[2]
    return f"History is unavailable, so nothing is compared with earlier runs: {ink.code(reason)}."


def _named(ink: Ink, run: Row | None) -> str:
    return f"{ink.code(run['run_id'])} of {ink.code(run['started'])}" if run else "none"


def _section(ink: Ink, what: str, run: Row | None, changes: Sequence[Row]) -> Iterator[str]:
    yield from ink.heading(3, f"Since {what}")
    yield from ink.paragraph(f"Run {_named(ink, run)}: {counted(changes)}.")
    rows = list(_folded(sorted(changes, key=_gravest_first)))
    yield from ink.table(
        f"Changes since {what}",
        ("what", "host", "port", "where", "rule", "before", "after"),
        (_change(ink, span, row) for span, row in rows[:MOST_ROWS]),
    )
    if len(rows) > MOST_ROWS:
        left_out = len(rows) - MOST_ROWS
        verb = "row of changes is" if left_out == 1 else "rows of changes are"
        yield from ink.paragraph(f"{left_out} more {verb} in {ink.code('results.json')}.")


def _folded(changes: Sequence[Row]) -> Iterator[tuple[str | None, Row]]:
    """Neighbouring ports of which the same changed as one row, with their range."""
    alike = ("kind", "host", "vantage", "address", "rule", "severity", "before", "after", "since")
    for span, row in neighbours(changes, alike):
        yield (None if row["port"] is None else span), row


def _gravest_first(row: Row) -> tuple[Any, ...]:
    rank = -severity_rank(row["severity"]) if row["severity"] else 0
    return (
        _PLACES[row["kind"]],
        rank,
        row["host"],
        row["vantage"] or "",
        row["address"] or "",
        row["rule"] or "",
        row["protocol"] or "",
        *_place(row["port"]),
    )


def _place(port: object) -> tuple[int, str]:
    return (port, "") if isinstance(port, int) else (0, str(port))


def _change(ink: Ink, span: str | None, row: Row) -> tuple[str, ...]:
    code = ink.code
    severity = f" ({row['severity']})" if row["severity"] else ""
    port = f"{row['protocol']}/{span}" if span is not None else ""
    namespace = row["namespace"] if row["namespace"] not in (None, "host") else None
    where = [f"from {code(row['vantage'])}" if row["vantage"] else None, code(row["address"])]
    where.append(f"in {code(namespace)}" if namespace else None)
    since = f" since {code(row['since'])}" if row["since"] else ""
    return (
        row["kind"],
        code(row["host"]),
        code(port),
        " ".join(filter(None, where)),
        f"{code(row['rule'])}{severity}" if row["rule"] else "",
        code(row["before"]) + (since if row["before"] else ""),
        code(row["after"]),
    )


def _left_behind(changes: Row) -> Iterator[str]:
    if changes["imported"]:
        yield f"Earlier runs that were recorded late: {changes['imported']}."
    if changes["unrecorded"]:
        yield f"Runs that are not recorded: {changes['unrecorded']}. They will be, as soon as history can be written."


def _trend(ink: Ink, results: Results) -> Iterator[str]:
    rows = results["changes"]["trend"]
    if not rows:
        return
    run, hosts, counts = results["run"], results["coverage"]["hosts"], results["counts"]
    this = {
        "run_id": run["run_id"],
        "started": run["started"],
        "hosts": hosts["in_scope"],
        "assessed": hosts["assessed"],
        "passed": results["gate"]["passed"],
        "severity": counts["severity"],
        "not_assessed": counts["status"]["not_assessed"],
    }
    yield from ink.heading(3, "Trend")
    yield from ink.table(
        "Findings of the last runs",
        ("run", "started", "hosts", "fully assessed", *_SEVERITIES, "not assessed", "gate"),
        (_trend_row(ink, row) for row in (*rows, this)),
    )


def _trend_row(ink: Ink, row: Row) -> tuple[str, ...]:
    return (
        ink.code(row["run_id"]),
        ink.code(row["started"]),
        str(row["hosts"]),
        str(row["assessed"]),
        *(str(row["severity"].get(name, 0)) for name in _SEVERITIES),
        str(row["not_assessed"]),
        "passed" if row["passed"] else "failed",
    )
