# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nmap engine: one process a family for the states, then one that confirms what matters.

What answers behind the open ports is asked later, and of these alone: nmap would also wait for each
silent UDP port. Three of them on two hosts took 109 s in one run, and 4 s without (measured, nmap 7.93).

This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from dataclasses import replace
from typing import Iterator, Mapping

from ansible_collections.vigil.ports.plugins.module_utils._scan.canaries import distrust
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_arguments import Command
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import NmapProgram
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_runs import NmapRuns
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    OPEN,
    Endpoint,
    Outcome,
    ScanRequest,
    Seen,
    StateRow,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.second_pass import (
    MOST_AGAIN,
    Question,
    confirmation_pace,
    contradicting,
    open_ports,
    seen_twice,
    together,
)
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

ONE_MORE_RUN = 2.0  # seconds that a run of its own costs: up to there it is cheaper to ask in vain
_DISCOVERED = re.compile(r"^Discovered open port ([0-9]{1,5})/(tcp|udp) on ([0-9a-f.:]+)$", re.MULTILINE)


class NmapScan:
    """One scan by an nmap that may send raw packets. ``workdir`` takes its files.

    Without raw packets it would give as filtered or closed what its own machine refused to send.
    """

    def __init__(self, request: ScanRequest, program: NmapProgram, workdir: str, stop: Stop) -> None:
        self._request = request
        self._program = program
        self._runs = NmapRuns(program, workdir, stop)
        self._seen: dict[str, Seen] = {}
        self._confirm_rate: int | None = None

    def run(self) -> Outcome:
        """Scan each family in turn, so that the rate is that of the scanner as a whole."""
        udp = self._request.udp
        for family in (4, 6):
            addresses = tuple(a for a in self._request.addresses if ipaddress.ip_address(a).version == family)
            if addresses and (self._request.tcp or udp):
                self._states(addresses, udp)
                if self._request.confirm:
                    self._again(addresses)
        return Outcome(
            engine="nmap",
            engine_version=self._program.version,
            technique="syn",
            privileged=True,
            seen=self._seen,
            tcp=self._request.tcp,
            udp=self._request.udp,
            rate=self._request.rate,
            retries=self._request.retries,
            target_rate=self._request.target_rate,
            confirm_rate=self._confirm_rate,
            canaries=self._request.canaries,
            sent=self._runs.sent,
            commands=tuple(self._runs.commands),
            problems=tuple(dict.fromkeys(self._runs.problems)),
            whole=self._runs.whole,
        )

    def _states(self, addresses: tuple[str, ...], udp: PortSet) -> None:
        tcp = self._request.tcp | self._request.canaries
        report, ended, why = self._runs.run(self._command(self._request, Question(addresses, tcp, udp, 0)))
        discovered = _discovered(ended.output) if ended else {}
        for address in addresses:
            seen = report.seen.get(address) if report else None
            if seen is None:
                told = _told_of(address, ended.errors if ended else "")
                seen = Seen(reason=why or f"nmap ended with success and said nothing about {address}{told}")
            if not seen.rows and address in discovered:
                seen = replace(discovered[address], reason=seen.reason)
            self._seen[address] = seen

    def _again(self, addresses: tuple[str, ...]) -> None:
        """Ask once more what is to be confirmed."""
        pace = confirmation_pace(self._request)
        wanted = {question.addresses[0]: question for question in map(self._question, addresses) if question}
        for group in together(wanted.values(), ONE_MORE_RUN * pace.rate / (1 + pace.retries)):
            report, _ended, why = self._runs.run(self._command(pace, group))
            self._confirm_rate = pace.rate
            for address in group.addresses:
                second = report.seen.get(address, Seen(reason=why)) if report else Seen(reason=why)
                first = self._seen[address]
                self._seen[address], problems = seen_twice(address, first, second, wanted[address].tcp)
                self._runs.problems += problems

    def _question(self, address: str) -> Question | None:
        asked, seen = self._request, self._seen[address]
        if distrust(seen, asked.canaries):
            return None
        tcp = open_ports(seen, "tcp") & asked.tcp
        tcp |= contradicting(seen, asked.listening.get(address, PortSet()) & asked.tcp)
        if len(tcp) > MOST_AGAIN:
            message = f"{address}: more than {MOST_AGAIN} ports to ask again, so none was confirmed"
            self._runs.failed("too-many-open", message)
            self._seen[address] = replace(seen, unconfirmed=message)
            return None
        return Question((address,), tcp, PortSet(), len(tcp)) if tcp else None

    def _command(self, pace: ScanRequest, question: Question) -> Command:
        return Command(
            question.addresses,
            question.tcp,
            question.udp,
            pace.pace(len(question.addresses)),
            pace.retries,
            pace.host_timeout,
            privileged=True,
        )


def _told_of(address: str, errors: str) -> str:
    """What nmap complained of about an address, such as that there is no route to it."""
    lines = [line for line in errors.splitlines() if line.endswith(f" {address}")]
    return f": {visible(lines[0])}" if lines else ""


def _discovered(output: str) -> Mapping[str, Seen]:
    """Open ports that nmap named while it ran: its report holds them only once a host is finished."""
    found: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for port, protocol, address in _DISCOVERED.findall(output):
        found[address].add((protocol, int(port)))
    return {address: Seen(tuple(_open_rows(ports)), tuple(_open_endpoints(ports))) for address, ports in found.items()}


def _open_rows(found: set[tuple[str, int]]) -> Iterator[StateRow]:
    for protocol in sorted({protocol for protocol, _port in found}):
        ports = PortSet.of(port for name, port in found if name == protocol)
        yield StateRow(protocol, OPEN, _reason(protocol), ports)


def _open_endpoints(found: set[tuple[str, int]]) -> Iterator[Endpoint]:
    for protocol, port in sorted(found):
        yield Endpoint(protocol, port, OPEN, _reason(protocol))


def _reason(protocol: str) -> str:
    return "syn-ack" if protocol == "tcp" else "udp-response"
