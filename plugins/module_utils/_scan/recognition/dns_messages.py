# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one question to DNS servers, over UDP and TCP, and the reading of its answer (RFC 1035, 4; RFC 4892, 3).

Asked for its own version a server answers with a text, or refuses: either is a DNS message, and asks
nobody else for anything.

This module is private to the collection.
"""

from __future__ import annotations

import struct

_ID = 0x7670
_NAME = b"\x07version\x04bind\x00"
_TXT, _CHAOS = 16, 3
#: RFC 1035, 4.1.1: an id, no flags, one question.
VERSION_QUESTION = struct.pack(">6H", _ID, 0, 1, 0, 0, 0) + _NAME + struct.pack(">2H", _TXT, _CHAOS)

_IS_ANSWER = 0x8000
_OPCODE = 0x7800
_LONGEST = 255


def version_of_server(said: bytes) -> bytes | None:
    """The version in an answer to :data:`VERSION_QUESTION`, empty where it tells none; None when it is no answer."""
    if len(said) < 12:
        return None
    ident, flags, questions, answers = struct.unpack(">4H", said[:8])
    if ident != _ID or not flags & _IS_ANSWER or flags & _OPCODE or questions > 1:
        return None
    place = 12
    if questions:
        if said[place : place + len(_NAME)].lower() != _NAME:
            return None
        place += len(_NAME) + 4
    return _first_text(said, place) if answers else b""


def _first_text(said: bytes, place: int) -> bytes:
    """The text of the first record, if it is one of the question's (RFC 1035, 3.3.14)."""
    # Its name is the question's again, or a pointer to it (4.1.4).
    place += 2 if said[place : place + 1] >= b"\xc0" else len(_NAME)
    record = said[place : place + 10]
    if len(record) < 10 or struct.unpack(">2H", record[:4]) != (_TXT, _CHAOS):
        return b""
    text = said[place + 10 :]
    return text[1 : 1 + text[0]][:_LONGEST] if text else b""
