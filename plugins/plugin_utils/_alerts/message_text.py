# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""News as text for people: plain, bounded, and with nothing in it that a service takes for markup or a command.

This module is private to the collection.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, escape, visible

from .._audit.rule import severity_rank
from .._reports.verdict import gravity
from .news import KINDS, Item

Row = Mapping[str, Any]

#: Most findings of one kind in a message, and its longest body, in characters. What is left out is counted.
MOST_ITEMS, LONGEST = 20, 8000

#: What services for chats and mails read out of plain text: mentions, links, emphasis, code, headings, quotes.
_MARKUP = re.compile(r"[<>&@`*~|#]|(?<=:)/(?=/)|(?<=\])\(|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")


class Message(NamedTuple):
    """A message for one owner. ``type`` is one of Apprise's: failure, warning, info, success."""

    owner: str | None
    title: str
    body: str
    type: str


def chat_text(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """One line of text in which no service finds markup, a mention or a link."""
    return _MARKUP.sub(lambda match: escape(match.group()), visible(text, limit))


def messages(items: Sequence[Item], run: Row, report_url: str, remark: str = "") -> list[Message]:
    """One message for each owner that has news; owners in alphabetical order, what has none first.

    ``remark`` is a sentence for all of them. ``report_url`` is where the runs can be read, or empty.
    """
    owners = sorted({item.owner for item in items}, key=lambda owner: owner or "")
    return [
        _message(owner, [item for item in items if item.owner == owner], run, report_url, remark) for owner in owners
    ]


def _message(owner: str | None, items: Sequence[Item], run: Row, report_url: str, remark: str) -> Message:
    counts = Counter(item.kind for item in items)
    alive = sorted((item for item in items if item.kind != "resolved"), key=_gravest_first)
    name = chat_text(owner, 60) if owner else "what nobody answers for"
    told = ", ".join(f"{counts[kind]} {title.lower()}" for kind, title in KINDS.items() if counts[kind])
    worst = f"; gravest: {gravity(alive[0].row)}" if alive else ""
    label = f" ({chat_text(run['label'], 60)})" if run["label"] else ""
    lines = [f"For {name}. Run {run['run_id']}{label}, started {run['started']}.", *filter(None, (remark,))]
    for kind, title in KINDS.items():
        some = sorted((item for item in items if item.kind == kind), key=_gravest_first)
        if some:
            lines += ["", f"{title} ({len(some)}):"]
            for item in some[:MOST_ITEMS]:
                lines += _item_lines(item)
            if len(some) > MOST_ITEMS:
                lines.append(f"- and {len(some) - MOST_ITEMS} more, in the report")
    where = f"{report_url.rstrip('/')}/{run['run_id']}/report.md" if report_url else f"report.md of run {run['run_id']}"
    tail = ["", f"Ways out, and everything else: {where}"]
    return Message(owner, f"vigil.ports: {told} for {name}{worst}", fitted([*lines, *tail], LONGEST), _type(alive))


def _item_lines(item: Item) -> list[str]:
    row = item.row
    port = f" {row['protocol']}/{row['port']}" if row["port"] is not None else ""
    host = chat_text(row["host"], 100) if row["host"] else "the run"
    vantage = f" from {chat_text(row['vantage'], 60)}" if row["vantage"] else ""
    note = f"; {chat_text(item.note, 200)}" if item.note else ""
    return [
        f"- {gravity(row)}: {host}{port}{vantage}, {row['rule']}: {chat_text(row['message'], 300)}",
        f"  since {row['since']}{note}; finding {item.id}",
    ]


def fitted(lines: Sequence[str], limit: int) -> str:
    """The lines as far as they fit, then how many do not; always as long as ``limit`` at most."""
    text = "\n".join(lines)
    kept = len(lines)
    while len(text) > limit and kept:
        kept -= 1
        text = "\n".join([*lines[:kept], f"({len(lines) - kept} more lines, in the report)"])
    return text[:limit]


def _gravest_first(item: Item) -> tuple[Any, ...]:
    return (-severity_rank(item.row["severity"]), item.row["host"] or "", item.row["rule"], item.id)


def _type(alive: Sequence[Item]) -> str:
    if not alive:
        return "success"
    return "failure" if severity_rank(alive[0].row["severity"]) >= severity_rank("high") else "warning"
