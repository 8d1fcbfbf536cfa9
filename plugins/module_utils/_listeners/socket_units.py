# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sockets that systemd holds for services, and what each of them starts.

Where the kernel tells the socket's cgroup, that names the unit already; what it triggers only systemd knows.
Sources: systemd.socket(5), systemctl(1). This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Iterator

from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import BoundSocket, SocketUnit
from ansible_collections.vigil.ports.plugins.module_utils._listeners.programs import ProgramError, Runner

# Each part has an end (an address has at most 45 characters, a device 15), so that no text takes quadratic time.
_LISTEN = re.compile(
    r"(?P<address>\[[^][]{0,45}\]|[0-9.]{7,15}):(?P<port>[0-9]{1,5})(?:%\S{1,15})? \((?P<kind>Stream|Datagram)\)"
)
_LAST_PORT = 65535
_PROTOCOLS = {"Stream": "tcp", "Datagram": "udp"}


def ask_systemd(run: Runner) -> tuple[SocketUnit, ...]:
    """All loaded socket units. Raises ProgramError."""
    answer = run(["systemctl", "show", "--no-pager", "--property=Id,Triggers,Listen", "--", "*.socket"])
    if answer.status != 0:
        raise ProgramError(f"systemctl ended with {answer.status}: {answer.errors.decode('utf-8', 'replace').strip()}")
    return parse(answer.output)


def parse(output: bytes) -> tuple[SocketUnit, ...]:
    """Blocks of ``Key=value`` lines, one block a unit; Listen may be there several times."""
    found = []
    for block in re.split(r"\n{2,}", output.decode("utf-8", "surrogateescape")):
        values: dict[str, list[str]] = {}
        for line in block.split("\n"):
            key, _equals, value = line.partition("=")
            values.setdefault(key, []).append(value)
        name = "".join(values.get("Id", []))
        if name.endswith(".socket"):
            triggers = " ".join(values.get("Triggers", [])).split()
            found.append(SocketUnit(name, triggers[0] if triggers else None, _listens(values.get("Listen", []))))
    return tuple(found)


def _listens(lines: list[str]) -> frozenset[tuple[str, str, int]]:
    return frozenset(_endpoints(" ".join(lines)))


def _endpoints(text: str) -> Iterator[tuple[str, str, int]]:
    for match in _LISTEN.finditer(text):
        try:
            address = ipaddress.ip_address(match["address"].strip("[]"))
        except ValueError:
            continue  # what systemd writes for another kind of address is not an endpoint
        if 0 < int(match["port"]) <= _LAST_PORT:
            yield _PROTOCOLS[match["kind"]], str(address), int(match["port"])


def unit_for(socket: BoundSocket, units: tuple[SocketUnit, ...]) -> SocketUnit | None:
    """The unit that declares this endpoint. One listening on ``[::]`` is not one on ``0.0.0.0``."""
    endpoint = (socket.protocol, socket.address, socket.port)
    return next((unit for unit in units if endpoint in unit.listens), None)
