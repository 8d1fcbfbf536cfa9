# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of Debian packages, compared as dpkg does (deb-version(7)). This module is private to the collection."""

from __future__ import annotations

import functools
import re
import string

from .unreadable import LONGEST, UnreadableVersion, first_wrong

_EXPECTED = "[EPOCH:]UPSTREAM[-REVISION], UPSTREAM begins with a digit, as 1:9.2p1-2+deb12u3 (deb-version(7))"
_ALLOWED = frozenset(string.ascii_letters + string.digits + ".+~:-")

# The revision is what follows the last hyphen, and an upstream version has colons only after an epoch.
_PARTS = re.compile(r"(?:([0-9]{1,10}):)?([0-9][0-9A-Za-z.+~:-]*?)(?:-([0-9A-Za-z.+~]+))?")
_HIGHEST_EPOCH = 2**31 - 1  # dpkg keeps it in an int

_RUNS = re.compile(r"([^0-9]*)([0-9]*)")

# As weighed by dpkg: a tilde sorts before the end of a text, letters sort before everything else.
_END = 0
_WEIGHTS = {character: ord(character) + (0 if character.isalpha() else 256) for character in _ALLOWED} | {"~": -1}

Key = tuple[object, ...]


@functools.lru_cache(maxsize=1 << 16)
def key(version: str) -> Key:
    """What sorts as the version does. Raises UnreadableVersion."""
    parts = _PARTS.fullmatch(version) if len(version) <= LONGEST else None
    if parts is None or int(parts[1] or 0) > _HIGHEST_EPOCH:
        raise UnreadableVersion("dpkg", version, _why_not(version), _EXPECTED)
    epoch, upstream, revision = parts.groups()
    if (epoch is None and ":" in upstream) or (revision is None and "-" in upstream):
        raise UnreadableVersion("dpkg", version, _why_not(version), _EXPECTED)
    return int(epoch or 0), _sorted_as(upstream), _sorted_as(revision or "0")


def _sorted_as(text: str) -> Key:
    """Runs of other characters and numbers by turns. The last element says where the text ends: any run that begins
    there in a longer text sorts either before or after it."""
    weighed: list[object] = []
    for others, digits in _RUNS.findall(text):
        if others or digits:
            weighed += [(*(_WEIGHTS[character] for character in others), _END), int(digits or 0)]
    return *weighed, (_END,)


def _why_not(version: str) -> str:
    if not version:
        return "it is empty"
    if len(version) > LONGEST:
        return f"it has {len(version)} characters, more than {LONGEST}"
    if wrong := first_wrong(version, _ALLOWED):
        return wrong
    before, colon, after = version.partition(":")
    if colon and not (before.isdigit() and len(before) <= 10 and int(before) <= _HIGHEST_EPOCH):
        return f"its epoch is {before[:20]!r}, not a number up to {_HIGHEST_EPOCH}"
    _before, hyphen, revision = version.rpartition("-")
    if hyphen and (not revision or ":" in revision):
        return f"its revision is {revision[:20]!r}"
    return "its upstream version begins with no digit" if after or not colon else "nothing follows its epoch"
