# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: without nmap a service is recognised by what it says, never by its port, and no service holds the
scan up. Real servers, each on a port that is another one's."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    IDENTIFIED,
    NOT_IDENTIFIED,
    TIMED_OUT,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition import answers
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.conversation import Heard
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.recognise import recognise

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[4] / ".cache" / "tree"
Serve = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that handles one client after the other, as many simple ones do; gives its port."""
    servers: list[socket.socket] = []

    def start(handle: Callable[[socket.socket], None]) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run() -> None:
            while True:
                try:
                    client = server.accept()[0]
                except OSError:
                    return
                try:
                    with client:
                        handle(client)
                except OSError:
                    continue  # the scanner has gone

        threading.Thread(target=run, daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    for server in servers:
        server.close()


def heard(*ports: int, timeout: float = 0) -> list[Heard]:
    found = recognise({"127.0.0.1": PortSet.of(ports)}, 1000, Stop(timeout))
    return [found["127.0.0.1", port] for port in ports]


def greeting(text: bytes, then: float = 0.5) -> Callable[[socket.socket], None]:
    def handle(client: socket.socket) -> None:
        client.sendall(text)
        time.sleep(then)

    return handle


MARIADB = b"5.5.5-10.11.6-MariaDB-0+deb12u1\0" + b"\0" * 40
HANDSHAKE = len(MARIADB).__add__(1).to_bytes(3, "little") + b"\0\x0a" + MARIADB
BLOCKED = b"\xff\x6a\x04Host '192.0.2.1' is not allowed to connect to this MariaDB server"


@pytest.mark.parametrize(
    ("said", "name", "product", "version"),
    [
        (b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5\r\n", "ssh", "OpenSSH", "9.6p1 Ubuntu 3ubuntu13.5"),
        (b"SSH-2.0-Go\r\n", "ssh", None, None),
        (b"220 mail.example ESMTP Postfix (Debian/GNU)\r\n", "smtp", "Postfix smtpd", None),
        (b"220 mx ESMTP Exim 4.96 Thu, 26 Nov 2026 10:00:00 +0000\r\n", "smtp", "Exim smtpd", "4.96"),
        (b"220 (vsFTPd 3.0.3)\r\n", "ftp", "vsftpd", "3.0.3"),
        (b"220 Files FTP server ready\r\n", "ftp", None, None),
        (HANDSHAKE, "mysql", "MariaDB", "5.5.5-10.11.6-MariaDB-0+deb12u1"),
        (len(BLOCKED).to_bytes(3, "little") + b"\0" + BLOCKED, "mysql", "MariaDB", None),
        (b"+OK Dovecot ready.\r\n", "pop3", None, None),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "imap", None, None),
    ],
)
def test_a_greeting_says_who_it_is(said: bytes, name: str, product: str | None, version: str | None) -> None:
    found = answers.from_greeting(said)
    assert found
    assert (found.service.name, found.service.product, found.service.version) == (name, product, version)
    assert found.service.method == "probed"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"220 ready\r\n",
        b"220 SMTP and FTP here\r\n",
        b"SSH",
        b"ssh-2.0-openssh\r\n",
        b"\x20\0\0\0\x0a5.5",
        HANDSHAKE[:-1],
        HANDSHAKE + b"x",
        b"\0" * 40,
        b"hello\r\n",
    ],
)
def test_a_greeting_of_nobody_known_is_not_guessed(said: bytes) -> None:
    assert answers.from_greeting(said) is None


@pytest.mark.parametrize(
    ("reads", "said"),
    [
        (answers.from_postgres, b"SS"),
        (answers.from_postgres, b"Sorry, no\r\n"),
        (answers.from_postgres, b"E\0\0\0\xffSFATAL"),
        (answers.from_postgres, b""),
        (answers.from_redis, b"-ERR unknown command\r\n"),
        (answers.from_redis, b"+OK\r\n"),
        (answers.from_http, b"HTTP/9.9 hello"),
        (answers.from_http, b"<html>"),
        (answers.from_dns, b"\x76\x70\0\0\0\1\0\0\0\0\0\0"),
        (answers.from_dns, b"\x76\x71\x84\0\0\1\0\0\0\0\0\0"),
        (answers.from_dns_over_tcp, b"\0\x0c\x76\x70\x84"),
    ],
)
def test_an_answer_that_only_looks_alike_is_not_taken(reads: Callable[[bytes], Any], said: bytes) -> None:
    assert reads(said) is None


def test_what_a_service_says_is_shown_and_cut() -> None:
    found = answers.from_http(b"HTTP/1.0 200 OK\r\nServer: evil\x1b[31m/1\r\n\r\n")
    assert found
    assert found.service.product is None
    found = answers.from_greeting(b"SSH-2.0-OpenSSH_9.6p1 Debian-\x1b[2J\xff" + b"a" * 5000 + b"\r\n")
    assert found
    assert found.service.version
    assert found.service.version.isprintable()
    assert len(found.service.version) < 1200


def test_who_is_silent_until_asked_is_asked_in_turn(serve: Serve) -> None:
    def by_line(client: socket.socket) -> None:
        client.settimeout(5)
        first = client.makefile("rb").readline()
        if first.startswith(b"GET / HTTP"):
            client.sendall(b"HTTP/1.0 200 OK\r\nServer: slow/1.2\r\n\r\n")

    def postgres(client: socket.socket) -> None:
        client.settimeout(5)
        if client.recv(8) == b"\0\0\0\x08\x04\xd2\x16\x2f":
            client.sendall(b"N")
            client.recv(1)

    web, database = heard(serve(by_line), serve(postgres))
    assert web.service
    assert (web.identification, web.service.name, web.service.product) == (IDENTIFIED, "http", "slow")
    assert database.service
    assert (database.identification, database.service.name) == (IDENTIFIED, "postgresql")


def test_mail_and_files_are_told_apart_where_the_greeting_does_not(serve: Serve) -> None:
    def speaks(answers_to: dict[bytes, bytes]) -> Callable[[socket.socket], None]:
        def handle(client: socket.socket) -> None:
            client.settimeout(5)
            client.sendall(b"220 ready\r\n")
            for line in client.makefile("rb"):
                client.sendall(answers_to.get(line.split()[0], b"500 what?\r\n"))

        return handle

    found = heard(
        serve(speaks({b"EHLO": b"250-mail\r\n250 HELP\r\n"})),
        serve(speaks({b"FEAT": b"211-Features\r\n211 End\r\n"})),
        serve(speaks({})),
    )
    assert [one.service.name if one.service else None for one in found] == ["smtp", "ftp", None]
    assert found[2].identification == NOT_IDENTIFIED


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    made = (str(folder / "crt"), str(folder / "key"))
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command = ["openssl", "req", "-x509", "-subj", "/CN=x", *curve]
    subprocess.run([*command, "-out", made[0], "-keyout", made[1]], check=True, capture_output=True)
    return made


def test_what_is_inside_tls_is_asked_inside(serve: Serve, certificate: tuple[str, str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def inside(handle: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
        def tls(client: socket.socket) -> None:
            client.settimeout(4)
            if client.recv(1, socket.MSG_PEEK) != b"\x16":
                # As nginx does: HTTP in plain, to say that it is the wrong way.
                client.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\r\nplain HTTP to HTTPS port")
                return
            with context.wrap_socket(client, server_side=True) as wrapped:
                handle(wrapped)

        return tls

    def web(client: socket.socket) -> None:
        client.recv(100)
        client.sendall(b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\n")

    def mute(client: socket.socket) -> None:
        client.recv(100)
        client.recv(100)

    found = heard(serve(inside(web)), serve(inside(greeting(b"220 mx ESMTP Exim 4.96\r\n"))), serve(inside(mute)))
    told = [(one.service.name, one.service.tunnel) for one in found if one.service]
    assert told == [("http", "ssl"), ("smtp", "ssl"), ("ssl", None)]
    assert [one.identification for one in found] == [IDENTIFIED, IDENTIFIED, NOT_IDENTIFIED]


def test_no_service_holds_the_scan_up(serve: Serve) -> None:
    def mute(client: socket.socket) -> None:
        time.sleep(30)

    def drips(client: socket.socket) -> None:
        while True:
            client.sendall(b"\0")
            time.sleep(0.1)

    def floods(client: socket.socket) -> None:
        while True:
            client.sendall(b"A" * 65536)

    def hangs_up(client: socket.socket) -> None:
        return

    def echoes(client: socket.socket) -> None:
        client.settimeout(4)
        while said := client.recv(4096):
            client.sendall(said)

    ports = [serve(handle) for handle in (mute, drips, floods, hangs_up, echoes) for _each in range(3)]
    began = time.monotonic()
    found = heard(*ports)
    assert time.monotonic() - began < 9
    assert [one.identification for one in found] == [TIMED_OUT] * 3 + [NOT_IDENTIFIED] * 12
    assert not any(one.service for one in found)


def test_a_printer_is_sent_nothing() -> None:
    """On 9100 to 9107 what is sent is printed: only a greeting is listened to."""
    sent: list[bytes] = []
    with socket.create_server(("127.0.0.1", 9105)) as server:

        def take() -> None:
            client = server.accept()[0]
            with client:
                try:
                    sent.append(client.recv(100))
                except ConnectionResetError:
                    return  # hung up, and nothing was said

        thread = threading.Thread(target=take)
        thread.start()
        (found,) = heard(9105)
        thread.join(5)
    assert sent in ([b""], [])
    assert found.identification == TIMED_OUT


def test_the_time_of_the_scan_ends_the_questions_too(serve: Serve) -> None:
    def mute(client: socket.socket) -> None:
        time.sleep(30)

    began = time.monotonic()
    found = recognise({"127.0.0.1": PortSet.of([serve(mute)])}, 1000, Stop(0.6))
    assert time.monotonic() - began < 2
    assert found == {}


def scan(**options: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(HERE / "scan_program.py")],
        input=json.dumps({"targets": [{"host": "h", "address": "127.0.0.1"}], "versions": True, **options}).encode(),
        env={**os.environ, "PYTHONPATH": str(TREE)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_connect_engine_says_what_it_identified_and_what_not(serve: Serve) -> None:
    def mute(client: socket.socket) -> None:
        time.sleep(20)

    ports = [serve(greeting(b"SSH-2.0-OpenSSH_9.2p1\r\n")), serve(greeting(b"hello\r\n")), serve(mute)]
    result = scan(ports=ports, engine="connect")
    (target,) = result["targets"]
    told = {e["port"]: (e["identification"], (e["service"] or {}).get("product")) for e in target["endpoints"]}
    assert [told[port] for port in ports] == [("identified", "OpenSSH"), ("not-identified", None), ("timed-out", None)]
    assert target["status"] == "complete"
    unasked = scan(ports=ports, engine="connect", versions=False)
    assert {e["identification"] for e in unasked["targets"][0]["endpoints"]} == {"not-asked"}


@pytest.mark.parametrize("server", ["redis-server"])
def test_a_real_redis_is_identified_with_its_version(server: str, tmp_path: Path) -> None:
    program = shutil.which(server)
    if program is None:
        pytest.skip(f"needs {server}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        try:
            for _attempt in range(100):
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            (found,) = heard(port)
        finally:
            running.kill()
    assert found.service
    assert found.service.name == "redis"
    assert found.service.version
    assert found.whole
