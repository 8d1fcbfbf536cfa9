# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways out of findings as text: for one finding, and for the report host by host. Private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._audit.finding import by_gravity
from .entry_yaml import variable_lines
from .markdown_text import code

Row = Mapping[str, Any]

#: The report shows the ways out of so many hosts, those with the gravest findings first.
MOST_HOSTS = 50
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


def ways_out_section(failed: Iterable[Row]) -> Iterator[str]:
    """The part of the report about the ways out: for each host what to paste, once."""
    by_host: dict[str, list[Row]] = {}
    for row in sorted(failed, key=by_gravity):
        if row["ways_out"]:
            by_host.setdefault(row["host"], []).append(row)
    if not by_host:
        return
    yield "### Ways out"
    yield ""
    yield "Each port is declared, or excepted until the day that is given, or closed. Nothing here was done. Entries go"
    yield "into the variables of the host, those that correct another in its place; commands are run on the host."
    yield ""
    for host, rows in list(by_host.items())[:MOST_HOSTS]:
        yield f"- {code(host)}"
        yield ""
        yield from _of_host(rows)
    if len(by_host) > MOST_HOSTS:
        left_out = len(by_host) - MOST_HOSTS
        yield f"The ways out of {left_out} more hosts are in `results.json` and `junit.xml`."
        yield ""


def _of_host(rows: Iterable[Row]) -> Iterator[str]:
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
    yield from (f"  - {_closed(row)}" for row in closing.values())
    yield ""


def _closed(row: Row) -> str:
    """How a port would be closed, in one line."""
    port, close = code(f"{row['protocol']}/{row['port']}"), row["ways_out"]["close"]
    texts = [f"{code(one['command'], _LONGEST)} would {code(one['what'])}" for one in close["commands"]]
    return f"{port}: {', or '.join(texts) or 'no command: ' + code(close['note'])}"


def _fenced(lines: Iterable[str]) -> Iterator[str]:
    """A block of code in the item of a list. Every line begins with a key, so none can end it."""
    yield "  ```"
    yield from (f"  {line}" for line in lines)
    yield "  ```"
    yield ""
