# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports of a declaration or an exception. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Sequence

#: TCP, UDP and SCTP carry the port in 16 bits; 0 is reserved (RFC 6335, section 6).
LAST_PORT = 65535


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports ``first`` to ``last``, both included; a single port when they are equal."""

    first: int
    last: int

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.first <= port <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def is_single(self) -> bool:
        return self.first == self.last

    @property
    def subject(self) -> int | str:
        """The port as findings name it: a number, or ``"8000-8010"``."""
        return self.first if self.first == self.last else str(self)

    def overlaps(self, other: PortRange) -> bool:
        return self.first <= other.last and other.first <= self.last


DYNAMIC = "dynamic"


@dataclasses.dataclass(frozen=True, slots=True)
class DynamicPort:
    """A port that the declared process takes as it starts: known by who listens, and by no number.

    So it holds no port itself. ``by`` is how findings know it from other dynamic ports of the host.
    """

    by: str

    def __contains__(self, port: object) -> bool:
        return False

    def __str__(self) -> str:
        return self.subject

    @property
    def is_single(self) -> bool:
        return False

    @property
    def subject(self) -> str:
        """As findings name it: ``"dynamic:rpc.statd"``."""
        return f"{DYNAMIC}:{self.by}"


Ports = PortRange | DynamicPort

_UNSAFE = re.compile(r"[^A-Za-z0-9_.@:/+-]")
_LONGEST_NAME = 80


def dynamic_port(names: Sequence[str]) -> DynamicPort:
    """The dynamic port of processes, or of a unit, by a short name of plain characters."""
    return DynamicPort(_short_name(names))


def _short_name(names: Sequence[str]) -> str:
    """One name of plain characters for all; where something was left out with a digest, so that it stays apart."""
    whole = "+".join(names)
    plain = _UNSAFE.sub("_", whole)[:_LONGEST_NAME]
    if plain == whole:
        return plain
    return f"{plain}:{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


_HELD_BY, _EPHEMERAL = "held-by", "ephemeral"


def held_by(names: Sequence[str]) -> str:
    """What findings about sockets without a port name: ``"held-by:dhclient/root"``."""
    return f"{_HELD_BY}:{_short_name(names)}"


def ephemeral_ports(names: Sequence[str]) -> str:
    """What findings about the ports that the kernel picked for processes name: ``"ephemeral:chronyd/_chrony"``."""
    return f"{_EPHEMERAL}:{_short_name(names)}"


def is_ephemeral(subject: int | str | None) -> bool:
    """Whether a finding is about the ports that the kernel picked for a process."""
    return isinstance(subject, str) and subject.startswith(f"{_EPHEMERAL}:")


def is_by_owner(subject: int | str | None) -> bool:
    """Whether a finding is about what some process holds, and about no port by its number."""
    return isinstance(subject, str) and subject.partition(":")[0] in (DYNAMIC, _HELD_BY, _EPHEMERAL)


def span_of(subject: int | str) -> tuple[int, int]:
    """First and last port of a finding; of what is known by its owner all, as it may be any of them."""
    if is_by_owner(subject):
        return 1, LAST_PORT
    first, _dash, last = str(subject).partition("-")
    return int(first), int(last or first)


def place_in_order(subject: int | str) -> int:
    """Where a port is in a list: by its number, those that are known by their owner last."""
    return LAST_PORT + 1 if is_by_owner(subject) else span_of(subject)[0]


def parse_port(value: int | str) -> PortRange:
    """The range that ``443``, ``"443"`` or ``"8000-8010"`` means. Raises ValueError with the reason.

    The schema has already refused every other form.
    """
    if isinstance(value, int):
        first = last = value
    else:
        first, last = (int(part) for part in (value.split("-") if "-" in value else (value, value)))
    if last > LAST_PORT or first > LAST_PORT:
        raise ValueError(f"a port is at most {LAST_PORT}")
    if first > last:
        raise ValueError("the range is reversed")
    return PortRange(first, last)
