# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of ports: read from options and from nmap, written compactly, compared without listing each.

This module is private to the collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Iterator, Sequence

HIGHEST = 65535
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")


class PortError(ValueError):
    """Ports that were asked for and are none; ``errors`` holds one sentence for each."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)


@dataclass(frozen=True)
class PortSet:
    """Ports as sorted, disjoint, never adjacent ``(first, last)`` ranges: equal sets are equal objects."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, ports: Iterable[int]) -> PortSet:
        """The set of these single ports."""
        ranges: list[tuple[int, int]] = []
        first = last = -1
        for port in sorted(ports):
            if port > last + 1 or first < 0:
                if first >= 0:
                    ranges.append((first, last))
                first = port
            last = port
        if first >= 0:
            ranges.append((first, last))
        return cls(tuple(ranges))

    @classmethod
    def of_ranges(cls, ranges: Iterable[tuple[int, int]]) -> PortSet:
        """The set of these ``(first, last)`` ranges, in any order, which may overlap."""
        return cls(_merged(ranges))

    @classmethod
    def parse(cls, entries: Iterable[object], lowest: int = 1) -> PortSet:
        """The set that a list of integers and texts (``80``, ``"8000-8010"``, ``"22,80"``) names.

        ``lowest`` is 0 where nmap writes the list: it can scan port 0, nobody declares it.
        Raises ``PortError`` with every bad entry, not only the first.
        """
        found, errors = [], []
        for entry in entries:
            parts = entry.split(",") if isinstance(entry, str) else [entry]
            for part in parts:
                span = _span(part, lowest)
                if span is None:
                    errors.append(
                        f"{part!r} is neither a port from {lowest} to {HIGHEST} nor a rising range (8000-8010)"
                    )
                else:
                    found.append(span)
        if errors:
            raise PortError(errors)
        return cls(_merged(found))

    def __str__(self) -> str:
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.ranges)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __contains__(self, port: int) -> bool:
        return any(first <= port <= last for first, last in self.ranges)

    def __or__(self, other: PortSet) -> PortSet:
        return PortSet(_merged(self.ranges + other.ranges))

    def __sub__(self, other: PortSet) -> PortSet:
        kept = []
        taken = list(other.ranges)
        for first, last in self.ranges:
            while taken and taken[0][1] < first:
                taken.pop(0)
            start = first
            for low, high in taken:
                if low > last:
                    break
                if low > start:
                    kept.append((start, low - 1))
                start = high + 1
            if start <= last:
                kept.append((start, last))
        return PortSet(tuple(kept))

    def __and__(self, other: PortSet) -> PortSet:
        return self - (self - other)


NO_PORTS = PortSet()


def _span(entry: object, lowest: int) -> tuple[int, int] | None:
    if isinstance(entry, bool):
        return None
    if isinstance(entry, int):
        first = last = entry
    else:
        match = _RANGE.match(entry.strip(" \t\n")) if isinstance(entry, str) else None
        if match is None:
            return None
        first = int(match.group(1))
        last = int(match.group(2) or match.group(1))
    return (first, last) if lowest <= first <= last <= HIGHEST else None


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)
