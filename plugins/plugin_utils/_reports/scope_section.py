# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scope and coverage of a report: what was looked at, by whom, and what was not. Private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._audit.finding import by_gravity
from .._evidence.results_file import Results
from .ink import Cell, Ink, Item
from .open_changes import open_change
from .parts_text import parts_section

Row = Mapping[str, Any]

_DEPTHS = {
    "none": "none. This run looked from inside only, and says nothing of who reaches what",
    "known": "only ports that are declared or were seen listening; nothing is said of any other port",
    "common": "ports that are declared or were seen listening, and the most frequent; nothing is said of any other",
    "full": "all 65,535 TCP ports, and UDP ports that are declared or were seen listening",
}


def scope(ink: Ink, results: Results, most: int | None = None) -> Iterator[str]:
    """The section, up to how the hosts were listed, with so many of the gaps (None: all)."""
    yield from ink.heading(2, "Scope and coverage")
    yield from ink.items((line, ()) for line in _scope_lines(ink, results))
    coverage = results["coverage"]
    if coverage.get("legs"):  # absent before 0.3
        hosts = coverage["hosts"]["in_scope"]
        told = ((ink.said(leg["title"]), f"{leg['hosts']} of {hosts}") for leg in coverage["legs"])
        yield from ink.table("Sources of evidence", ("source of evidence", "hosts that it tells of"), told)
    yield from ink.table(
        "Scans",
        ("vantage point", "scanner", "engine", "targets seen in full", "ports asked", "probes a second", "state"),
        _scanners(ink, results["coverage"]),
    )
    yield from parts_section(ink, results["run"].get("merged"))
    yield from ink.heading(3, "Not assessed")
    rows = gaps(results)
    if not rows:
        yield from ink.paragraph("Everything in scope was looked at.")
    yield from gap_items(ink, rows[:most])


def gaps(results: Results) -> list[Row]:
    """What was not assessed, gravest first."""
    return sorted((row for row in results.notable if row["status"] == "not_assessed"), key=by_gravity)


def gap_items(ink: Ink, rows: Iterable[Row]) -> Iterator[str]:
    """A list of what was not assessed."""
    yield from ink.items(_gap(ink, row) for row in rows)


def _scope_lines(ink: Ink, results: Results) -> Iterator[str]:
    coverage, run = results["coverage"], results["run"]
    hosts, due = coverage["hosts"], run["due"]
    if due:
        last = ink.code(due["last_run_id"])
        since = f"; {due['missed']} missing since {last}" if due["missed"] else "; none is missing"
        yield f"Runs of this label are due every {due['every']} seconds{since}."
    yield from (f"{open_change(row, ink.code)}." for row in run.get("open_changes", ()))
    yield f"Hosts in scope: {hosts['in_scope']}; fully assessed: {hosts['assessed']}."
    limit = f" (limit {ink.code(run['limit'])})" if run["limit"] else ""
    if coverage["left_out"]:
        left_out = coverage["left_out"]
        yield f"Hosts of the inventory left out of this run{limit}: {len(left_out)}: {ink.names(left_out)}."
    if "absent_scanners" in run:
        yield f"Scanners of the vantage points that the inventory does not have: {ink.names(run['absent_scanners'])}."
    yield f"Ports asked from outside: {_DEPTHS[run['settings']['scan_depth']]}."
    accepted = coverage["accepted_gaps"]
    yield f"Gaps accepted by name: {ink.names(accepted)}." if accepted else "Gaps accepted by name: none."
    fail_on = ink.code(run["settings"]["fail_on"])
    yield f"The gate fails on: {fail_on}, and on everything not assessed that was not accepted."


def _gap(ink: Ink, row: Row) -> Item:
    accepted = " (accepted)" if row["accepted"] else ""
    text = f"{ink.code(row['host'] or 'the run')}: {ink.said(row['message'])}; gap {ink.code(row['gap'])}{accepted}"
    return text, [ink.said(detail) for detail in row["details"]]


def _scanners(ink: Ink, coverage: Row) -> Iterator[tuple[str | Cell, ...]]:
    code, names = ink.code, ink.names
    for vantage in coverage["vantages"]:
        if not vantage["scanners"]:
            yield (code(vantage["name"]), "", "", "", "", "", Cell("no scanner reported", "untold"))
        for scanner in vantage["scanners"]:
            about = scanner["coverage"] or {}
            asked = about.get("asked", {})
            ports = ", ".join(f"{code(protocol)} {code(text, 60)}" for protocol, text in sorted(asked.items()) if text)
            engine = " ".join(
                filter(
                    None, (code(about.get("engine")), code(about.get("engine_version")), code(about.get("technique")))
                )
            )
            yield (
                code(vantage["name"]),
                code(scanner["scanner"])
                + (f" instead of {names(scanner['instead_of'])}" if scanner["instead_of"] else ""),
                engine,
                f"{scanner['complete']} of {scanner['targets']}",
                ports,
                code(about.get("rate")),
                f"{scanner['status']}{': ' + code(scanner['message']) if scanner['message'] else ''}",
            )
