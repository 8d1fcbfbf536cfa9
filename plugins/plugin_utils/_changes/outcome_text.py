# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of a change, for the console and as ``report.md``. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from .._reports.markdown_text import code, table
from .._reports.terminal_text import terminal_text
from .close_window import Outcomes
from .plan import Planned
from .side import FAILING, KINDS, Outcome
from .window import counted, who

#: Kinds in words, in the order of reports.
WORDS = {
    "not-planned": "done but not planned",
    "not-done": "planned but not done",
    "not-known": "not known",
    "as-planned": "done as planned",
    "note": "note",
}
_MOST_LINES = 40


def verdict(found: Outcomes) -> str:
    """One sentence: as planned or not, and how much of each."""
    counts = ", ".join(f"{found.counts[kind]} {WORDS[kind]}" for kind in KINDS if kind != "note" and found.counts[kind])
    result = "PASSED" if found.passed else "FAILED"
    return f"{result}: {counts or 'no port changed, as planned'}, on {counted(found.hosts)}."


def console_lines(found: Outcomes, place: str) -> Iterator[str]:
    """The gravest first, over all hosts: what an operator has to act on stands on top. ASCII."""
    yield terminal_text(f"Change {found.change} {verdict(found)}")
    rows = [(host, one) for host, some in found.hosts.items() for one in some if one.kind != "note"]
    rows.sort(key=lambda row: KINDS.index(row[1].kind))
    for host, one in rows[:_MOST_LINES]:
        yield f"  {WORDS[one.kind]:<20} {terminal_text(host)}: {terminal_text(one.text)}"
    if len(rows) > _MOST_LINES:
        yield f"  and {len(rows) - _MOST_LINES} more, in the report"
    yield f"  {terminal_text(place)}"


def report_lines(found: Outcomes) -> Iterator[str]:
    """The report line by line, without line ends."""
    window = found.window
    yield f"# Change {code(found.change)}"
    yield ""
    yield f"**{verdict(found)}**"
    yield ""
    yield f"- Opened {code(window['opened'])} by {code(who(window['by']))}; closed {code(found.closed)} by" + (
        f" {code(who(found.by))}, who took it over." if found.is_taken_over else f" {code(who(found.by))}."
    )
    yield f"- State before: run {code(window['before']['run_id'])}; after: run {code(found.after)}."
    yield f"- The plan: {_source(found)}."
    yield ""
    yield from table(
        ("host", *(WORDS[kind] for kind in KINDS)),
        (
            (code(host), *(str(sum(one.kind == kind for one in rows)) for kind in KINDS))
            for host, rows in found.hosts.items()
        ),
    )
    for host, rows in found.hosts.items():
        yield from _host(found, host, rows)


def _source(found: Outcomes) -> str:
    window = found.window
    if window["source"] == "nothing":
        return "the change was to change no port"
    if window["source"] == "revision":
        return f"what is declared otherwise than at revision {code(window['revision'])}"
    return "declarations and exceptions that carry the id of the change"


def _host(found: Outcomes, host: str, rows: list[Outcome]) -> Iterator[str]:
    failing = any(one.kind in FAILING for one in rows)
    yield f"## {code(host)}: {'not as planned' if failing else 'as planned'}"
    yield ""
    yield from table(("outcome", "what"), ((_emphasised(one.kind), code(one.text)) for one in rows))
    if not rows:
        yield "No port was to change, and none did."
        yield ""
    items = [Planned.read(row) for row in found.window["plan"][host] or ()]
    yield from table(("planned", "port", "reachable from", "written at"), ((_planned(item)) for item in items))


def _emphasised(kind: str) -> str:
    return f"**{WORDS[kind]}**" if kind in FAILING else WORDS[kind]


def _planned(item: Planned) -> tuple[str, ...]:
    reach = "any" if item.reachable_from is None else ", ".join(map(code, sorted(item.reachable_from))) or "nowhere"
    return (item.action if item.required else f"may {item.action}", code(item.name), reach, code(item.place))
