# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of ports, held against sets made another way: as the bits of a number."""

from __future__ import annotations

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortError, PortSet
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.observed import spans_count, spans_of
from ansible_collections.vigil.ports.tests.fuzz.targets.pieces import split


def target(data: bytes) -> None:
    sets = []
    for part in split(data, 2):
        text = part.decode("utf-8", "backslashreplace")
        try:
            made = PortSet.parse([text])
        except PortError:
            continue
        assert PortSet.parse([str(made)] if made else []) == made
        assert bits(made) == sum_of(text)
        assert spans_count(spans_of(str(made))) == len(made) == bits(made).bit_count()
        sets.append(made)
    if len(sets) == 2:
        one, other = sets
        assert bits(one | other) == bits(one) | bits(other)
        assert bits(one & other) == bits(one) & bits(other)
        assert bits(one - other) == bits(one) & ~bits(other)


def bits(ports: PortSet) -> int:
    found = 0
    for first, last in ports.ranges:
        found |= span(first, last)
    return found


def sum_of(text: str) -> int:
    found = 0
    for part in text.split(","):
        first, _dash, last = part.strip(" \t\n").partition("-")
        found |= span(int(first), int(last or first))
    return found


def span(first: int, last: int) -> int:
    return (1 << last + 1) - (1 << first)
