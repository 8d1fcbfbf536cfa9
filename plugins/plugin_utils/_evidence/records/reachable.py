# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen from a vantage point, as scan_info returns it and as calls add up. Private to the collection.

Fields that are absent in evidence of 0.2 may be absent here.
"""

from __future__ import annotations

from typing import Literal

from ..codec import UNSET, Record, UnsetType
from ..kept import Kept
from ..observed import address_of
from .values import AskedPorts, Machine, Port, Ports, Problem, Time, check_ports

SCAN_SHAPE: Literal["vigil.ports/evidence/scan/1"] = "vigil.ports/evidence/scan/1"

#: Evidence of a scan is refused where it is larger. 10,000 targets with 50 open ports each are 300 MB.
MOST_BYTES = 1 << 30

#: What a port answers. ``open|filtered`` is no answer at all.
State = Literal["open", "closed", "filtered", "open|filtered"]


class Service(Record, frozen=True, kw_only=True):
    """What answers on a port, as it was recognised."""

    name: str | None
    """Its name, as nmap-services has it."""
    product: str | None
    """The product that said it is."""
    version: str | None
    """The version that it said."""
    extra: str | None
    """What else it said."""
    tunnel: str | None
    """ssl, where it answers inside of TLS."""
    method: str | None
    """probed, or table: a guess from the number of the port alone."""
    confidence: int | None
    """How sure nmap is, from 0 to 10."""
    cpes: tuple[str, ...]
    """Its names in the CPE dictionary."""


class Script(Record, frozen=True, kw_only=True):
    """What a script of nmap printed."""

    id: str
    """The script."""
    output: str
    """What it printed."""


class Endpoint(Record, frozen=True, kw_only=True):
    """A port that was seen open, or open|filtered."""

    protocol: str
    """tcp or udp."""
    port: Port
    """The port."""
    state: State
    """What it answered."""
    reason: str
    """By which packet, as nmap names it."""
    service: Service | None
    """What answers there; null where it is not known."""
    scripts: tuple[Script, ...]
    """What scripts of nmap printed."""
    identification: Literal["not-asked", "identified", "not-identified", "timed-out"] | UnsetType = UNSET
    """Whether it was asked what answers there, and what came of it. Absent before 0.3."""


class StateRow(Record, frozen=True, kw_only=True):
    """Ports of one protocol that answered alike."""

    protocol: str
    """tcp or udp."""
    state: State
    """What they answered."""
    reason: str
    """By which packet, as nmap names it."""
    ports: Ports
    """The ports."""

    def __post_init__(self) -> None:
        check_ports(self.ports, 0)


class UnknownPorts(Record, frozen=True, kw_only=True):
    """Ports that were asked and of which nothing is known."""

    protocol: str
    """tcp or udp."""
    ports: Ports
    """The ports."""

    def __post_init__(self) -> None:
        check_ports(self.ports, 0)


class Canaries(Record, frozen=True, kw_only=True):
    """TCP ports that nobody uses and that answered alike."""

    state: State
    """What they answered."""
    ports: Ports
    """The ports."""

    def __post_init__(self) -> None:
        check_ports(self.ports, 0)


class Target(Record, frozen=True, kw_only=True):
    """One address of one host, as a scanner saw it."""

    host: str
    """The host, as the inventory names it."""
    address: str
    """The address; a name only where it did not resolve."""
    status: Literal["complete", "partial", "failed", "refused", "untrusted"]
    """What came of it."""
    reason: str | None
    """Why it is not complete."""
    states: tuple[StateRow, ...]
    """The ports by their state."""
    unknown: tuple[UnknownPorts, ...]
    """The ports that were asked and of which nothing is known."""
    endpoints: tuple[Endpoint, ...]
    """The ports that were seen open, or open|filtered."""
    given: str | UnsetType = UNSET
    """What was to be scanned: a name is resolved once, and each of its addresses asked everything. Absent before
    0.3."""
    canaries: tuple[Canaries, ...] | UnsetType = UNSET
    """What TCP ports that nobody uses answered. It tells what the address does with any other port, whichever were
    asked. Absent before 0.3."""

    def __post_init__(self) -> None:
        if self.states or self.endpoints:  # what was seen was seen at an address; a name that did not resolve was not
            address_of(self.address)


class ScanCoverage(Record, frozen=True, kw_only=True):
    """What was asked and how, and what was not."""

    started: Time
    """When the scan began."""
    finished: Time
    """When it ended."""
    engine: Literal["nmap", "connect", "import"]
    """What scanned."""
    engine_version: str | None
    """Its version."""
    why: str
    """Why this engine."""
    technique: str | None
    """syn or connect, as nmap names it."""
    privileged: bool | None
    """Whether it could send raw packets."""
    rate: int | None
    """Probes a second, at most, in all."""
    retries: int | None
    """How often a port without an answer is asked again."""
    asked: AskedPorts
    """The ports that were asked."""
    sent: int | None
    """How many probes were sent; null where that is not known."""
    answered: int | None
    """How many ports answered."""
    timed_out: int | None
    """How many did not."""
    commands: tuple[tuple[str, ...], ...]
    """The exact commands that were run."""
    complete: bool
    """Whether every target was scanned in full."""
    problems: tuple[Problem, ...]
    """What did not go as it should."""
    target_rate: int | UnsetType | None = UNSET
    """Probes a second, at most, to each target. Absent before 0.3."""
    confirm_rate: int | UnsetType | None = UNSET
    """Probes a second of the second look at what was open. Absent before 0.3."""
    canaries: Ports | UnsetType = UNSET
    """The TCP ports that nobody uses and that were asked. Absent before 0.3."""


class ScanAnswer(Record, frozen=True, kw_only=True):
    """The result of scan_info."""

    targets: tuple[Target, ...]
    """What was seen of each target."""
    coverage: ScanCoverage
    """What was asked and how, and what was not."""
    machine: Machine
    """Which machine answered."""


class PlannedTarget(Record, frozen=True, kw_only=True):
    """An address that a scanner was sent to."""

    host: str
    """The host, as the inventory names it."""
    address: str
    """The address or name."""
    udp_ports: Ports | UnsetType = UNSET
    """UDP is asked only of the host that has it. Absent before 0.3, when all were asked."""
    own: Ports | UnsetType = UNSET
    """TCP ports that this host alone is asked, because it claims so many. Absent before 0.3."""
    left_out: Ports | UnsetType = UNSET
    """TCP ports that the host claims and that are not asked: more than one host may claim. Unknown, therefore."""


class RefusedTarget(Record, frozen=True, kw_only=True):
    """An address that a scanner must not be sent to."""

    host: str
    """The host, as the inventory names it."""
    address: str
    """The address or name."""
    reason: str
    """Why."""


class Plan(Record, frozen=True, kw_only=True):
    """What a scanner was sent to ask."""

    depth: Literal["known", "common", "full"]
    """How deep the scan goes."""
    targets: tuple[PlannedTarget, ...]
    """The addresses."""
    refused: tuple[RefusedTarget, ...]
    """Those that it must not be sent to."""
    known: Ports
    """TCP ports that are asked first."""
    udp_ports: Ports
    """UDP ports that some target is asked."""
    sweep: Ports
    """TCP ports that are asked after them."""
    top_ports: int
    """How many of the most frequent TCP ports are asked after them."""


class Share(Record, frozen=True, kw_only=True):
    """One scanner's part of the scan of a vantage point."""

    scanner: str
    """The scanner, as the inventory names it."""
    status: Literal["scanned", "failed", "unreachable", "interrupted"]
    """What became of it."""
    message: str | None
    """Why it did not scan, or not to the end."""
    instead_of: tuple[str, ...]
    """The lost scanners from which this share was taken over."""
    plan: Plan
    """What it was sent to ask."""
    targets: tuple[Target, ...]
    """What it saw."""
    coverage: ScanCoverage | None
    """What it asked and how; null where it did not answer."""
    machines: tuple[Machine, ...] | UnsetType = UNSET
    """The machines that answered as this scanner: one, unless its name led elsewhere on the way. Absent before 0.3."""
    known_as: Machine | UnsetType | None = UNSET
    """The machine that answered as this scanner before, null where none did. Absent before 0.3."""


class ScanEvidence(Record, frozen=True, kw_only=True):
    """``evidence/scans/VANTAGE.json``: what was seen from one vantage point."""

    shape: Literal["vigil.ports/evidence/scan/1"]
    """Marks the file."""
    vantage: str
    """The vantage point."""
    shares: tuple[Share, ...]
    """What each of its scanners saw."""


#: What was seen from each vantage point.
SCANS = Kept("evidence/scans", ScanEvidence, SCAN_SHAPE, "vantage", MOST_BYTES)
