# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lives of endpoints and findings for a terminal. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .terminal_text import terminal_text

Row = Mapping[str, Any]

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def timeline_lines(lives: Iterable[Row]) -> Iterator[str]:
    """Each life with its events below it, host by host. Plain ASCII, no control characters."""
    host, is_empty = None, True
    for life in lives:
        is_empty = False
        if life["host"] != host:
            host = life["host"]
            yield terminal_text(host)
        yield f"  {_subject(life)}"
        times = f"first seen {life['first_seen'] or 'not known'}, last seen {life['last_seen'] or 'not known'}"
        yield f"    {times}; now {terminal_text(life['now'])}{_since(life)}"
        for event in life["events"]:
            yield f"    {event['at']}  {event['kind']:<16} {_turn(event)}"
    if is_empty:
        yield "Nothing that was asked for is known to history."


def lasted(seconds: int) -> str:
    """``3 d 4 h``: the two largest units."""
    parts = []
    for name, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _since(life: Row) -> str:
    return f" since {life['since']}" if life["since"] else ""


def _subject(life: Row) -> str:
    port = f"{life['protocol']}/{life['port']}" if life["port"] is not None else None
    words = [
        terminal_text(life["rule"]) if life["rule"] else None,
        terminal_text(port) if port else None,
        f"at {terminal_text(life['address'])}" if life["address"] else None,
        f"in {terminal_text(life['namespace'])}" if life["namespace"] not in (None, "host") else None,
        f"from {terminal_text(life['vantage'])}" if life["vantage"] else None,
        f"({terminal_text(life['finding'])})" if life["finding"] else None,
    ]
    return " ".join(filter(None, words))


def _turn(event: Row) -> str:
    texts = [terminal_text(text) for text in (event["before"], event["after"]) if text]
    seconds = event["seconds"]
    ending = "" if seconds is None else f"  (for {lasted(seconds)})"
    return " -> ".join(texts) + ending
