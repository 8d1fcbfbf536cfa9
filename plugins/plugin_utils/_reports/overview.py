# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all hosts have in common, gathered in one go through them: how they were listed, and who reaches what.

This module is private to the collection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._inventory.port_range import place_in_order
from .markdown_text import code, names, table
from .reach_text import cells_of, words

Row = Mapping[str, Any]


class Overview:
    """Sums over the hosts of the results."""

    def __init__(self, hosts: Iterable[Row], vantages: Sequence[str]) -> None:
        self._vantages = vantages
        self._listed_alike: dict[str, list[str]] = {}
        # (protocol, port, declared reach) -> vantage point -> how often each state was seen, and whether it is wrong
        self._seen: dict[tuple[str, str, tuple[str, ...]], dict[str, Counter[tuple[str, bool]]]] = {}
        for host in hosts:
            if host["coverage"]:
                self._listed_alike.setdefault("; ".join(_listing(host["coverage"])), []).append(host["host"])
            for row in host["ports"]:
                if row["declared"] and row["namespace"] == "host":
                    self._count(row)

    def _count(self, row: Row) -> None:
        key = (row["protocol"], str(row["port"]), tuple(row["reachable_from"]))
        seen = self._seen.setdefault(key, {})
        for vantage, found in row["reachable"].items():
            # Of a host with several addresses each different look counts once.
            looks = {(words(cell["states"]), cell["wrong"]) for cell in cells_of(found)}
            seen.setdefault(vantage, Counter()).update(looks)

    def listing(self) -> Iterator[str]:
        """How each host was listed. Hosts that were listed alike share a line."""
        yield "### How the hosts were listed"
        yield ""
        for text, hosts in self._listed_alike.items():
            yield f"- {names(hosts)}: {text}."
        if not self._listed_alike:
            yield "No host was listed."
        yield ""

    def matrix(self) -> Iterator[str]:
        """Declared ports down, vantage points across: evidence for segmentation (PCI DSS 4.0.1, 11.4.5)."""
        yield "## Segmentation"
        yield ""
        if not self._seen:
            yield "No port is declared."
            yield ""
            return
        yield "Declared ports down, vantage points across: on how many hosts each state was seen."
        yield "Bold is what a finding calls wrong. A host that looks different at several addresses counts for each."
        yield "Where it says `not asked`, no scan asked the port; `not known`: one did, and got no usable answer."
        yield ""
        rows = sorted(self._seen.items(), key=lambda item: (item[0][0], _number(item[0][1]), item[0]))
        yield from table(
            ("declared", "reachable from", *map(code, self._vantages)),
            (
                (
                    code(f"{protocol}/{port}"),
                    names(reach) or "nowhere",
                    *(_cell(seen.get(vantage)) for vantage in self._vantages),
                )
                for (protocol, port, reach), seen in rows
            ),
        )


def _cell(looks: Counter[tuple[str, bool]] | None) -> str:
    if not looks:
        return "not asked"
    texts = (f"**{text} {count}**" if wrong else f"{text} {count}" for (text, wrong), count in sorted(looks.items()))
    return ", ".join(texts)


def _listing(coverage: Row) -> Iterator[str]:
    ways: dict[str, list[str]] = {}
    for source, how in sorted(coverage["sources"].items()):
        ways.setdefault(how, []).append(code(source.replace("_", " ")))
    yield ", ".join(f"{' and '.join(sources)} through {code(how)}" for how, sources in sorted(ways.items()))
    yield "privileged" if coverage["privileged"] else "not privileged"
    unknown = coverage["owners"]["unknown"]
    if coverage["owners"]["asked"] == "all":
        yield f"owners unknown for {code(unknown)} listeners" if unknown else "every owner known"
    else:
        yield f"owners asked: {code(coverage['owners']['asked'])}, unknown for {code(unknown)} listeners"
    namespaces = coverage["namespaces"]
    yield f"network namespaces asked: {code(namespaces['asked'])}, missed: {len(namespaces['missed'])}"
    skipped = ", ".join(code(one["what"]) for one in coverage["not_looked_at"])
    yield f"not looked at: {skipped}" if skipped else "nothing left out"
    if coverage["problems"]:
        yield "problems: " + ", ".join(f"{code(one['code'])} {code(one['message'])}" for one in coverage["problems"])


def _number(port: str) -> int:
    return place_in_order(port)
