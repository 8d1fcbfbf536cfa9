# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures of a report as inline SVG: the same bytes for ever, and nothing in them that a browser runs.

Presentation attributes only, as a server may forbid styles. Text takes the colour of the page, so that it is read on a
light and on a dark one. This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

Row = Mapping[str, Any]

#: Middle tones: 3:1 against white and against the dark page (WCAG 2.2, 1.4.11).
SEVERITY_COLOURS = {
    "critical": "#b3261e",
    "high": "#d0522c",
    "medium": "#b7791f",
    "low": "#3f78b5",
    "info": "#6f7c8a",
}
GOOD, WRONG, UNTOLD = "#3b8a62", "#c8452f", "#7b8794"
_WIDTH, _LABEL, _LINE = 640, 190, 30
_LONGEST_LABEL = 26


class Picture(NamedTuple):
    """Bars: label (text from outside too), count, colour. ``name`` is its id in a page."""

    name: str
    title: str
    about: str
    bars: Sequence[tuple[str, int, str]]


def by_severity(counts: Mapping[str, int]) -> Picture:
    """Failed findings by severity."""
    rows = [(name, counts.get(name, 0), colour) for name, colour in SEVERITY_COLOURS.items()]
    return Picture("picture-severity", "Failed findings by severity", "One bar for each severity, gravest first.", rows)


def by_exposure(open_ports: Mapping[str, tuple[int, int]]) -> Picture:
    """Open ports by vantage point: those that no finding calls wrong, and those that one does."""
    rows = []
    for vantage, (good, wrong) in open_ports.items():
        rows.append((f"{vantage}: no finding", good, GOOD))
        rows.append((f"{vantage}: wrong", wrong, WRONG))
    about = "For each vantage point: open ports of which no finding speaks, and open ports that a finding calls wrong."
    return Picture("picture-exposure", "Open ports by vantage point", about, rows)


_AGES = ((0, "new in this run"), (7, "up to 7 days"), (30, "up to 30 days"), (90, "up to 90 days"))


def by_age(failed: Iterable[Row], started: str) -> Picture:
    """Failed findings by how long they have been open when the run started."""
    counts = dict.fromkeys([*(name for _days, name in _AGES), "longer", "not known"], 0)
    for row in failed:
        counts[_age(row["open_since"], started)] += 1
    rows = [(name, count, UNTOLD if name == "not known" else "#3f78b5") for name, count in counts.items()]
    return Picture("picture-age", "Failed findings by age", "How long each has been open when this run started.", rows)


def _age(since: str | None, now: str) -> str:
    try:
        open_for = dt.datetime.fromisoformat(now) - dt.datetime.fromisoformat(since or "")
    except (ValueError, TypeError):  # no time, or not one of a zone
        return "not known"
    return next((name for days, name in _AGES if open_for <= dt.timedelta(days=days)), "longer")


def bars_svg(picture: Picture) -> str:
    """Bars from the left, each with its label and its count."""
    height = _LINE * len(picture.bars) + 6
    svg = _svg(picture.name, picture.title, picture.about, _WIDTH, height)
    most = max((count for _label, count, _colour in picture.bars), default=0)
    for place, (label, count, colour) in enumerate(picture.bars):
        top = place * _LINE
        _write(svg, _LABEL - 10, top + 20, label, anchor="end")
        long = (_WIDTH - _LABEL - 80) * count // most if most else 0
        box = {"x": _LABEL, "y": top + 5, "width": max(long, 2 if count else 1), "height": _LINE - 10, "rx": 2}
        ET.SubElement(svg, "rect", {**_texts(box), "fill": colour if count else UNTOLD})
        _write(svg, _LABEL + max(long, 2) + 8, top + 20, str(count), weight="600")
    return ET.tostring(svg, encoding="unicode")


def heat_map_svg(vantages: Sequence[str], rows: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> str:
    """The segmentation matrix: ``rows`` are a label and, for each vantage point, words and ``good|wrong|untold``."""
    wide = max(150, min(220, 900 // max(1, len(vantages))))
    width, height = _LABEL + wide * len(vantages), _LINE * (len(rows) + 1) + 6
    about = "Declared ports down, vantage points across. The words in the cells are those of the table below."
    svg = _svg("picture-segmentation", "Segmentation", about, width, height)
    for column, vantage in enumerate(vantages):
        _write(svg, _LABEL + column * wide + 8, 20, vantage, weight="600")
    for place, (label, cells) in enumerate(rows, start=1):
        top = place * _LINE
        _write(svg, _LABEL - 10, top + 20, label, anchor="end")
        for column, (words, kind) in enumerate(cells):
            box = {"x": _LABEL + column * wide + 1, "y": top + 1, "width": wide - 2, "height": _LINE - 2, "rx": 3}
            colour = {"good": GOOD, "wrong": WRONG}.get(kind, UNTOLD)
            tint = {"fill": colour, "fill-opacity": "0.30" if kind == "wrong" else "0.16", "stroke": colour}
            ET.SubElement(svg, "rect", {**_texts(box), **tint})
            weight = "600" if kind == "wrong" else "400"
            _write(svg, _LABEL + column * wide + 9, top + 20, words, weight=weight, most=wide // 8)
    return ET.tostring(svg, encoding="unicode")


def _svg(name: str, title: str, about: str, width: int, height: int) -> ET.Element:
    size = {"viewBox": f"0 0 {width} {height}", "width": str(width), "height": str(height)}
    labels = {"role": "img", "aria-labelledby": f"{name}-title {name}-desc"}
    look = {"font-family": "system-ui, sans-serif", "font-size": "13", "fill": "currentColor"}
    svg = ET.Element("svg", {**size, **labels, **look})
    ET.SubElement(svg, "title", {"id": f"{name}-title"}).text = title
    ET.SubElement(svg, "desc", {"id": f"{name}-desc"}).text = about
    return svg


def _write(
    svg: ET.Element, x: int, y: int, text: str, anchor: str = "start", weight: str = "400", most: int = _LONGEST_LABEL
) -> None:
    shown = visible(text, 200)
    shown = shown if len(shown) <= most else f"{shown[: most - 3]}..."
    place = {"x": str(x), "y": str(y), "text-anchor": anchor, "font-weight": weight}
    ET.SubElement(svg, "text", place).text = shown


def _texts(values: Mapping[str, int]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}
