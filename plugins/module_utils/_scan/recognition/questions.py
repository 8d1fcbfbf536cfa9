# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The questions that are asked of a silent TCP service: each harmless, none of them a try to log in.

This module is private to the collection.
"""

from __future__ import annotations

import struct
from typing import Callable, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.answers import (
    Recognised,
    from_dns_over_tcp,
    from_postgres,
    from_redis,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.dns_messages import VERSION_QUESTION

#: Network printers print what is sent to these ports; nmap leaves them alone too.
NEVER_ASKED = range(9100, 9108)


class Question(NamedTuple):
    """``seconds``: how long to wait for an answer. ``then``: what is said once it was answered, to hear more."""

    said: bytes
    recognise: Callable[[bytes], Recognised | None]
    seconds: float
    then: bytes = b""


#: RFC 9112, 3 and RFC 1945, 5: the oldest form, which needs no name of a host.
GET = b"GET / HTTP/1.0\r\n\r\n"

#: RFC 5321, 4.1.1.1 and RFC 2389, 3: a mail server answers the first with 250, an FTP server the second with 211.
EHLO, MAIL_ANSWER = b"EHLO vigil.invalid\r\n", b"250"
FEAT, FTP_ANSWER = b"FEAT\r\n", b"211"

# What reads lines may wait for the end of one: the connections of those that send none are given up sooner, so
# that a server which serves one client at a time comes to the others.
QUESTIONS = (
    # https://redis.io/docs/latest/commands/ping/ and info/, as inline commands
    Question(b"PING\r\n", from_redis, 2.5, then=b"INFO server\r\n"),
    # https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest, 80877103
    Question(struct.pack(">2I", 8, 80877103), from_postgres, 2.0),
    # RFC 7766, 8
    Question(struct.pack(">H", len(VERSION_QUESTION)) + VERSION_QUESTION, from_dns_over_tcp, 2.0),
)
