# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of Alpine packages, compared as apk-tools 3 does (apk-package(5)). This module is private to the
collection."""

from __future__ import annotations

import functools
import re
import string

from .unreadable import LONGEST, UnreadableVersion, first_wrong

_EXPECTED = "NUMBER{.NUMBER}{LETTER}{_SUFFIX{NUMBER}}{~HASH}{-rNUMBER}, as 1.2.3_rc1-r0 (apk-package(5))"
_ALLOWED = frozenset(string.ascii_lowercase + string.digits + "._~-")

#: Suffixes in their order: those of the first row come before the version without one, those of the second after it.
_BEFORE = ("alpha", "beta", "pre", "rc")
_AFTER = ("cvs", "svn", "git", "hg", "p")
_SUFFIXES = {suffix: place for place, suffix in enumerate(_BEFORE + _AFTER)}

_PARTS = re.compile(
    r"([0-9]+)((?:\.[0-9]+)*)([a-z]?)"
    rf"((?:_(?:{'|'.join(_SUFFIXES)})[0-9]*)*)"
    r"(?:~([0-9a-f]+))?(?:-r([0-9]+))?"
)
_SUFFIX = re.compile(r"_([a-z]+)([0-9]*)")

# What sorts before what, where two versions differ in the kind of what comes next.
_SUFFIX_BEFORE, _END, _REVISION, _HASH, _SUFFIX_NUMBER, _SUFFIX_AFTER, _LETTER, _NUMBER = range(8)

Key = tuple[object, ...]


@functools.lru_cache(maxsize=1 << 16)
def key(version: str) -> Key:
    """What sorts as the version does. Raises UnreadableVersion."""
    parts = _PARTS.fullmatch(version) if len(version) <= LONGEST else None
    if parts is None:
        raise UnreadableVersion("apk", version, _why_not(version), _EXPECTED)
    first, numbers, letter, suffixes, commit, revision = parts.groups()
    weighed: list[tuple[object, ...]] = [(_NUMBER, int(first))]
    weighed += [_number(text) for text in numbers.split(".")[1:]]
    if letter:
        weighed.append((_LETTER, letter))
    for suffix, number in _SUFFIX.findall(suffixes):
        weighed.append((_SUFFIX_BEFORE if suffix in _BEFORE else _SUFFIX_AFTER, _SUFFIXES[suffix]))
        if number:
            weighed.append((_SUFFIX_NUMBER, int(number)))
    if commit:
        weighed.append((_HASH, commit))
    if revision:
        weighed.append((_REVISION, int(revision)))
    return *weighed, (_END,)


def _number(text: str) -> tuple[object, ...]:
    """A number behind a dot. With a zero in front it is compared as text, and so sorts before all without one."""
    return (_NUMBER, 0, text) if text[0] == "0" else (_NUMBER, 1, int(text))


def _why_not(version: str) -> str:
    if not version:
        return "it is empty"
    if len(version) > LONGEST:
        return f"it has {len(version)} characters, more than {LONGEST}"
    if wrong := first_wrong(version, _ALLOWED):
        return wrong
    good = max((end for end in range(len(version)) if _PARTS.fullmatch(version, 0, end)), default=0)
    return f"it makes no sense from character {good + 1} on"
