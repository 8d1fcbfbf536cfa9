# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs of versions that are hard to compare: those of a pair differ in little, where they differ at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple


class Grammar(NamedTuple):
    """Of what versions are made."""

    starts: tuple[str, ...]
    joints: tuple[str, ...]
    """Between numbers."""
    numbers: tuple[str, ...]
    release: str
    """The signs that a revision or release is made of, besides numbers."""
    release_needed: bool


_NUMBERS = ("0", "1", "2", "9", "10", "11", "007", "00", "20240101", "99999999999999999999")

DPKG = Grammar(
    starts=("", "", "", "0:", "1:", "2:", "10:", "01:"),
    joints=(".", ".", ".", "+", "~", "~~", "~rc", "a", "b", "Z", "+dfsg", "-", ".~", "+git", "..", "+-"),
    numbers=_NUMBERS,
    release=".+~aZ",
    release_needed=False,
)

RPM = Grammar(
    starts=("", "", "", "0:", "1:", "2:", "10:"),
    joints=(".", ".", ".", "_", "~", "~rc", "^", "^git", "a", "b", "Z", "p", "..", "^~", "~^", "+"),
    numbers=_NUMBERS,
    release="._+~^aZ",
    release_needed=False,
)


def pairs(grammar: Grammar, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """As many pairs, the same ones for a seed."""
    chance = random.Random(seed)  # noqa: S311 - it has to be the same each time
    for _number in range(count):
        parts = _parts(grammar, chance)
        yield _version(parts), _version(_altered(parts, grammar, chance))


def _parts(grammar: Grammar, chance: random.Random) -> list[str]:
    parts = [chance.choice(grammar.starts), chance.choice(grammar.numbers)]
    for _number in range(chance.randint(0, 4)):
        parts += [chance.choice(grammar.joints), chance.choice([*grammar.numbers, ""])]
    if grammar.release_needed or chance.random() < 0.8:
        parts += ["-", chance.choice(grammar.numbers)]
        for _number in range(chance.randint(0, 3)):
            parts += [chance.choice(grammar.release), chance.choice([*grammar.numbers, ""])]
    return parts


def _altered(parts: list[str], grammar: Grammar, chance: random.Random) -> list[str]:
    """The same parts with one or two changes behind the first number."""
    parts = list(parts)
    for _number in range(chance.randint(0, 2)):
        place = chance.randrange(len(parts))
        if place == 0:
            parts[0] = chance.choice(grammar.starts)
        elif parts[place] != "-":
            in_release = "-" in parts[:place] and grammar.release
            others = tuple(grammar.release) if in_release else tuple(j for j in grammar.joints if j != "-")
            parts[place] = chance.choice(grammar.numbers if place % 2 or place == 1 else others)
    if chance.random() < 0.2 and len(parts) > 4:
        parts = parts[:-2]
    return parts


def _version(parts: list[str]) -> str:
    text = "".join(parts)
    return text if text[-1] != "-" else text + "0"
