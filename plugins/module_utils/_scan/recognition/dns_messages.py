# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The questions to DNS servers, over UDP and TCP, and the reading of their answers (RFC 1035, 4; RFC 4892, 3).

Asked for its own version a server answers with a text, or refuses: either is a DNS message, and asks
nobody else for anything.

This module is private to the collection.
"""

from __future__ import annotations

import struct

_ID = 0x7670
_VERSION = b"\x07version\x04bind\x00"
_SERVICES = b"\x09_services\x07_dns-sd\x04_udp\x05local\x00"
_NS, _PTR, _TXT = 2, 12, 16
_INTERNET, _CHAOS = 1, 3


def _question(name: bytes, kind: int, of_class: int) -> bytes:
    """RFC 1035, 4.1.1: an id, no flags (so nobody else is asked), one question."""
    return struct.pack(">6H", _ID, 0, 1, 0, 0, 0) + name + struct.pack(">2H", kind, of_class)


VERSION_QUESTION = _question(_VERSION, _TXT, _CHAOS)
#: Who does not know classes other than that of the internet, or keeps silent about its version, may know the root.
ROOT_QUESTION = _question(b"\0", _NS, _INTERNET)
#: RFC 6763, 9, sent to one host (RFC 6762, 5.5 and 6.7).
SERVICES_QUESTION = _question(_SERVICES, _PTR, _INTERNET)

_IS_ANSWER, _IS_AUTHORITATIVE = 0x8000, 0x0400
_OPCODE, _RCODE = 0x7800, 0x000F
_LONGEST = 255


def is_answer(said: bytes) -> bool:
    """Whether this is an answer to one of the questions here, whatever it says."""
    if len(said) < 12:
        return False
    ident, flags, questions = struct.unpack(">3H", said[:6])
    return ident == _ID and bool(flags & _IS_ANSWER) and not flags & _OPCODE and questions <= 1


def is_multicast_answer(said: bytes) -> bool:
    """Whether it names services of the link with authority (RFC 6762, 18.4), as no other resolver does."""
    if not is_answer(said):
        return False
    flags, _questions, answers = struct.unpack(">3H", said[2:8])
    return bool(flags & _IS_AUTHORITATIVE and not flags & _RCODE and answers) and b"\x07_dns-sd" in said


def version_of_server(said: bytes) -> bytes:
    """The version in an answer to :data:`VERSION_QUESTION`; empty where it tells none."""
    questions, answers = struct.unpack(">2H", said[4:8])
    place = 12
    if questions:
        if said[place : place + len(_VERSION)].lower() != _VERSION:
            return b""
        place += len(_VERSION) + 4
    return _first_text(said, place) if answers else b""


def _first_text(said: bytes, place: int) -> bytes:
    """The text of the first record, if it is one of the question's (RFC 1035, 3.3.14)."""
    # Its name is the question's again, or a pointer to it (4.1.4).
    place += 2 if said[place : place + 1] >= b"\xc0" else len(_VERSION)
    record = said[place : place + 10]
    if len(record) < 10 or struct.unpack(">2H", record[:4]) != (_TXT, _CHAOS):
        return b""
    text = said[place + 10 :]
    return text[1 : 1 + text[0]][:_LONGEST] if text else b""
