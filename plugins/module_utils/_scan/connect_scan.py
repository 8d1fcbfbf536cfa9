# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scan without nmap: TCP by connects in one or two passes, then UDP by connected sockets.

This module is private to the collection.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.vigil.ports.plugins.module_utils._scan.canaries import distrust
from ansible_collections.vigil.ports.plugins.module_utils._scan.connect_engine import ConnectScan
from ansible_collections.vigil.ports.plugins.module_utils._scan.connect_udp import UdpScan
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import Outcome, Problem, ScanRequest, Seen
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import NO_PORTS, PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.second_pass import (
    MOST_AGAIN,
    confirmation_pace,
    contradicting,
    open_ports,
    seen_twice,
)


def scan_by_connects(request: ScanRequest, stop: Stop) -> Outcome:
    """What connects say, and with ``request.confirm`` say again, of each address; and what answers over UDP."""
    outcome = _tcp(request, stop)
    return _with_udp(request, outcome, stop) if request.udp else outcome


def _with_udp(request: ScanRequest, outcome: Outcome, stop: Stop) -> Outcome:
    scan = UdpScan(request, dict.fromkeys(request.addresses, request.udp), stop)
    seen = dict(outcome.seen)
    for address, udp in scan.run().items():
        tcp = seen.get(address, Seen())
        reason = tcp.reason or udp.reason
        seen[address] = replace(tcp, rows=tcp.rows + udp.rows, endpoints=tcp.endpoints + udp.endpoints, reason=reason)
    return replace(
        outcome,
        seen=seen,
        sent=(outcome.sent or 0) + scan.sent,
        problems=tuple(dict.fromkeys((*outcome.problems, *scan.problems))),
        whole=outcome.whole and scan.whole,
    )


def _tcp(request: ScanRequest, stop: Stop) -> Outcome:
    first = ConnectScan(request, stop).run()
    if not request.confirm:
        return first
    wanted, too_many = _wanted(request, first)
    seen = {
        address: replace(row, unconfirmed=too_many[address].message) if address in too_many else row
        for address, row in first.seen.items()
    }
    problems = first.problems + tuple(too_many.values())
    first = replace(first, seen=seen, problems=problems, whole=first.whole and not too_many)
    return _confirmed(request, first, wanted, stop) if wanted else first


def _wanted(request: ScanRequest, first: Outcome) -> tuple[dict[str, PortSet], dict[str, Problem]]:
    """By address: what to ask again, and why nothing is asked again where there would be too much."""
    wanted, too_many = {}, {}
    for address, seen in first.seen.items():
        if distrust(seen, request.canaries):
            continue
        ports = open_ports(seen, "tcp") & request.tcp
        ports |= contradicting(seen, request.listening.get(address, NO_PORTS) & request.tcp)
        if len(ports) > MOST_AGAIN:
            message = f"{address}: more than {MOST_AGAIN} ports to ask again, so none was confirmed"
            too_many[address] = Problem("too-many-open", message)
        elif ports:
            wanted[address] = ports
    return wanted, too_many


def _confirmed(request: ScanRequest, first: Outcome, wanted: dict[str, PortSet], stop: Stop) -> Outcome:
    pace = replace(confirmation_pace(request), addresses=tuple(wanted), udp=NO_PORTS)
    second = ConnectScan(pace, stop, only=wanted).run()
    seen, problems = dict(first.seen), list(first.problems)
    problems += [problem for problem in second.problems if problem not in problems]
    for address, ports in wanted.items():
        both, differences = seen_twice(address, first.seen[address], second.seen.get(address, Seen()), ports)
        seen[address] = both
        problems += differences
    return replace(
        first,
        seen=seen,
        problems=tuple(problems),
        sent=(first.sent or 0) + (second.sent or 0),
        confirm_rate=pace.rate,
        whole=first.whole and second.whole,
    )
