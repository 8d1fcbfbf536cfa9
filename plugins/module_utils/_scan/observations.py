# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What engines are asked and what they give back: the same shapes from every engine.

This module is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import NO_PORTS, PortSet

OPEN = "open"
CLOSED = "closed"
FILTERED = "filtered"
OPEN_OR_FILTERED = "open|filtered"

#: Whether it was asked what answers behind a port, and what came of it. ``TIMED_OUT``: nothing answered in the time
#: there was; ``NOT_IDENTIFIED``: something answered, or hung up, and it cannot be told what it is.
NOT_ASKED = "not-asked"
IDENTIFIED = "identified"
NOT_IDENTIFIED = "not-identified"
TIMED_OUT = "timed-out"

#: What nmap calls a service when it opened the port and could not tell what answers.
UNIDENTIFIED_NAMES = frozenset(("unknown", "tcpwrapped", "ssl", "ssl/unknown", "ssl/tcpwrapped"))

#: The reason nmap gives, and the connect engine with it, when nothing came back at all.
SILENT = "no-response"


class ScanError(Exception):
    """The scan cannot begin: bad options, a missing program, a file that is not there."""


@dataclass(frozen=True)
class ScanRequest:
    """What an engine is to do. ``addresses`` are literal, distinct and validated; times are seconds.

    ``rate`` is packets per second of the scanner as a whole, ``target_rate`` for each address; 0 as
    a time or as ``target_rate`` means no limit. ``canaries`` are TCP ports that are asked besides
    ``tcp``, and ``listening`` is what an address says itself that it listens on (TCP).
    """

    addresses: tuple[str, ...]
    tcp: PortSet = NO_PORTS
    udp: PortSet = NO_PORTS
    rate: int = 500
    retries: int = 1
    host_timeout: int = 0
    versions: bool = False
    scripts: tuple[str, ...] = ()
    canaries: PortSet = NO_PORTS
    target_rate: int = 0
    confirm: bool = False
    listening: Mapping[str, PortSet] = field(default_factory=dict)

    def pace(self, addresses: int) -> int:
        """Packets per second in all, when so many addresses are scanned together."""
        return min(self.rate, self.target_rate * addresses) if self.target_rate else self.rate


@dataclass(frozen=True)
class StateRow:
    """Ports of one address that gave the same answer for the same reason."""

    protocol: str
    state: str
    reason: str
    ports: PortSet


@dataclass(frozen=True)
class Service:
    """What answers behind a port: probed, or only looked up in a table of port numbers."""

    name: str | None
    product: str | None
    version: str | None
    extra: str | None
    tunnel: str | None
    method: str
    confidence: int | None
    cpes: tuple[str, ...]

    @property
    def identification(self) -> str:
        """``IDENTIFIED`` when it answered as something; a name that only the port number gave is none."""
        told = self.method == "probed" and self.name and self.name not in UNIDENTIFIED_NAMES
        return IDENTIFIED if told else NOT_ASKED if self.method == "table" else NOT_IDENTIFIED


@dataclass(frozen=True)
class Script:
    """Output of one nmap script for one endpoint, made visible."""

    id: str
    output: str


@dataclass(frozen=True)
class Endpoint:
    """One port that is open, or open|filtered."""

    protocol: str
    port: int
    state: str
    reason: str
    service: Service | None = None
    scripts: tuple[Script, ...] = ()
    identification: str = NOT_ASKED


@dataclass(frozen=True)
class Seen:
    """All that is known of one address. ``reason`` says why something is missing, if so.

    ``unconfirmed`` says which ports a second pass should have asked again and did not, and why.
    """

    rows: tuple[StateRow, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    reason: str | None = None
    unconfirmed: str | None = None


@dataclass(frozen=True)
class Problem:
    """Something that limits what the evidence may be used for."""

    code: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What an engine did and saw. Addresses that are not in ``seen`` gave nothing at all.

    ``whole`` is false when the engine was stopped, or skipped a part of the work it had to do.
    ``tcp`` and ``udp`` are what was asked, which for an imported file is known only to the file.
    """

    engine: str
    engine_version: str | None
    technique: str | None
    privileged: bool
    seen: Mapping[str, Seen]
    tcp: PortSet
    udp: PortSet
    rate: int | None = None
    retries: int | None = None
    target_rate: int | None = None
    confirm_rate: int | None = None
    canaries: PortSet = NO_PORTS
    sent: int | None = None
    commands: tuple[tuple[str, ...], ...] = ()
    problems: tuple[Problem, ...] = field(default=())
    whole: bool = True
