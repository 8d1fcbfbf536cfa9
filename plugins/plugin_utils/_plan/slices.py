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
#: Of a call. nmap is given ports as one argument, of which Linux takes 128 KiB (MAX_ARG_STRLEN): 20,000 single ports.
_MOST_PORTS = 8192
#: Of a call: with addresses of 39 characters far below what Linux takes as arguments in all.
_MOST_TARGETS = 1000


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
            "targets": [self._row(target) for target in self.targets],
            "ports": [str(self.ports)] if self.ports else [],
            "udp_ports": [str(self.udp_ports)] if self.udp_ports else [],
            "top_ports": self.top_ports,
            "canaries": CANARIES if self.first else 0,
            "confirm": True,
        }

    def _row(self, target: Mapping[str, Any]) -> dict[str, Any]:
        """A target as scan_info takes it, with what it listens on, so that none of it is taken for a port that nobody
        uses; where that is long, only with what this call may ask."""
        row = {key: target[key] for key in ("host", "address", "own_addresses") if key in target}
        listening = PortSet.parse(target.get("listening", ()))
        whole = self.top_ports or len(str(listening)) <= _LONGEST_TEXT
        mine = listening if whole else listening & self.ports
        return {**row, "listening": [str(mine)] if mine else []}


#: Of a longer list of ports, each call gets its own part only.
_LONGEST_TEXT = 2000

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
    parts = list(_chunks(plan.known, _MOST_PORTS)) or [PortSet()]
    more = bool(plan.top_ports or plan.sweep)
    # A call that asks for no port is refused; where something else is asked, that comes first.
    targets = [one for one in plan.targets if plan.known or not (more or one.get("udp_ports") or one.get("own"))]
    for group in _groups(targets, min(len(plan.known), _MOST_PORTS) + CANARIES, pace):
        for number, ports in enumerate(parts):
            yield Slice(group, ports, PortSet(), 0, first=number == 0)
    yield from _own_calls(plan.targets, pace)
    yield from _further_calls(plan, pace)


def _further_calls(plan: ScanPlan, pace: Pace) -> Iterator[Slice]:
    """The calls about ports that nobody spoke of."""
    if plan.top_ports:
        for group in _groups(plan.targets, plan.top_ports, pace):
            yield Slice(group, PortSet(), PortSet(), plan.top_ports, first=not plan.known)
    if plan.sweep:
        for group in _groups(plan.targets, _FEWEST_PORTS, pace):
            for number, ports in enumerate(_chunks(plan.sweep, _most(len(group), pace))):
                yield Slice(group, ports, PortSet(), 0, first=not (plan.known or plan.top_ports or number))


def _own_calls(targets: Sequence[Mapping[str, Any]], pace: Pace) -> Iterator[Slice]:
    """The calls about ports that are asked of single targets."""
    for key, text, alike in _asked_alike(targets):
        ports = PortSet.parse([text])
        for group in _groups(alike, min(len(ports), _MOST_PORTS), pace):
            for part in _chunks(ports, _MOST_PORTS):
                tcp, udp = (part, PortSet()) if key == "own" else (PortSet(), part)
                yield Slice(group, tcp, udp, 0, first=False)


def _asked_alike(
    targets: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, str, Sequence[Mapping[str, Any]]]]:
    """Targets that alone are asked for the same ports: UDP that they have, and TCP (``own``)."""
    alike: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for target in targets:
        for key in ("udp_ports", "own"):
            if target.get(key):
                alike.setdefault((key, target[key]), []).append(target)
    for (key, text), group in alike.items():
        yield key, text, group


def _groups(targets: Sequence[Mapping[str, Any]], ports: int, pace: Pace) -> Iterator[tuple[Mapping[str, Any], ...]]:
    """Targets in groups that take about a slice for so many ports each."""
    size = 1
    while size < min(len(targets), _MOST_TARGETS) and pace.seconds(size + 1, ports) <= SLICE_SECONDS:
        size += 1
    for start in range(0, len(targets), size):
        yield tuple(targets[start : start + size])


def _most(targets: int, pace: Pace) -> int:
    """How many ports of so many targets fit into a slice."""
    return min(_MOST_PORTS * 2, max(_FEWEST_PORTS, _fitting(targets, pace)))


def _fitting(targets: int, pace: Pace) -> int:
    return int(SLICE_SECONDS * pace.effective(targets) / (targets * (1 + pace.retries)))


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
