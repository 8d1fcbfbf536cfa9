# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one TCP service is, by its greeting or by one harmless question. At most :data:`SECONDS` for each port.

Servers that speak first are listened to for half a second, and asked nothing when they did. To the others a
request for ``/`` goes on the same connection; where it is not answered at once, each further question goes on
a connection of its own, all at the same time. Plain HTTP counts only when TLS was refused: a server that
speaks TLS answers a plain request with HTTP as well, to say so.

This module is private to the collection.
"""

from __future__ import annotations

import asyncio
from typing import Awaitable, Callable, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    IDENTIFIED,
    NOT_IDENTIFIED,
    TIMED_OUT,
    Service,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.answers import (
    ONLY_TLS,
    Recognised,
    from_greeting,
    from_http,
    inside_tls,
    named,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.connection import (
    Connection,
    NoConnectionError,
    TlsRefusedError,
    Where,
    connect,
    connect_tls,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.questions import (
    EHLO,
    FEAT,
    FTP_ANSWER,
    GET,
    MAIL_ANSWER,
    NEVER_ASKED,
    QUESTIONS,
    Question,
)

GREETING_SECONDS = 0.5
_HTTP_SECONDS = 3.0
#: How long the request for ``/`` has to itself: most services are recognised by one connection.
_ALONE_SECONDS = 0.25
#: No port takes longer, whatever it does.
SECONDS = 8.0


class Heard(NamedTuple):
    """``spoke``: it said something, or hung up. ``whole``: nothing is left to ask."""

    service: Service | None
    spoke: bool
    whole: bool = False

    @property
    def identification(self) -> str:
        if self.service is not None and self.service.identification == IDENTIFIED:
            return IDENTIFIED
        return NOT_IDENTIFIED if self.spoke or self.service is not None else TIMED_OUT


NOTHING = Heard(None, spoke=False)


class Conversation:
    """With one port. ``slot`` is awaited before each connection, and keeps the rate."""

    def __init__(self, where: Where, slot: Callable[[], Awaitable[None]]) -> None:
        self._where = where
        self._slot = slot
        self._spoke = False
        self._open: set[Connection] = set()

    async def hold(self) -> Heard:
        """What the service is. Never raises for what it does."""
        try:
            found = await asyncio.wait_for(self._recognised(), SECONDS)
        except asyncio.TimeoutError:
            found = None
        except NoConnectionError as error:
            return Heard(None, spoke=not error.silent)
        finally:
            for connection in self._open:
                connection.close()
        return Heard(found.service, True, found.whole) if found else Heard(None, self._spoke)

    async def _recognised(self) -> Recognised | None:
        first = await self._connect()
        said = await first.hear(GREETING_SECONDS, from_greeting)
        self._spoke = bool(said) or first.ended
        if said:
            return from_greeting(said) or (await self._mail_or_ftp(first) if said.startswith(b"220") else None)
        if first.ended or self._where[1] in NEVER_ASKED:
            return None
        return await self._asked(first)

    async def _mail_or_ftp(self, first: Connection) -> Recognised | None:
        for question, answer, name in ((EHLO, MAIL_ANSWER, "smtp"), (FEAT, FTP_ANSWER, "ftp")):
            first.say(question)
            said = await first.hear(_HTTP_SECONDS, lambda text: text.endswith(b"\n"))
            if said.startswith(answer):
                return named(name)
        return None

    async def _asked(self, first: Connection) -> Recognised | None:
        http = asyncio.ensure_future(self._http(first, _HTTP_SECONDS))
        await asyncio.wait((http,), timeout=_ALONE_SECONDS)
        asked: dict[asyncio.Future[Recognised | None], str] = {http: "http"}
        found = http.result() if http.done() else None
        if found is not None and found.service.name != "http":
            return found  # a late greeting
        asked[asyncio.ensure_future(self._tls())] = "tls"
        if found is None:
            asked.update({asyncio.ensure_future(self._ask(question)): "other" for question in QUESTIONS})
        try:
            return await self._first_of(asked)
        finally:
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _first_of(self, asked: dict[asyncio.Future[Recognised | None], str]) -> Recognised | None:
        """The first that is recognised, but plain HTTP and bare TLS only when nothing better came."""
        pending = set(asked)
        fallback: dict[str, Recognised] = {}
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                found = one.result()
                if found is None:
                    continue
                if found.service.tunnel or (found is not ONLY_TLS and found.service.name != "http"):
                    return found
                fallback[asked[one]] = found
        return fallback.get("tls") or fallback.get("http")

    async def _http(self, connection: Connection, seconds: float) -> Recognised | None:
        connection.say(GET)
        said = await connection.hear(seconds, lambda text: b"\r\n\r\n" in text or from_greeting(text))
        self._spoke = self._spoke or bool(said) or connection.ended
        return from_http(said) or from_greeting(said)

    async def _tls(self) -> Recognised | None:
        try:
            await self._slot()
            inside = await connect_tls(self._where)
        except NoConnectionError:
            return None
        except TlsRefusedError as refused:
            self._spoke = self._spoke or refused.is_tls
            return ONLY_TLS if refused.is_tls else None
        self._open.add(inside)
        self._spoke = True
        said = await inside.hear(GREETING_SECONDS, from_greeting)
        found = from_greeting(said) if said else await self._http(inside, _HTTP_SECONDS)
        return inside_tls(found) if found else ONLY_TLS

    async def _ask(self, question: Question) -> Recognised | None:
        try:
            connection = await self._connect()
        except NoConnectionError:
            return None
        connection.say(question.said)
        said = await connection.hear(question.seconds, lambda text: bool(question.then) and question.recognise(text))
        self._spoke = self._spoke or bool(said)
        found = question.recognise(said)
        if found and question.then and not found.whole:
            connection.say(question.then)
            more = await connection.hear(question.seconds, lambda text: _is_whole(question.recognise(said + text)))
            found = question.recognise(said + more)
        return found

    async def _connect(self) -> Connection:
        await self._slot()
        connection = await connect(self._where)
        self._open.add(connection)
        return connection


def _is_whole(found: Recognised | None) -> bool:
    return found is not None and found.whole
