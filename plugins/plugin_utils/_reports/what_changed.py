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
from .markdown_text import code, table

Row = Mapping[str, Any]

#: Most rows of one table; what is more is counted, and stands in results.json.
MOST_ROWS = 200

_PLACES = {kind: place for place, kind in enumerate(KINDS)}
_SEVERITIES = ("critical", "high", "medium", "low", "info")


def what_changed(results: Results) -> Iterator[str]:
    """The section of ``report.md``, without line ends."""
    changes = results["changes"]
    yield "## What changed"
    yield ""
    if changes["history"] != "ok":
        yield _no_comparison(changes["history"])
        yield ""
    else:
        yield from _section("the last run", changes["last"], changes["since_last"])
        if changes["green"] is None:
            yield "### Since the last green run"
            yield ""
            yield "No run that is kept passed its gate."
            yield ""
        elif changes["green"] == changes["last"]:
            yield "The last run passed its gate: it is the last green one."
            yield ""
        else:
            yield from _section("the last green run", changes["green"], changes["since_green"])
    yield from (f"- {line}" for line in _left_behind(changes))
    yield ""
    yield from _trend(results)


def changes_line(results: Results) -> str:
    """What changed in one line, as Markdown."""
    changes = results["changes"]
    if changes["history"] != "ok":
        return _no_comparison(changes["history"])
    return f"Since the last run, {_named(changes['last'])}: {counted(changes['since_last'])}."


def counted(changes: Sequence[Row]) -> str:
    """``finding-opened 2, closed 1``; ``nothing changed``."""
    kinds = Counter(row["kind"] for row in changes)
    return ", ".join(f"{kind} {kinds[kind]}" for kind in KINDS if kinds[kind]) or "nothing changed"


def _no_comparison(history: str) -> str:
    if history == "first run":
        return "This is the first run that is recorded: there is nothing to compare it with."
    if history == "off":
        return "History was not asked: nothing is compared with earlier runs."
    reason = history.partition(": ")[2]
    return f"History is unavailable, so nothing is compared with earlier runs: {code(reason)}."


def _named(run: Row | None) -> str:
    return f"{code(run['run_id'])} of {code(run['started'])}" if run else "none"


def _section(what: str, run: Row | None, changes: Sequence[Row]) -> Iterator[str]:
    yield f"### Since {what}"
    yield ""
    yield f"Run {_named(run)}: {counted(changes)}."
    yield ""
    rows = sorted(changes, key=_gravest_first)
    yield from table(("what", "host", "port", "where", "rule", "before", "after"), map(_change, rows[:MOST_ROWS]))
    if len(rows) > MOST_ROWS:
        yield f"{len(rows) - MOST_ROWS} more changes are in `results.json`."
        yield ""


def _gravest_first(row: Row) -> tuple[Any, ...]:
    rank = -severity_rank(row["severity"]) if row["severity"] else 0
    return (_PLACES[row["kind"]], rank, row["host"], row["protocol"] or "", str(row["port"]), row["vantage"] or "")


def _change(row: Row) -> tuple[str, ...]:
    severity = f" ({row['severity']})" if row["severity"] else ""
    port = f"{row['protocol']}/{row['port']}" if row["port"] is not None else ""
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


def _trend(results: Results) -> Iterator[str]:
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
    yield "### Trend"
    yield ""
    yield from table(
        ("run", "started", "hosts", "fully assessed", *_SEVERITIES, "not assessed", "gate"),
        (_trend_row(row) for row in (*rows, this)),
    )


def _trend_row(row: Row) -> tuple[str, ...]:
    return (
        code(row["run_id"]),
        code(row["started"]),
        str(row["hosts"]),
        str(row["assessed"]),
        *(str(row["severity"].get(name, 0)) for name in _SEVERITIES),
        str(row["not_assessed"]),
        "passed" if row["passed"] else "failed",
    )
