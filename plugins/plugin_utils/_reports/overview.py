# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all hosts have in common, gathered in one go through them: how they were listed, and who reaches what.

This module is private to the collection.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from .._inventory.port_range import place_in_order
from .html_ink import HtmlInk
from .ink import Cell, Ink
from .pictures import Picture, by_exposure, heat_map_svg
from .reach_text import cells_of, words

Row = Mapping[str, Any]

#: The picture of the matrix shows so many rows; its table has all of them.
MOST_IN_PICTURE = 40
_ELEMENTS = re.compile("<[^>]*>")


class Overview:
    """Sums over the hosts of the results.

    ``pages`` are, for so many hosts at a time, the first name, the last, and how many are not as declared.
    """

    def __init__(self, ink: Ink, hosts: Iterable[Row], vantages: Sequence[str], hosts_on_page: int = 100) -> None:
        self._ink = ink
        self._vantages = vantages
        self._listed_alike: dict[str, list[str]] = {}
        # (protocol, port, declared reach) -> vantage point -> how often each state was seen, and whether it is wrong
        self._seen: dict[tuple[str, str, tuple[str, ...]], dict[str, Counter[tuple[str, bool]]]] = {}
        self._open: dict[str, list[int]] = {vantage: [0, 0] for vantage in vantages}
        self.pages: list[tuple[str, str, int]] = []
        self.as_declared = 0
        for number, host in enumerate(hosts):
            quiet = is_as_declared(host)
            self.as_declared += quiet
            if number % hosts_on_page == 0:
                self.pages.append((host["host"], host["host"], int(not quiet)))
            else:
                first, _last, loud = self.pages[-1]
                self.pages[-1] = (first, host["host"], loud + (not quiet))
            if host["coverage"]:
                listed = "; ".join(_listing(ink, host["coverage"]))
                self._listed_alike.setdefault(listed, []).append(host["host"])
            for row in host["ports"]:
                self._count(row)

    def _count(self, row: Row) -> None:
        is_declared = row["declared"] and row["namespace"] == "host"
        if is_declared:
            seen = self._seen.setdefault((row["protocol"], str(row["port"]), tuple(row["reachable_from"])), {})
        for vantage, found in row["reachable"].items():
            cells = cells_of(found)
            is_open = [cell for cell in cells if "open" in cell["states"]]
            if is_open and vantage in self._open:
                self._open[vantage][any(cell["wrong"] for cell in is_open)] += 1
            if is_declared:
                # Of a host with several addresses each different look counts once.
                looks = {(words(self._ink, cell["states"]), cell["wrong"]) for cell in cells}
                seen.setdefault(vantage, Counter()).update(looks)

    def exposure(self) -> Picture:
        """Open ports of all hosts by vantage point."""
        return by_exposure({vantage: (good, wrong) for vantage, (good, wrong) in self._open.items()})

    def listing(self) -> Iterator[str]:
        """How each host was listed. Hosts that were listed alike share a line."""
        ink = self._ink
        yield from ink.heading(3, "How the hosts were listed")
        if not self._listed_alike:
            yield from ink.paragraph("No host was listed.")
        yield from ink.items((f"{ink.names(hosts)}: {text}.", ()) for text, hosts in self._listed_alike.items())

    def matrix(self) -> Iterator[str]:
        """Declared ports down, vantage points across: evidence for segmentation (PCI DSS 4.0.1, 11.4.5)."""
        ink = self._ink
        yield from ink.heading(2, "Segmentation")
        if not self._seen:
            yield from ink.paragraph("No port is declared.")
            return
        yield from ink.paragraph(
            "Declared ports down, vantage points across: on how many hosts each state was seen. Bold is what a finding"
            " calls wrong. A host that looks different at several addresses counts for each. Not asked: no scan asked"
            " the port. Not known: one did, and got no usable answer."
        )
        rows = sorted(self._seen.items(), key=lambda item: (item[0][0], _number(item[0][1]), item[0]))
        if isinstance(ink, HtmlInk) and self._vantages:
            yield from self._heat_map(rows[:MOST_IN_PICTURE], len(rows))
        yield from ink.table(
            "Declared ports by vantage point",
            ("declared", "reachable from", *map(ink.code, self._vantages)),
            (
                (
                    ink.code(f"{protocol}/{port}"),
                    ink.names(reach) or "nowhere",
                    *(self._cell(seen.get(vantage)) for vantage in self._vantages),
                )
                for (protocol, port, reach), seen in rows
            ),
        )

    def _heat_map(self, rows: Sequence[Any], all_rows: int) -> Iterator[str]:
        drawn = [
            (f"{protocol}/{port}", [_plain_cell(seen.get(vantage)) for vantage in self._vantages])
            for (protocol, port, _reach), seen in rows
        ]
        yield f'<figure class="scroll">{heat_map_svg(self._vantages, drawn)}'
        cut = f" It shows the first {len(rows)} of {all_rows} rows." if all_rows > len(rows) else ""
        yield f"<figcaption>The same as a picture of the table below.{cut}</figcaption></figure>"

    def _cell(self, looks: Counter[tuple[str, bool]] | None) -> Cell:
        if not looks:
            return Cell("not asked", "untold")
        texts = (
            self._ink.strong(f"{text} {count}") if wrong else f"{text} {count}"
            for (text, wrong), count in sorted(looks.items())
        )
        return Cell(", ".join(texts), _kind(looks))


def is_as_declared(host: Row) -> bool:
    """Whether a host was fully assessed, and no finding speaks of any of its ports."""
    return bool(host["assessed"]) and not any(row["verdicts"] for row in host["ports"])


def _kind(looks: Counter[tuple[str, bool]]) -> str:
    if any(wrong for _text, wrong in looks):
        return "wrong"
    return "untold" if all(text in ("not asked", "not known") for text, _wrong in looks) else ""


def _plain_cell(looks: Counter[tuple[str, bool]] | None) -> tuple[str, str]:
    """Words and kind of a cell of the picture."""
    if not looks:
        return "not asked", "untold"
    kind = _kind(looks)
    texts = (f"{unescape(_ELEMENTS.sub('', text))} {count}" for (text, _wrong), count in sorted(looks.items()))
    return ("wrong: " if kind == "wrong" else "") + ", ".join(texts), kind or "good"


def _listing(ink: Ink, coverage: Row) -> Iterator[str]:
    ways: dict[str, list[str]] = {}
    for source, how in sorted(coverage["sources"].items()):
        ways.setdefault(how, []).append(ink.code(source.replace("_", " ")))
    yield ", ".join(f"{' and '.join(sources)} through {ink.code(how)}" for how, sources in sorted(ways.items()))
    yield "privileged" if coverage["privileged"] else "not privileged"
    unknown = coverage["owners"]["unknown"]
    if coverage["owners"]["asked"] == "all":
        yield f"owners unknown for {ink.code(unknown)} listeners" if unknown else "every owner known"
    else:
        yield f"owners asked: {ink.code(coverage['owners']['asked'])}, unknown for {ink.code(unknown)} listeners"
    namespaces = coverage["namespaces"]
    yield f"network namespaces asked: {ink.code(namespaces['asked'])}, missed: {len(namespaces['missed'])}"
    skipped = ", ".join(ink.code(one["what"]) for one in coverage["not_looked_at"])
    yield f"not looked at: {skipped}" if skipped else "nothing left out"
    if coverage["problems"]:
        yield "problems: " + ", ".join(
            f"{ink.code(one['code'])} {ink.code(one['message'])}" for one in coverage["problems"]
        )


def _number(port: str) -> int:
    return place_in_order(port)
