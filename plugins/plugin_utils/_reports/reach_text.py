# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a vantage point saw of a port, as the cell of a table. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .ink import Cell as TableCell
from .ink import Ink

Cell = Mapping[str, Any]

#: States in words. Nothing of them has to be escaped.
_WORDS = {
    "open": "open",
    "closed": "closed",
    "filtered": "filtered",
    "open|filtered": "open or filtered",
    "not asked": "not asked",
    "not known": "not known",
}


def cells_of(seen: str | Sequence[Cell] | None) -> Sequence[Cell]:
    """The cells of a vantage point. Runs of 0.2 hold one text for all addresses, of which no finding spoke."""
    if isinstance(seen, str):
        return [{"address": None, "states": seen.split(", "), "wrong": False}]
    return seen or ()


def words(ink: Ink, states: Sequence[str]) -> str:
    """States as words; what is none of them is shown as it is."""
    return ", ".join(_WORDS.get(state) or ink.code(state) for state in states)


def reach_cell(ink: Ink, seen: str | Sequence[Cell] | None) -> TableCell:
    """One text where all addresses look alike, else each address with its own. Strong is what a finding calls wrong."""
    found = cells_of(seen)
    alike = len({(tuple(cell["states"]), cell["wrong"]) for cell in found}) == 1
    text = ", ".join(_each(ink, found[:1] if alike else found, with_address=not alike))
    return TableCell(text, "wrong" if any(cell["wrong"] for cell in found) else "")


def _each(ink: Ink, found: Sequence[Cell], *, with_address: bool) -> Iterator[str]:
    for cell in found:
        text = words(ink, cell["states"])
        if cell["wrong"]:
            text = ink.strong(text)
        yield f"{text} at {ink.code(cell['address'])}" if with_address else text
