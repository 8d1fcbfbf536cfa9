# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not a version of a package. This module is private to the collection."""

from __future__ import annotations

_LONGEST_SHOWN = 80

#: No package of any distribution has a longer version. Python refuses to convert numbers of more than 4,300 digits.
LONGEST = 300


class UnreadableVersion(ValueError):  # noqa: N818 - it says what is wrong with a version
    """A text that is not a version by the rules of its package manager: what is wrong, where, and what is expected."""

    def __init__(self, manager: str, value: str, wrong: str, expected: str) -> None:
        shown = ascii(value[:_LONGEST_SHOWN]) + ("..." if len(value) > _LONGEST_SHOWN else "")
        super().__init__(f"{shown} is not a version of {manager}: {wrong}; expected {expected}")
        self.manager = manager
        self.value = value


def first_wrong(value: str, allowed: frozenset[str]) -> str | None:
    """The first character that no version has, and its place; None where all may be there."""
    for place, character in enumerate(value, 1):
        if character not in allowed:
            return f"character {place} is {character!a}"
    return None
