# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as HTML that needs nothing but itself: no script, nothing loaded, readable without its style sheet.

Private to the collection.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from html import escape, unescape

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .ink import Cell, Item
from .markdown_text import DEFAULT_LIMIT
from .page_style import STYLE
from .pictures import Picture, bars_svg

_SPAN = re.compile("`([^`]*)`")

#: Words that are read as a state wherever they are a whole cell.
_STATES = {"critical": "wrong", "high": "wrong", "not assessed": "untold", "not known": "untold", "not asked": "untold"}
_ROW_HEAD = 'th scope="row"'


class HtmlInk:
    """HTML, line by line, without line ends."""

    def code(self, value: object, limit: int = DEFAULT_LIMIT) -> str:
        return "" if value is None or value == "" else _shown(str(value), limit)

    def said(self, value: object, limit: int = DEFAULT_LIMIT) -> str:
        return "" if value is None or value == "" else f"<q>{escape(visible(str(value), limit))}</q>"

    def names(self, texts: Iterable[str], most: int = 20) -> str:
        shown = list(texts)
        rest = f" and {len(shown) - most} more" if len(shown) > most else ""
        return ", ".join(self.code(text) for text in shown[:most]) + rest

    def text(self, words: str) -> str:
        """Spans between backticks become code."""
        return _SPAN.sub(r"<code>\1</code>", escape(words))

    def strong(self, text: str) -> str:
        return f"<strong>{text}</strong>"

    def heading(self, level: int, text: str) -> Iterator[str]:
        yield f"<h{level}>{text}</h{level}>"

    def paragraph(self, *sentences: str) -> Iterator[str]:
        yield f"<p>{' '.join(sentences)}</p>"

    def items(self, items: Iterable[Item]) -> Iterator[str]:
        empty = True
        for text, below in items:
            if empty:
                yield "<ul>"
            empty = False
            inner = "".join(f"<li>{one}</li>" for one in below)
            yield f"<li>{text}{f'<ul>{inner}</ul>' if inner else ''}</li>"
        if not empty:
            yield "</ul>"

    def table(self, caption: str, head: Iterable[str], rows: Iterable[Iterable[str | Cell]]) -> Iterator[str]:
        empty = True
        for cells in rows:
            if empty:
                yield f'<div class="wide" role="region" aria-label="{escape(_plain(caption))}" tabindex="0"><table>'
                columns = "".join(f'<th scope="col">{name}</th>' for name in head)
                yield f"<caption>{caption}</caption><thead><tr>{columns}</tr></thead><tbody>"
            empty = False
            first, *others = cells
            yield f"<tr>{_cell(_ROW_HEAD, first)}{''.join(_cell('td', one) for one in others)}</tr>"
        if not empty:
            yield "</tbody></table></div>"

    def picture(self, picture: Picture) -> Iterator[str]:
        words = ", ".join(f"{self.code(label)} {count}" for label, count, _colour in picture.bars)
        yield f"<figure>{bars_svg(picture) if picture.bars else ''}"
        yield f"<figcaption>{picture.title}: {words or 'nothing to count'}.</figcaption></figure>"


def fold(summary: str, lines: Iterable[str], *, is_open: bool = False, name: str | None = None) -> Iterator[str]:
    """Lines that stand behind their summary until somebody opens it; printed they are open in some browsers only."""
    start = f'<details id="{name}"' if name else "<details"
    yield f"{start}{' open' if is_open else ''}><summary>{summary}</summary>"
    yield from lines
    yield "</details>"


def page(title: str, lines: Iterable[str], *, back: str | None = None) -> Iterator[str]:
    """A whole page. ``title`` is text of ours or made visible by the caller; ``back`` the file of the main page."""
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{escape(visible(title, 300))}</title>"
    yield f"<style>{STYLE}</style></head>"
    yield "<body>"
    if back is not None:
        yield f'<nav aria-label="Report"><p><a href="{back}">Back to the report</a></p></nav>'
    yield "<main>"
    yield from lines
    yield "</main>"
    yield "</body></html>"


def _cell(tag: str, cell: str | Cell) -> str:
    text, kind = (cell.text, cell.kind) if isinstance(cell, Cell) else (cell, _STATES.get(cell, ""))
    start = f'<{tag} class="{kind}">' if kind else f"<{tag}>"
    return f"{start}{text}</{tag.partition(' ')[0]}>"


def _plain(caption: str) -> str:
    """A caption without its elements, for an attribute. It is decoded, as the attribute is encoded once more."""
    return unescape(caption.replace("<code>", "").replace("</code>", ""))


@functools.lru_cache(maxsize=16384)
def _shown(text: str, limit: int) -> str:
    return f"<code>{escape(visible(text, limit))}</code>"
