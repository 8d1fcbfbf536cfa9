# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File names for names that others chose. This module is private to the collection."""

from __future__ import annotations

import hashlib
import string

_CAPITALS = frozenset(string.ascii_uppercase)
_SAFE = frozenset(string.ascii_lowercase + string.digits + "_-.")
#: Most file systems take 255 bytes; room is left for an ending and a temporary prefix.
_LONGEST = 180


def file_stem(name: str, *, keep_capitals: bool = False) -> str:
    """A file name for an inventory name, the same each time, no two names alike.

    What is not a small letter, digit, ``_``, ``-`` or ``.`` is percent-encoded as UTF-8, and so is a dot at
    the start, so that neither ``../x`` nor a hidden file can come of it, and ``Web1`` is not ``web1`` where the
    file system does not tell them apart; with ``keep_capitals`` the caller looks whose file it is. A long name
    is cut and ends in ``~`` and its digest, which the name of no other can: there ``~`` is encoded.
    """
    allowed = _SAFE | _CAPITALS if keep_capitals else _SAFE
    stem = "".join(
        character if character in allowed and not (character == "." and index == 0) else _percent(character)
        for index, character in enumerate(name)
    )
    if len(stem) <= _LONGEST:
        return stem
    return f"{stem[: _LONGEST - 17]}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
