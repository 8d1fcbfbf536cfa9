# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second, slow pass: which ports it asks again, at what pace, and what two answers mean together.

A fast scan loses answers, and a firewall may answer for a host, or shut itself to a scanner, in the
middle of it. What matters is asked twice: what is open, and what contradicts the host.

This module is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterable

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    OPEN,
    SILENT,
    Endpoint,
    Problem,
    ScanRequest,
    Seen,
    StateRow,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import NO_PORTS, PortSet

#: With more ports than this to ask again on one address, something answers for ports that nobody
#: serves, and asking each of them would take hours.
MOST_AGAIN = 500

_SLOWER = 5
_SLOWEST, _FASTEST = 100, 1000  # packets per second


@dataclass(frozen=True)
class Question:
    """What is asked of some addresses together: the same ports of each of them."""

    addresses: tuple[str, ...]
    tcp: PortSet
    udp: PortSet
    needed: int  # probes, when each address were asked for its own ports only

    @property
    def in_vain(self) -> int:
        """Ports asked that nobody wanted to know."""
        return len(self.addresses) * (len(self.tcp) + len(self.udp)) - self.needed


def confirmation_pace(request: ScanRequest) -> ScanRequest:
    """The same request at a fifth of the rate, between 100 and 1000 packets a second, with one more retry.

    Addresses have different ports to be asked again, so the limit for each address is kept by all together.
    """
    rate = min(request.rate, max(_SLOWEST, min(request.rate // _SLOWER, _FASTEST)))
    return replace(
        request,
        rate=min(rate, request.target_rate) if request.target_rate else rate,
        retries=request.retries + 1,
        target_rate=0,
        canaries=NO_PORTS,
    )


def open_ports(seen: Seen, protocol: str) -> PortSet:
    """The ports of a protocol that answered open."""
    return PortSet.of(e.port for e in seen.endpoints if e.protocol == protocol and e.state == OPEN)


def contradicting(seen: Seen, listening: PortSet) -> PortSet:
    """The TCP ports that were answered for, or not answered at all, though the host says it listens there."""
    found = NO_PORTS
    for row in seen.rows:
        if row.protocol == "tcp" and row.state != OPEN:
            found |= row.ports & listening
    return found


def together(questions: Iterable[Question], in_vain: float) -> list[Question]:
    """The questions in few groups: each asks at most ``in_vain`` probes that are not needed.

    Addresses with different UDP ports are never in one group: a silent UDP port costs many seconds.
    """
    groups: list[Question] = []
    for one in questions:
        for number, group in enumerate(groups):
            joined = Question(
                group.addresses + one.addresses, group.tcp | one.tcp, group.udp, group.needed + one.needed
            )
            if group.udp == one.udp and joined.in_vain <= in_vain:
                groups[number] = joined
                break
        else:
            groups.append(one)
    return groups


def seen_twice(address: str, first: Seen, second: Seen, wanted: PortSet) -> tuple[Seen, list[Problem]]:
    """What two passes saw of the TCP ports of an address. ``wanted`` is what the second was made for.

    The later answer counts, but silence is no answer: a port that answered open once and is silent
    later stays open, because a firewall that shuts itself to a scanner looks like that. Each
    difference is in the reason of the port, and is named.
    """
    before, after = _by_port(first), _by_port(second)
    changed: dict[int, tuple[str, str]] = {}
    unconfirmed: list[str] = []
    found: list[str] = []
    for port, (state, reason) in sorted(after.items()):
        was, why = before.get(port, (None, ""))
        if was is None:
            changed[port] = (state, reason)
        elif state == was or (was != OPEN and reason == SILENT):
            continue
        elif was == OPEN and reason == SILENT:
            changed[port] = (OPEN, f"{why}, silent when asked again")
            unconfirmed.append(f"{port} was open, and silent when asked again")
        else:
            changed[port] = (state, f"{reason}, first seen {was}")
            if was == OPEN:
                unconfirmed.append(f"{port} was open, and {state} ({reason}) when asked again")
            elif state == OPEN:
                found.append(f"{port} ({was} at first)")
    not_asked = PortSet.of(port for port in wanted if port not in after)
    if not_asked:
        why = second.reason or "the second pass said nothing about them"
        first = replace(first, unconfirmed=f"ports {not_asked} were not asked a second time: {why}")
        unconfirmed.append(str(first.unconfirmed))
    problems = []
    if unconfirmed:
        problems.append(Problem("not-confirmed", f"{address}: {'; '.join(unconfirmed)}"))
    if found:
        message = f"{address}: ports that were open only when asked again, slowly: {', '.join(found)}"
        problems.append(Problem("missed-at-first", message))
    return _with(first, changed), problems


def _by_port(seen: Seen) -> dict[int, tuple[str, str]]:
    return {port: (row.state, row.reason) for row in seen.rows if row.protocol == "tcp" for port in row.ports}


def _with(seen: Seen, changed: dict[int, tuple[str, str]]) -> Seen:
    if not changed:
        return seen
    moved = PortSet.of(changed)
    rows = [replace(row, ports=row.ports - moved) if row.protocol == "tcp" else row for row in seen.rows]
    for state, reason in dict.fromkeys(changed.values()):
        ports = PortSet.of(port for port, now in changed.items() if now == (state, reason))
        rows.append(StateRow("tcp", state, reason, ports))
    endpoints = [e for e in seen.endpoints if e.protocol != "tcp" or e.port not in changed]
    endpoints += [Endpoint("tcp", port, *now) for port, now in sorted(changed.items()) if now[0] == OPEN]
    return replace(seen, rows=tuple(row for row in rows if row.ports), endpoints=tuple(endpoints))
