# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gaps that most hosts have: they are said once, before all findings. This module is private to the collection.

A scanner that is lost, or a privilege that is missing, leaves a gap on each host. Ten of these are no ten findings,
and must not stand where the findings of the hosts do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .._audit.finding import by_gravity
from .._audit.rules import not_assessed
from .._evidence.results_file import Results

Row = Mapping[str, Any]
_RULE = not_assessed.RULE


class SharedGap(NamedTuple):
    """What could not be looked at on so many hosts, from a vantage point, or (None) on the hosts themselves.

    ``rows`` are all of its findings, the first of each host first.
    """

    vantage: str | None
    hosts: int
    in_scope: int
    rows: tuple[Row, ...]


def shared_gaps(results: Results) -> list[SharedGap]:
    """One for each vantage point, and one for the hosts themselves, where at least half of the hosts have a gap.

    What is told of a host is not compared: it may hold anything.
    """
    by_vantage: dict[str | None, dict[str, list[Row]]] = {}
    for row in results.notable:
        if (row["rule"], row["status"]) == (_RULE.id, "not_assessed") and row["host"] and not row["accepted"]:
            by_vantage.setdefault(row["vantage"], {}).setdefault(row["host"], []).append(row)
    in_scope = results["coverage"]["hosts"]["in_scope"]
    return [
        SharedGap(vantage, len(hosts), in_scope, tuple(_first_of_each_first(hosts)))
        for vantage, hosts in sorted(by_vantage.items(), key=lambda item: item[0] or "")
        if len(hosts) > 1 and 2 * len(hosts) >= in_scope
    ]


def _first_of_each_first(hosts: Mapping[str, list[Row]]) -> Iterator[Row]:
    ordered = [sorted(hosts[host], key=by_gravity) for host in sorted(hosts)]
    yield from (rows[0] for rows in ordered)
    yield from (row for rows in ordered for row in rows[1:])


def shared_line(gap: SharedGap, shown: Callable[[str], str], ours: Callable[[str], str] = str) -> str:
    """One sentence, with one reason as an example, and what to do.

    ``shown`` makes text safe where it is written, ``ours`` takes words of the catalogue.
    """
    where = f"from {shown(gap.vantage)}" if gap.vantage is not None else "on the hosts themselves"
    first = gap.rows[0]
    return (
        f"Not assessed {where}: {gap.hosts} of {gap.in_scope} hosts, for one {shown(first['host'])}:"
        f" {shown(first['message'].rstrip('.'))}. {ours(_RULE.remedy)}"
    )


def in_order(rows: list[Row]) -> list[Row]:
    """Rows for people: what breaks the gate, and of that what is wrong before what could not be told."""
    return sorted(rows, key=lambda row: (not row["breaks_gate"], row["status"] == "not_assessed", by_gravity(row)))
