# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where text from outside comes in: names of processes and users, command lines, banners, declarations, errors.

A name on Linux is bytes; whoever starts a process chooses them. From here on it is text that every
JSON, XML and terminal writer takes, and that shows itself and nothing else: what does not print, what
passes for another character, and what moves the text beside it is shown as a visible escape, and what
is too long is cut with a count. Names in any alphabet stay readable. Sinks still encode for themselves;
this makes text safe to carry.

Characters are judged by Unicode 3.2, which every Python has besides its own: the same text gives the
same escapes on a host with Python 3.8, on the control node, and when a report is made again years later.
What was added to Unicode since is escaped. This module is private to the collection.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Characters of a name: of a host, a user, a unit. The DNS has 253 (RFC 1035, section 2.3.4).
NAME_LIMIT = 300
#: Characters of one text. Linux caps a command name at 16 bytes; a command line may be megabytes long.
DEFAULT_LIMIT = 1024
#: Characters of a message that quotes what another program said.
MESSAGE_LIMIT = 2000
#: Characters of what is kept at length: a path (PATH_MAX), the output of a script.
OUTPUT_LIMIT = 8192

_UNICODE = unicodedata.ucd_3_2_0
# Control, format (bidi overrides, zero-width, tags), surrogate, private use, not assigned, spaces, line and
# paragraph separators, marks that enclose what stands before them.
_HIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Me"))
# Letters and digits that are written from the right: they reorder the words and ports beside them (UAX #9).
_FROM_THE_RIGHT = frozenset(("R", "AL", "AN"))
# Letters, symbols and marks that leave an empty place or none: fillers, joiners, variation selectors.
_EMPTY = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0\ufffc").union(
    map(chr, range(0xFE00, 0xFE10))
)
# Alphabets with letters that look like Latin ones (UTS #39), by the first word of their characters' names.
_LIKE_LATIN = frozenset(("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"))
_WORD = re.compile(r"[A-Za-z0-9_.\-\u0080-\U0010ffff]+")
_ESCAPES = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_NO_BYTE = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
_MOST_MARKS = 2


def visible(value: bytes | str, limit: int = DEFAULT_LIMIT) -> str:
    r"""Text that shows itself: everything else in it as escapes, and never more than ``limit`` characters.

    ``value`` may be raw bytes or text with surrogates (``os.fsdecode``). Bytes that are not UTF-8
    become ``\xHH``, other characters ``\xHH``, ``\uHHHH`` or ``\UHHHHHHHH``: those that do not print,
    compatibility forms of an ASCII character, letters written from the right, more than two marks
    on one letter, and in a word with Latin letters those of an alphabet that looks like it. Of a text
    whose shown form is longer than ``limit`` the rest is cut, and the number of characters cut is
    appended within the limit (of 32 or more). Idempotent.
    """
    if isinstance(value, str):
        if len(value) <= limit and value.isascii() and value.isprintable():
            return value
        text = value
        if _only_smuggled_bytes(value):  # some of them together may be a character
            text = value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    else:
        text = value.decode("utf-8", "surrogateescape")
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    pieces = _pieces(text[:limit], smuggled=_only_smuggled_bytes(text))
    if len(text) <= limit and sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    room = limit - len(_cut_note(len(text)))
    kept = 0
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        kept += 1
    return "".join(pieces[:kept]) + _cut_note(len(text) - kept)


def _cut_note(count: int) -> str:
    return f"[+{count} more]"


def _only_smuggled_bytes(text: str) -> bool:
    """True when each surrogate in ``text`` stands for an undecodable byte (PEP 383)."""
    return _NO_BYTE.search(text) is None


def _pieces(text: str, smuggled: bool) -> list[str]:
    """Each character as it is shown. ``smuggled``: its surrogates are bytes."""
    posing = _posing(text)
    pieces: list[str] = []
    marks = -1  # in a row, on a letter that is shown; -1: nothing that could carry one
    for place, character in enumerate(text):
        kind = _kind(character)
        if kind == "mark" and 0 <= marks < _MOST_MARKS:
            marks += 1
            pieces.append(character)
        elif kind in ("escape", "surrogate", "mark") or place in posing:
            marks = -1
            pieces.append(escape(chr(ord(character) & 0xFF) if smuggled and kind == "surrogate" else character))
        else:
            marks = 0 if kind == "letter" else -1
            pieces.append(character)
    return pieces


def escape(character: str) -> str:
    r"""One character as ``\xHH``, ``\uHHHH`` or ``\UHHHHHHHH``."""
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """``letter``, ``mark``, ``escape``, ``surrogate``, or ``other`` for what is shown and carries no mark."""
    category = _UNICODE.category(character)
    if character.isascii():
        return "letter" if category[0] == "L" else "escape" if category == "Cc" else "other"
    if category == "Cs":
        return "surrogate"
    if category in _HIDDEN_CATEGORIES or character in _EMPTY or _UNICODE.bidirectional(character) in _FROM_THE_RIGHT:
        return "escape"
    folded = _UNICODE.normalize("NFKC", character)
    if len(folded) == 1 and folded.isascii():  # a full-width or mathematical letter, a space that is none
        return "escape"
    return {"L": "letter", "M": "mark"}.get(category[0], "other")


def _posing(text: str) -> frozenset[int]:
    """Places of letters that pass for Latin ones: in a word that has both."""
    if text.isascii():
        return frozenset()
    found: list[int] = []
    for word in _WORD.finditer(_ESCAPES.sub(lambda match: " " * len(match.group()), text)):
        alphabets = [_alphabet(character) for character in word.group()]
        if "LATIN" in alphabets:
            found += [word.start() + place for place, name in enumerate(alphabets) if name in _LIKE_LATIN]
    return frozenset(found)


@lru_cache(maxsize=4096)
def _alphabet(character: str) -> str:
    return _UNICODE.name(character, "").split(" ", 1)[0] if _UNICODE.category(character)[0] == "L" else ""
