# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where alerts arrive in the tests: a real SMTP server and a real HTTP server on loopback, both with passwords."""

from __future__ import annotations

import base64
import dataclasses
import email
import email.policy
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

#: What must never be seen anywhere but at the receivers.
PASSWORD, TOKEN = "hunter2-correct-horse", "hook-token-8d1c2f"


@dataclasses.dataclass
class Mailbox:
    """A mail server; ``mails`` are what it took."""

    port: int = 0
    mails: list[Any] = dataclasses.field(default_factory=list)

    @property
    def url(self) -> str:
        to = "from=vigil@example.com&to=ops@example.com&smtp=127.0.0.1&mode=insecure"
        return f"mailto://vigil:{PASSWORD}@example.com:{self.port}?{to}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mail server that takes mail from who has the password."""

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        is_known = isinstance(data, LoginPassword) and data == LoginPassword(b"vigil", PASSWORD.encode())
        return AuthResult(success=is_known, handled=False)

    box = Mailbox()
    with socket_free("127.0.0.1") as port:
        box.port = port
    server = Controller(
        box, "127.0.0.1", box.port, authenticator=authenticate, auth_required=True, auth_require_tls=False
    )
    server.start()
    try:
        yield box
    finally:
        server.stop()


@contextmanager
def socket_free(address: str) -> Iterator[int]:
    """A port that nobody uses now."""
    with http.server.HTTPServer((address, 0), http.server.BaseHTTPRequestHandler) as server:
        yield server.server_address[1]


class _Hook(http.server.BaseHTTPRequestHandler):
    taken: ClassVar[list[Any]]
    status: ClassVar[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        login = "Basic " + base64.b64encode(f"vigil:{PASSWORD}".encode()).decode()
        allowed = self.headers["Authorization"] == login and self.path == f"/{TOKEN}"
        if allowed and self.status == 200:
            self.taken.append(json.loads(body))
        self.send_response(self.status if allowed else 401)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@dataclasses.dataclass
class Webhook:
    """A receiver of JSON that can be taken away, and come back at the same port."""

    port: int
    taken: list[Any]
    handler: Any
    server: http.server.HTTPServer | None = None

    @property
    def url(self) -> str:
        return f"json://vigil:{PASSWORD}@127.0.0.1:{self.port}/{TOKEN}"

    def up(self) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@contextmanager
def webhook(status: int = 200) -> Iterator[Webhook]:
    """A receiver that answers with this status who has the password."""
    taken: list[Any] = []
    hook = Webhook(0, taken, type("Hook", (_Hook,), {"taken": taken, "status": status}))
    hook.up()
    try:
        yield hook
    finally:
        hook.down()
