# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries of the inventory as YAML to paste: one line a key, ASCII, whatever the texts hold. Private to the collection.

YAML writers break long texts into lines and show newlines as newlines. A line that somebody else's text
begins must not stand in a report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./@-]*( [A-Za-z0-9_./@-]+)*")
#: What YAML 1.1 reads as something else than text (yaml.org/type/bool.html, null.html).
_OTHER = frozenset(("y", "n", "yes", "no", "true", "false", "on", "off", "null", "none"))
_ESCAPED = re.compile(r'[^ -~]|["\\]')


def variable_lines(variable: str, entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of a variable with these entries."""
    yield f"{_scalar(variable)}:"
    for entry in entries:
        yield from entry_lines(entry)


def entry_lines(entry: Mapping[str, Any]) -> Iterator[str]:
    """One entry of a list, indented by two."""
    for number, (key, value) in enumerate(entry.items()):
        yield f"  {'  ' if number else '- '}{_scalar(key)}: {_value(value)}"


def is_plain_text(text: str) -> bool:
    """True for a text that needs no quotes, whichever version of YAML it is read by."""
    return bool(_PLAIN.fullmatch(text)) and text.lower() not in _OTHER


def _value(value: object) -> str:
    return f"[{', '.join(map(_scalar, value))}]" if isinstance(value, list) else _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if is_plain_text(text):
        return text
    return '"' + _ESCAPED.sub(lambda match: _escape(match.group()), text) + '"'


def _escape(character: str) -> str:
    point = ord(character)
    if character in '"\\':
        return f"\\{character}"
    return f"\\x{point:02x}" if point <= 0xFF else f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
