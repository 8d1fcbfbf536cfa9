# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where text from outside comes in: names of processes and users, command lines, banners.

A name on Linux is bytes; whoever starts a process chooses them. From here on it is text that every
JSON, XML and terminal writer takes: what does not print is shown as a visible escape, and what is
too long is cut with a count. Sinks still encode for themselves; this only makes text safe to carry.
This module is private to the collection.
"""

from __future__ import annotations

import unicodedata

#: Characters kept of one text. Linux caps a command name at 16 bytes and a path at 4096 (PATH_MAX);
#: a command line may be megabytes long.
DEFAULT_LIMIT = 1024

# Unicode general categories that are not shown as they are: control, format (bidi overrides,
# zero-width), surrogate, private use, not assigned, line and paragraph separators.
_HIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def visible(value: bytes | str, limit: int = DEFAULT_LIMIT) -> str:
    r"""Text that prints: invalid UTF-8, control, bidi and unassigned characters as escapes.

    ``value`` may be raw bytes or text with surrogates (``os.fsdecode``). Bytes that are not UTF-8
    become ``\xHH``, other hidden characters ``\xHH``, ``\uHHHH`` or ``\UHHHHHHHH``. Of more than
    ``limit`` characters the rest is cut, and the number of characters cut is appended. Idempotent
    for text within the limit.
    """
    if isinstance(value, str):
        if len(value) <= limit and value.isascii() and value.isprintable():
            return value
        value = value.encode("utf-8", "surrogateescape" if _only_smuggled_bytes(value) else "backslashreplace")
    text = value.decode("utf-8", "backslashreplace")
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    cut = max(0, len(text) - limit)
    shown = "".join(_shown(character) for character in text[:limit])
    return f"{shown}[+{cut} more]" if cut else shown


def _only_smuggled_bytes(text: str) -> bool:
    """True when each surrogate in ``text`` stands for an undecodable byte (PEP 383)."""
    return all(not "\ud800" <= character <= "\udfff" or "\udc80" <= character <= "\udcff" for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
