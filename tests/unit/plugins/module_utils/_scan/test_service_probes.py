# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: nmap's questions stay what they are, only the waits are shorter, and a mute service is bounded."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import NmapProgram, find_nmap
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import NO_PORTS, PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.service_probes import (
    SILENT,
    SPOKE,
    hurried,
    write_hurried_probes,
)

OWN = b"""# a comment
Exclude T:9100-9107
Probe TCP NULL q||
totalwaitms 6000
tcpwrappedms 3000
match ssh m|^SSH| p/Probe TCP/
Probe TCP Help q|HELP\\r\\n|
rarity 3
totalwaitms 7500
Probe TCP Slow q|x|
rarity 8
totalwaitms 11000
Probe UDP DNS q|y|
rarity 1
"""


def test_only_waits_change() -> None:
    new = hurried(OWN)
    assert new == OWN.replace(b" 6000", b" 500").replace(
        b"|HELP\\r\\n|\nrarity 3\ntotalwaitms 7500", b"|HELP\\r\\n|\ntotalwaitms 3000\nrarity 3"
    ).replace(b"q|y|\n", b"q|y|\ntotalwaitms 3000\n")


def test_what_was_silent_before_is_waited_for_less_and_asked_the_same() -> None:
    new = hurried(OWN + b"Probe TCP Rare q|z|\nrarity 6\n", SILENT)
    waits = [line for line in new.splitlines() if line.startswith(b"totalwaitms")]
    assert waits == [b"totalwaitms %d" % ms for ms in (100, 300, 2000, 300, 2000)]
    assert [line for line in new.splitlines() if line.startswith(b"Probe ")] == [
        line for line in OWN.splitlines() if line.startswith(b"Probe ")
    ] + [b"Probe TCP Rare q|z|"]


def test_a_port_that_many_rare_questions_are_known_for_is_bounded_all_the_same() -> None:
    rare = b"".join(b"Probe TCP R%d q|z|\nrarity 6\nports 80,8000-8080\n" % number for number in range(6))
    for port, wait in ((8080, 250), (22, 2000)):
        waits = SILENT.for_ports(OWN + rare, PortSet.of([port]))
        assert hurried(OWN + rare, waits).count(b"totalwaitms %d\nrarity 6" % wait) == 6
    assert SPOKE.for_ports(OWN + rare, PortSet.of([8080])) == SPOKE


def test_what_is_not_there_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "nmap").touch()
    assert write_hurried_probes(NmapProgram(str(tmp_path / "nmap"), "7.93"), str(tmp_path), SPOKE, NO_PORTS) is None


def test_nmaps_own_file_keeps_every_question(nmap_path: str, tmp_path: Path) -> None:
    program = find_nmap()
    assert program
    written = write_hurried_probes(program, str(tmp_path), SPOKE, NO_PORTS)
    assert written, nmap_path
    lines = Path(written).read_bytes().split(b"\n")
    assert lines.count(b"totalwaitms 500") == 1
    assert sum(line.startswith(b"Probe ") for line in lines) > 100
    assert sum(line.startswith(b"match ") for line in lines) > 5000


@pytest.fixture
def silent_services() -> Any:
    """Ports that take a connection: one says nothing ever, one greets after two seconds."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _server in range(2)]
    kept: list[socket.socket] = []

    def take(server: socket.socket, greeting: bytes) -> None:
        while True:
            try:
                client = server.accept()[0]
            except OSError:
                return
            kept.append(client)
            if greeting:
                threading.Timer(2, lambda client=client: _say(client, greeting)).start()

    threads = [
        threading.Thread(target=take, args=(server, greeting), daemon=True)
        for server, greeting in zip(servers, (b"", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), strict=True)
    ]
    for thread in threads:
        thread.start()
    yield [server.getsockname()[1] for server in servers]
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join()
    for client in kept:
        client.close()


def _say(client: socket.socket, text: bytes) -> None:
    try:
        client.sendall(text)
    except OSError:
        return  # the scanner has gone


def test_a_late_greeting_is_identified_and_a_mute_service_bounded(silent_services: list[int], nmap_path: str) -> None:
    started = time.monotonic()
    options = {"targets": [{"host": "h", "address": "127.0.0.1"}], "ports": silent_services, "engine": "nmap"}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("scan_program.py"))],
        input=json.dumps({**options, "versions": True, "confirm": True}).encode(),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[5] / ".cache" / "tree")},
        capture_output=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert time.monotonic() - started < 20  # 164 s as nmap comes, 19 s with all its waits shortened
    (target,) = result["targets"]
    assert [e["identification"] for e in target["endpoints"]] == [
        "timed-out" if e["port"] == silent_services[0] else "identified" for e in target["endpoints"]
    ]
    services = [e["service"] for e in result["targets"][0]["endpoints"]]
    found = dict(zip([e["port"] for e in result["targets"][0]["endpoints"]], services, strict=True))
    assert found[silent_services[1]]["product"] == "OpenSSH"
    assert (found[silent_services[0]] or {"method": "table"})["method"] == "table"
    (asked,) = [argv for argv in result["coverage"]["commands"] if "-sV" in argv]
    assert asked[asked.index("-p") + 1] == str(silent_services[0])  # the other one was recognised
    assert "--versiondb" in asked
