# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nmap engine: one process a family for the states, then one that asks again what matters.

The second asks what answers behind the open ports, and confirms them. It is a run of its own
because nmap would also wait for each silent UDP port: three of them on two hosts took 109 s in one
run, and 4 s without (measured, nmap 7.93).

This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections import defaultdict
from dataclasses import replace
from typing import Iterator, Mapping

from ansible_collections.vigil.ports.plugins.module_utils._scan.canaries import distrust
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_arguments import Command
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import (
    Ended,
    NmapProgram,
    may_send_raw_packets,
    run_nmap,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_report import NmapReport, read_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_xml import NmapXmlError
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    NOT_ASKED,
    NOT_IDENTIFIED,
    OPEN,
    Endpoint,
    Outcome,
    Problem,
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
from ansible_collections.vigil.ports.plugins.module_utils._scan.service_probes import write_hurried_probes
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

_MOST_MESSAGES = 20
_ONE_MORE_RUN = 2.0  # seconds that a run of its own costs: up to there it is cheaper to ask in vain
_DISCOVERED = re.compile(r"^Discovered open port ([0-9]{1,5})/(tcp|udp) on ([0-9a-f.:]+)$", re.MULTILINE)
_PACKETS = re.compile(r"Raw packets sent: ([0-9]+) ")


class NmapScan:
    """One scan by the nmap program. ``workdir`` takes nmap's own files."""

    def __init__(
        self, request: ScanRequest, program: NmapProgram, workdir: str, stop: Stop, privileged: bool | None = None
    ) -> None:
        self._request = request
        self._program = program
        self._workdir = workdir
        self._stop = stop
        self._privileged = may_send_raw_packets(program) if privileged is None else privileged
        self._seen: dict[str, Seen] = {}
        self._problems: list[Problem] = []
        self._commands: list[tuple[str, ...]] = []
        self._sent: int | None = 0
        self._whole = True
        self._confirm_rate: int | None = None
        self._probes: str | None = None
        self._probes_written = False

    def run(self) -> Outcome:
        """Scan each family in turn, so that the rate is that of the scanner as a whole."""
        udp = self._request.udp if self._privileged else PortSet()
        if self._request.udp and not self._privileged:
            message = "UDP needs root or CAP_NET_RAW on the scanner: every UDP port asked for is unknown"
            self._problems.append(Problem("udp-needs-root", message))
        for family in (4, 6):
            addresses = tuple(a for a in self._request.addresses if ipaddress.ip_address(a).version == family)
            if addresses and (self._request.tcp or udp):
                self._states(addresses, udp)
                if self._request.versions or self._request.scripts or self._request.confirm:
                    self._again(addresses)
        return Outcome(
            engine="nmap",
            engine_version=self._program.version,
            technique="syn" if self._privileged else "connect",
            privileged=self._privileged,
            seen=self._seen,
            tcp=self._request.tcp,
            udp=self._request.udp,
            rate=self._request.rate,
            retries=self._request.retries,
            target_rate=self._request.target_rate,
            confirm_rate=self._confirm_rate,
            canaries=self._request.canaries,
            sent=self._sent,
            commands=tuple(self._commands),
            problems=tuple(dict.fromkeys(self._problems)),
            whole=self._whole,
        )

    def _states(self, addresses: tuple[str, ...], udp: PortSet) -> None:
        tcp = self._request.tcp | self._request.canaries
        report, ended, why = self._run(self._command(self._request, Question(addresses, tcp, udp, 0)))
        discovered = _discovered(ended.output) if ended else {}
        for address in addresses:
            seen = report.seen.get(address) if report else None
            if seen is None:
                seen = Seen(reason=why or f"nmap ended with success and said nothing about {address}")
            if not seen.rows and address in discovered:
                seen = replace(discovered[address], reason=seen.reason)
            self._seen[address] = seen

    def _again(self, addresses: tuple[str, ...]) -> None:
        """Ask once more: what answers there, and what is to be confirmed. One run for both."""
        asked = self._request
        pace = confirmation_pace(asked) if asked.confirm else asked
        wanted = {question.addresses[0]: question for question in map(self._question, addresses) if question}
        probes = (asked.versions and wanted and self._hurried_probes()) or None
        for group in together(wanted.values(), _ONE_MORE_RUN * pace.rate / (1 + pace.retries)):
            command = self._command(pace, group)
            command = replace(command, versions=asked.versions, scripts=asked.scripts, service_probes=probes)
            report, _ended, why = self._run(command)
            if asked.confirm:
                self._confirm_rate = pace.rate
            for address in group.addresses:
                second = report.seen.get(address, Seen(reason=why)) if report else Seen(reason=why)
                self._seen[address] = self._joined(address, self._seen[address], second, wanted[address].tcp)

    def _question(self, address: str) -> Question | None:
        asked, seen = self._request, self._seen[address]
        if distrust(seen, asked.canaries):
            return None
        tcp, udp = open_ports(seen, "tcp") & asked.tcp, open_ports(seen, "udp")
        if not (asked.versions or asked.scripts):
            udp = PortSet()
        if asked.confirm:
            tcp |= contradicting(seen, asked.listening.get(address, PortSet()) & asked.tcp)
        if len(tcp) + len(udp) > MOST_AGAIN:
            message = f"{address}: more than {MOST_AGAIN} ports to ask again, so none was asked for its version"
            self._problems.append(Problem("too-many-open", message + (", and none confirmed" if asked.confirm else "")))
            self._whole = False
            if asked.confirm:
                self._seen[address] = replace(seen, unconfirmed=f"more than {MOST_AGAIN} ports to ask a second time")
            return None
        return Question((address,), tcp, udp, len(tcp) + len(udp)) if tcp or udp else None

    def _joined(self, address: str, first: Seen, second: Seen, wanted: PortSet) -> Seen:
        if self._request.confirm:
            first, problems = seen_twice(address, first, second, wanted)
            self._problems += problems
        found = {(e.protocol, e.port): e for e in second.endpoints if e.state == OPEN}
        missing = PortSet.of(e.port for e in first.endpoints if e.state == OPEN and (e.protocol, e.port) not in found)
        missing -= self._request.canaries - self._request.tcp
        if missing and (self._request.versions or self._request.scripts):
            why = f": {second.reason}" if second.reason else ", where they no longer answered"
            message = f"{address}: the versions of ports {missing} are not known from the second run{why}"
            self._problems.append(Problem("versions-incomplete", message))
            self._whole = False
        endpoints = tuple(
            self._described(e, found[e.protocol, e.port]) if (e.protocol, e.port) in found else e
            for e in first.endpoints
        )
        return replace(first, endpoints=endpoints)

    def _described(self, before: Endpoint, asked: Endpoint) -> Endpoint:
        came_of_it = asked.identification
        if self._request.versions and came_of_it == NOT_ASKED:
            came_of_it = NOT_IDENTIFIED
        return replace(before, service=asked.service, scripts=asked.scripts, identification=came_of_it)

    def _hurried_probes(self) -> str | None:
        if not self._probes_written:
            self._probes, self._probes_written = write_hurried_probes(self._program, self._workdir), True
        return self._probes

    def _command(self, pace: ScanRequest, question: Question) -> Command:
        return Command(
            question.addresses,
            question.tcp,
            question.udp,
            pace.pace(len(question.addresses)),
            pace.retries,
            pace.host_timeout,
            self._privileged,
        )

    def _run(self, command: Command) -> tuple[NmapReport | None, Ended | None, str | None]:
        """The report of one run, and why it is not the whole truth."""
        late = self._stop.why()
        if late:
            return self._failed("scan-stopped", f"{late} before {_named(command.addresses)} could be scanned")
        report_file = os.path.join(self._workdir, f"nmap-{len(self._commands)}.xml")
        argv = command.argv(self._program.path, report_file)
        self._commands.append(tuple(argv))
        try:
            ended = run_nmap(argv, self._workdir, self._stop)
        except OSError as error:
            return self._failed("nmap-not-started", f"nmap could not be started: {error}")
        self._listen_to(ended.errors)
        self._count(ended.output)
        report, why = self._read(report_file)
        if ended.stopped:
            why = ended.stopped
            self._failed("scan-stopped", f"{why}: what nmap had found by then is kept")
        elif ended.status != 0:
            why = f"nmap ended with status {ended.status}: {_last_line(ended.errors)}"
            self._failed("nmap-failed", why)
        elif report is not None and not report.finished:
            why = f"nmap did not come to a good end{': ' + report.error if report.error else ''}"
            self._failed("nmap-failed", why)
        return report, ended, why

    def _failed(self, code: str, message: str) -> tuple[None, None, str]:
        self._problems.append(Problem(code, message))
        self._whole = False
        return None, None, message

    def _read(self, report_file: str) -> tuple[NmapReport | None, str | None]:
        try:
            with open(report_file, "rb") as report_bytes:
                report = read_report(report_bytes.read())
        except (OSError, NmapXmlError) as error:
            why = f"nmap left no report that can be read: {visible(str(error))}"
            self._failed("nmap-report-unreadable", why)
            return None, why
        self._problems += report.problems
        return report, None

    def _listen_to(self, errors: str) -> None:
        lines = list(dict.fromkeys(line for line in errors.splitlines() if line.strip()))
        self._problems += [Problem("nmap-warning", visible(line)) for line in lines[:_MOST_MESSAGES]]
        if len(lines) > _MOST_MESSAGES:
            self._problems.append(Problem("nmap-warning", f"and {len(lines) - _MOST_MESSAGES} more messages"))

    def _count(self, output: str) -> None:
        told = _PACKETS.search(output)
        self._sent = self._sent + int(told.group(1)) if told and self._sent is not None else None


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


def _named(addresses: tuple[str, ...]) -> str:
    return addresses[0] if len(addresses) == 1 else f"{addresses[0]} and {len(addresses) - 1} more"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return visible(lines[-1]) if lines else "it said nothing"
