# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scan in short calls, so that it can be watched, stopped and cut short without loss. Pure.

This module is private to the collection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

from .scan_plan import ScanPlan

#: About how long a call may last. Longer, and progress is slow to show and an interrupted scan slow to end;
#: shorter, and the start of each call (about a second over SSH) weighs.
SLICE_SECONDS = 20
#: Ports that nobody uses, asked of each target: whoever answers on them answers on everything.
CANARIES = 6
#: A call with fewer ports than this would spend its time on starting.
_FEWEST_PORTS = 512


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """How fast a scanner may go: probes a second in all, and to each target (0: no limit of its own)."""

    rate: int
    target_rate: int
    retries: int

    def seconds(self, targets: int, ports: int) -> float:
        """How long so many ports of so many targets take when none answers."""
        return targets * ports * (1 + self.retries) / self.effective(targets)

    def effective(self, targets: int) -> int:
        return min(self.rate, self.target_rate * targets) if self.target_rate else self.rate


@dataclasses.dataclass(frozen=True, slots=True)
class Slice:
    """One call of scan_info. ``probes`` weighs it for the progress."""

    targets: tuple[Mapping[str, Any], ...]
    ports: PortSet
    udp_ports: PortSet
    top_ports: int
    first: bool

    @property
    def probes(self) -> int:
        return len(self.targets) * (len(self.ports) + len(self.udp_ports) + self.top_ports)

    def options(self) -> dict[str, Any]:
        """The options of scan_info that say what to ask; the first call to a target also asks for canaries."""
        return {
            "targets": list(self.targets),
            "ports": [str(self.ports)] if self.ports else [],
            "udp_ports": [str(self.udp_ports)] if self.udp_ports else [],
            "top_ports": self.top_ports,
            "canaries": CANARIES if self.first else 0,
            "confirm": True,
        }


#: Open ports that are asked what answers in one call. All are asked at the same time, each for seconds.
_MOST_SERVICES = 1000


def service_calls(opened: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The calls of scan_info that ask what answers on ports found open, each port once.

    ``opened``: rows of ``host``, ``address``, ``open`` (TCP) and ``open_udp``.
    """
    part: list[Mapping[str, Any]] = []
    room = _MOST_SERVICES
    for row in opened:
        needed = len(row["open"]) + len(row["open_udp"])
        if part and needed > room:
            yield _service_call(part)
            part, room = [], _MOST_SERVICES
        part.append(row)
        room -= needed
    if part:
        yield _service_call(part)


def _service_call(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {"targets": rows, "ports": [], "udp_ports": [], "top_ports": 0, "canaries": 0, "confirm": False}


def slices(plan: ScanPlan, pace: Pace) -> Iterator[Slice]:
    """The calls of a plan: for all targets what is known first, then the rest."""
    known = len(plan.known) + len(plan.udp_ports) + CANARIES
    for group in _groups(plan.targets, known, pace):
        yield Slice(group, plan.known, plan.udp_ports, 0, first=True)
    if plan.top_ports:
        for group in _groups(plan.targets, plan.top_ports, pace):
            yield Slice(group, PortSet(), PortSet(), plan.top_ports, first=False)
    if plan.sweep:
        for group in _groups(plan.targets, _FEWEST_PORTS, pace):
            for ports in _chunks(plan.sweep, _most(len(group), pace)):
                yield Slice(group, ports, PortSet(), 0, first=False)


def _groups(targets: Sequence[Mapping[str, Any]], ports: int, pace: Pace) -> Iterator[tuple[Mapping[str, Any], ...]]:
    """Targets in groups that take about a slice for so many ports each."""
    size = 1
    while size < len(targets) and pace.seconds(size + 1, ports) <= SLICE_SECONDS:
        size += 1
    for start in range(0, len(targets), size):
        yield tuple(targets[start : start + size])


def _most(targets: int, pace: Pace) -> int:
    """How many ports of so many targets fit into a slice."""
    return max(_FEWEST_PORTS, int(SLICE_SECONDS * pace.effective(targets) / (targets * (1 + pace.retries))))


def _chunks(ports: PortSet, size: int) -> Iterator[PortSet]:
    """A set of ports in parts of ``size`` ports, in ascending order."""
    part: list[tuple[int, int]] = []
    room = size
    for span in ports.ranges:
        first, last = span
        while first <= last:
            taken = min(last, first + room - 1)
            part.append((first, taken))
            room -= taken - first + 1
            first = taken + 1
            if not room:
                yield PortSet(tuple(part))
                part, room = [], size
    if part:
        yield PortSet(tuple(part))
