# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report is written with: the same sections as Markdown and as HTML. This module is private to the collection.

A section asks an ink for headings, sentences, lists and tables, and joins its own words with what the ink made of text
from outside. Its own words hold no character that means something in Markdown or HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from .markdown_text import DEFAULT_LIMIT, code, names, table
from .pictures import Picture

#: An item of a list: its text, and the items below it.
Item = tuple[str, Iterable[str]]


class Cell(NamedTuple):
    """A cell of a table: its text, and the kind by which a page colours it: ``wrong``, ``untold``, ``good``."""

    text: str
    kind: str


class Ink(Protocol):
    """What it is given is made by it or words of a section, but for ``code``, ``said`` and ``names``."""

    def code(self, value: object, limit: int = DEFAULT_LIMIT) -> str:
        """Text from outside, which is shown and does nothing. Empty for None or an empty text."""

    def said(self, value: object, limit: int = DEFAULT_LIMIT) -> str:
        """The same for a sentence, which a page sets as prose."""

    def names(self, texts: Iterable[str], most: int = 20) -> str:
        """Texts from outside as a list; what is more than ``most`` is counted."""

    def text(self, words: str) -> str:
        """Words of the collection that may hold marks of Markdown or HTML, as those of the catalogue."""

    def strong(self, text: str) -> str:
        """A text that is read first."""

    def heading(self, level: int, text: str) -> Iterator[str]:
        """A heading; level 1 is the title of the report."""

    def paragraph(self, *sentences: str) -> Iterator[str]:
        """Sentences that stand together."""

    def items(self, items: Iterable[Item]) -> Iterator[str]:
        """A list. Nothing where there are no items."""

    def table(self, caption: str, head: Iterable[str], rows: Iterable[Iterable[str | Cell]]) -> Iterator[str]:
        """A table whose first column names its rows. Nothing where there are no rows."""

    def picture(self, picture: Picture) -> Iterator[str]:
        """A picture with its figures in words, or the words alone."""


class MarkdownInk:
    """GitHub's Markdown, line by line, without line ends."""

    def code(self, value: object, limit: int = DEFAULT_LIMIT) -> str:
        return code(value, limit)

    def said(self, value: object, limit: int = DEFAULT_LIMIT) -> str:
        return code(value, limit)

    def names(self, texts: Iterable[str], most: int = 20) -> str:
        return names(texts, most)

    def text(self, words: str) -> str:
        return words

    def strong(self, text: str) -> str:
        return f"**{text}**"

    def heading(self, level: int, text: str) -> Iterator[str]:
        yield f"{'#' * level} {text}"
        yield ""

    def paragraph(self, *sentences: str) -> Iterator[str]:
        yield " ".join(sentences)
        yield ""

    def items(self, items: Iterable[Item]) -> Iterator[str]:
        empty = True
        for text, below in items:
            empty = False
            yield f"- {text}"
            yield from (f"  - {one}" for one in below)
        if not empty:
            yield ""

    def table(self, caption: str, head: Iterable[str], rows: Iterable[Iterable[str | Cell]]) -> Iterator[str]:
        yield from table(head, (map(_text, cells) for cells in rows))

    def picture(self, picture: Picture) -> Iterator[str]:
        words = ", ".join(f"{code(label)} {count}" for label, count, _colour in picture.bars)
        yield from self.paragraph(f"{picture.title}: {words or 'nothing to count'}.")


def _text(cell: str | Cell) -> str:
    return cell.text if isinstance(cell, Cell) else cell
