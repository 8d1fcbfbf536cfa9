# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of rpm packages, compared as rpm does (rpm-version(7)). This module is private to the collection."""

from __future__ import annotations

import functools
import re
import string

from .unreadable import LONGEST, UnreadableVersion, first_wrong

_EXPECTED = "[EPOCH:]VERSION[-RELEASE], as 1:1.20.1-24.el9_7.1 (rpm-version(7))"
_TEXT = string.ascii_letters + string.digits + "._+~^"
_ALLOWED = frozenset(_TEXT + ":-")

_PARTS = re.compile(r"(?:([0-9]{1,10}):)?([0-9A-Za-z._+~^]+)(?:-([0-9A-Za-z._+~^]+))?")
_HIGHEST_EPOCH = 2**32 - 1  # a header has it as INT32, and rpm reads it unsigned

_SEGMENTS = re.compile(r"~|\^|[0-9]+|[A-Za-z]+")

# What sorts before what, where two versions differ in the kind of what comes next.
_TILDE, _END, _CARET, _LETTERS, _NUMBER = range(5)

Key = tuple[object, ...]

#: Sorts before each release that is there, as in rpm.
_NO_RELEASE: Key = ()


@functools.lru_cache(maxsize=1 << 16)
def key(version: str) -> Key:
    """What sorts as the version does; without a release it sorts before the same with one. Raises UnreadableVersion."""
    parts = _PARTS.fullmatch(version) if len(version) <= LONGEST else None
    if parts is None or int(parts[1] or 0) > _HIGHEST_EPOCH:
        raise UnreadableVersion("rpm", version, _why_not(version), _EXPECTED)
    epoch, upstream, release = parts.groups()
    return int(epoch or 0), _sorted_as(upstream), _NO_RELEASE if release is None else _sorted_as(release)


def _sorted_as(text: str) -> Key:
    return *(_weighed(segment) for segment in _SEGMENTS.findall(text)), (_END,)


def _weighed(segment: str) -> tuple[int, ...] | tuple[int, int | str]:
    if segment == "~":
        return (_TILDE,)
    if segment == "^":
        return (_CARET,)
    return (_NUMBER, int(segment)) if segment.isdigit() else (_LETTERS, segment)


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
    if ":" in after:
        return "it has more than one colon"
    if (after if colon else version).count("-") > 1:
        return "it has more than one hyphen"
    return "its version or its release is empty"
