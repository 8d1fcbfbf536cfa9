# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to one service: bounded in bytes, and each wait in time.

This module is private to the collection.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from typing import Callable, Tuple

CONNECT_SECONDS = 2.0
_TLS_SECONDS = 2.0
_MOST_BYTES = 16384
_PIECE = 4096
_PAUSE = 0.15  # seconds of silence after which an answer counts as ended
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: no TIME_WAIT for each question

Where = Tuple[str, int]


class NoConnectionError(Exception):
    """The port could not be opened; ``silent`` when nothing answered in time."""

    def __init__(self, silent: bool) -> None:
        super().__init__("no connection")
        self.silent = silent


class TlsRefusedError(Exception):
    """No TLS came about; ``is_tls`` when the server refused it by an alert, which is TLS all the same."""

    def __init__(self, is_tls: bool) -> None:
        super().__init__("no TLS")
        self.is_tls = is_tls


class Connection:
    """``ended`` turns true once the other side will say no more."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.ended = False

    def say(self, text: bytes) -> None:
        """Send ``text``; that the other side has gone is seen when it is listened to."""
        self._writer.write(text)

    async def hear(self, seconds: float, enough: Callable[[bytes], object | None]) -> bytes:
        """What is said until ``enough`` says so, a pause, the end, or ``seconds`` are over."""
        said = b""
        until = asyncio.get_running_loop().time() + seconds
        while not self.ended and len(said) < _MOST_BYTES:
            left = until - asyncio.get_running_loop().time()
            try:
                piece = await asyncio.wait_for(self._reader.read(_PIECE), min(left, _PAUSE) if said else left)
            except asyncio.TimeoutError:
                break
            except (OSError, ssl.SSLError):
                self.ended = True  # reset: what was said before counts
                break
            self.ended = not piece
            said += piece
            if said and enough(said):
                break
        return said

    def close(self) -> None:
        """At once, whatever is still to be sent."""
        self._writer.transport.abort()


async def connect(where: Where) -> Connection:
    """A connection to ``where``. Raises NoConnectionError."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*where), CONNECT_SECONDS)
    except asyncio.TimeoutError as error:
        raise NoConnectionError(silent=True) from error
    except OSError as error:
        raise NoConnectionError(silent=False) from error
    return _made(reader, writer)


async def connect_tls(where: Where) -> Connection:
    """The same inside TLS, whoever it is: nothing is trusted and nothing secret is sent. Raises both errors."""
    opening = asyncio.open_connection(*where, ssl=_tls_with_anybody(), ssl_handshake_timeout=_TLS_SECONDS)
    try:
        reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS + _TLS_SECONDS)
    except asyncio.TimeoutError as error:
        raise NoConnectionError(silent=True) from error
    except ssl.SSLError as error:
        raise TlsRefusedError("_ALERT_" in (error.reason or "")) from error
    except OSError as error:  # hung up during the handshake, or its time was over
        raise TlsRefusedError(is_tls=False) from error
    return Connection(reader, writer)


def _tls_with_anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # An old server is to be recognised too. Levels of security are OpenSSL's since 1.1.0.
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0" if ssl.OPENSSL_VERSION_INFO >= (1, 1) else "ALL")
    return context


def _made(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Connection:
    sock = writer.get_extra_info("socket")
    # Of this machine's own ports one may have been closed meanwhile, and be the source port (RFC 9293, 3.5).
    if sock.getsockname() == sock.getpeername():
        writer.transport.abort()
        raise NoConnectionError(silent=False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    return Connection(reader, writer)
