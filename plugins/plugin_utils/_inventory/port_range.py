# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports of a declaration or an exception. This module is private to the collection."""

from __future__ import annotations

import dataclasses

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
    def subject(self) -> int | str:
        """The port as findings name it: a number, or ``"8000-8010"``."""
        return self.first if self.first == self.last else str(self)

    def overlaps(self, other: PortRange) -> bool:
        return self.first <= other.last and other.first <= self.last


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
