# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text from outside as Markdown that shows it and does nothing else. Private to the collection.

Escaping alone does not do: GitHub's autolink extension turns ``me@evil.example`` into a link even when
every punctuation mark is escaped. Inside a code span nothing is parsed but its end.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import escape, visible

_ENDS = str.maketrans({character: escape(character) for character in "`|"})
DEFAULT_LIMIT = 600


def code(value: object, limit: int = DEFAULT_LIMIT) -> str:
    r"""A code span that shows ``value``; nothing for None or an empty text.

    A backtick would end the span, and a pipe a table's cell even inside a span (GFM, section 4.10): both
    become ``\xHH``. So does what is not visible of itself. A backslash means nothing there.
    """
    return "" if value is None or value == "" else _span(str(value), limit)


@functools.lru_cache(maxsize=16384)
def _span(text: str, limit: int) -> str:
    shown = visible(text, limit).translate(_ENDS)
    # A span of spaces only would not be one; CommonMark strips one space from both ends, so both are given.
    return f"`` {shown} ``" if shown.startswith(" ") or shown.endswith(" ") else f"`{shown}`"


def names(texts: Iterable[str], most: int = 20) -> str:
    """Names as a list of code spans; what is more than ``most`` is counted."""
    shown = list(texts)
    rest = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(code(text) for text in shown[:most]) + rest


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Lines of a table; cells are Markdown already. No lines when there are no rows."""
    body = ["| " + " | ".join(cells) + " |" for cells in rows]
    if not body:
        return []
    names = list(head)
    return ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names), *body, ""]
