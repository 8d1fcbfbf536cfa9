# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways out of findings as text: for one finding, and a file for all. Private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._evidence.results_file import Results
from .entry_yaml import variable_lines
from .ink import MarkdownInk
from .markdown_text import code
from .subjects import subjects
from .verdict import gravity

Row = Mapping[str, Any]

#: The file shows the ways out of so many subjects, the gravest first.
MOST_WAYS = 2000
_LONGEST = 2000


def ways_out_lines(ways: Row) -> Iterator[str]:
    """The ways out of one finding, as plain lines. Their texts are not encoded for any sink."""
    for title, way in (("to declare it", ways["declare"]), ("to except it", ways["except"])):
        yield f"{title}: {way['note']}"
        if way["entry"] is not None:
            yield from (f"  {line}" for line in variable_lines(way["variable"], [way["entry"]]))
    for one in ways["close"]["commands"]:
        yield f"to close it, {one['what']}: {one['command']}"
    if ways["close"]["note"]:
        yield f"to close it: no command: {ways['close']['note']}"


def ways_out_file(results: Results) -> Iterator[str]:
    """``ways-out.md``: for each subject of the report, under its number, what to paste and what to run."""
    ink = MarkdownInk()
    found = [one for one in subjects(row for row in results.notable if row["status"] == "fail") if one.way is not None]
    yield from ink.heading(1, "Ways out")
    if not found:
        yield from ink.paragraph("No finding has one.")
        return
    yield from ink.paragraph(
        "The numbers are those of the findings in the report. Each port is declared, or excepted until the day that is"
        " given, or closed. Nothing here was done. Entries go into the variables of the host, those that correct"
        " another in its place; commands are run on the host."
    )
    for one in found[:MOST_WAYS]:
        endpoint = f" {code(one.endpoint)}" if one.endpoint else ""
        yield from ink.heading(2, f"{one.way}. {code(one.host) or 'The run'}{endpoint}")
        yield from ink.paragraph(f"{gravity(one.rows[0]).capitalize()}: {code(one.message)}")
        yield from _of_subject([row for row in one.rows if row["ways_out"]])
    if len(found) > MOST_WAYS:
        left_out = len(found) - MOST_WAYS
        verb = "subject are" if left_out == 1 else "subjects are"
        yield from ink.paragraph(f"The ways out of {left_out} more {verb} in {code('results.json')}.")


def _of_subject(rows: Iterable[Row]) -> Iterator[str]:
    entries: dict[str, dict[str, dict[str, Row]]] = {"declare": {}, "except": {}}
    closing: dict[str, Row] = {}
    for row in rows:
        for kind, variables in entries.items():
            way = row["ways_out"][kind]
            if way["entry"] is not None:
                variables.setdefault(way["variable"], {}).setdefault(repr(way["entry"]), way["entry"])
        close = row["ways_out"]["close"]
        closing.setdefault(repr((row["protocol"], row["port"], close)), row)
    for variables in entries.values():
        if variables:
            yield from _fenced(
                line for name, some in variables.items() for line in variable_lines(name, list(some.values()))
            )
    yield from (f"- {_closed(row)}" for row in closing.values())
    yield ""


def _closed(row: Row) -> str:
    """How a port would be closed, in one line."""
    port, close = code(f"{row['protocol']}/{row['port']}"), row["ways_out"]["close"]
    texts = [f"{code(one['command'], _LONGEST)} would {code(one['what'])}" for one in close["commands"]]
    return f"{port}: {', or '.join(texts) or 'no command: ' + code(close['note'])}"


def _fenced(lines: Iterable[str]) -> Iterator[str]:
    """A block of code. Every line begins with a key, so none can end it."""
    yield "```"
    yield from lines
    yield "```"
    yield ""
