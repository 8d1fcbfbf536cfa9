# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks nmap what answers behind the ports that were not recognised, all of them at the same time.

A service that never speaks keeps nmap waiting for each of its questions. So what was silent before is asked
by a process of its own, with shorter waits, beside the one that asks what spoke.

This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Iterator, Mapping, NamedTuple, Tuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_arguments import Command
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_engine import ONE_MORE_RUN
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import NmapProgram
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_runs import NmapRuns
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import OPEN, Endpoint, Problem, ScanRequest
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.second_pass import Question, together
from ansible_collections.vigil.ports.plugins.module_utils._scan.service_probes import (
    SILENT,
    SPOKE,
    Waits,
    write_hurried_probes,
)

_AT_ONCE = 4
_ONE_MORE_SILENT_RUN = 5.0  # seconds that one more process for silent services costs

#: Address, protocol and port.
Place = Tuple[str, str, int]


class Asked(NamedTuple):
    """What nmap said of each place, what it was told to do, and what went wrong."""

    found: Mapping[Place, Endpoint]
    commands: tuple[tuple[str, ...], ...] = ()
    problems: tuple[Problem, ...] = ()
    sent: int | None = 0
    whole: bool = True


class NmapQuestions:
    """``pace`` is that of the packets that find out whether a port is still open; ``workdir`` takes nmap's files."""

    def __init__(self, program: NmapProgram, workdir: str, privileged: bool, pace: ScanRequest, stop: Stop) -> None:
        self._program = program
        self._workdir = workdir
        self._privileged = privileged
        self._pace = pace
        self._stop = stop

    def ask(self, spoke: frozenset[Place], silent: frozenset[Place]) -> Asked:
        """What nmap finds out about these places; those that it says nothing of are not in the answer."""
        jobs = [job for places, waits in ((spoke, SPOKE), (silent, SILENT)) for job in self._jobs(places, waits)]
        if not jobs:
            return Asked({})
        together_at_once = min(_AT_ONCE, len(jobs))  # they share the rate
        shared = [(replace(one, rate=max(1, one.rate // together_at_once)), name) for one, name in jobs]
        with ThreadPoolExecutor(_AT_ONCE) as several:
            done = list(several.map(self._one, shared))
        counts = [one.sent for one in done if one.sent is not None]
        return Asked(
            {place: endpoint for one in done for place, endpoint in one.found.items()},
            tuple(command for one in done for command in one.commands),
            tuple(problem for one in done for problem in one.problems),
            sum(counts) if len(counts) == len(done) else None,
            all(one.whole for one in done),
        )

    def _jobs(self, places: frozenset[Place], waits: Waits) -> Iterator[tuple[Command, str]]:
        ports = PortSet.of({port for _address, protocol, port in places if protocol == "tcp"})
        asks = bool(places) and self._pace.versions
        probes = write_hurried_probes(self._program, self._workdir, waits, ports) if asks else None
        for family in (4, 6):
            mine = sorted({address for address, _p, _n in places if ipaddress.ip_address(address).version == family})
            questions = [_question(address, places) for address in mine]
            seconds = _ONE_MORE_SILENT_RUN if waits == SILENT else ONE_MORE_RUN
            in_vain = seconds * self._pace.pace(len(mine)) / (1 + self._pace.retries)
            for number, group in enumerate(together(questions, in_vain)):
                command = Command(
                    group.addresses,
                    group.tcp,
                    group.udp,
                    self._pace.pace(len(group.addresses)),
                    self._pace.retries,
                    self._pace.host_timeout,
                    self._privileged,
                    self._pace.versions,
                    self._pace.scripts,
                    probes,
                )
                yield command, f"versions-{waits.everywhere}-{family}-{number}"

    def _one(self, job: tuple[Command, str]) -> Asked:
        command, name = job
        workdir = os.path.join(self._workdir, name)
        os.makedirs(workdir)
        runs = NmapRuns(self._program, workdir, self._stop)
        report, _ended, _why = runs.run(command)
        found: dict[Place, Endpoint] = {}
        for address in command.addresses if report else ():
            for endpoint in report.seen[address].endpoints if report and address in report.seen else ():
                if endpoint.state == OPEN:
                    found[address, endpoint.protocol, endpoint.port] = endpoint
        return Asked(found, tuple(runs.commands), tuple(runs.problems), runs.sent, runs.whole)


def _question(address: str, places: frozenset[Place]) -> Question:
    tcp, udp = (
        PortSet.of(port for where, protocol, port in places if (where, protocol) == (address, asked))
        for asked in ("tcp", "udp")
    )
    return Question((address,), tcp, udp, len(tcp) + len(udp))
