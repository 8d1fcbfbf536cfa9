# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of the nmap program one after the other: their reports, and what they add up to.

This module is private to the collection.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace

from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_arguments import Command
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import Ended, NmapProgram, run_nmap
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_report import NmapReport, read_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_xml import NmapXmlError
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import SILENT, Problem, Seen
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

_MOST_MESSAGES = 20
#: What nmap 7 writes when the kernel did not take a packet: a firewall of its own, a full table of connections,
#: no buffers, a device that is down. It names the first ones only, and gives the ports as silent.
_NOT_SENT = re.compile(r"^sendto in .* => (.*)$|^.*(probes failed to send|Strange \S+ error).*$", re.MULTILINE)
_PACKETS = re.compile(r"Raw packets sent: ([0-9]+) ")


class NmapRuns:
    """``workdir`` takes nmap's own files, and those of no other runs. ``whole`` turns false when a run failed.

    ``sent`` is None once a run did not say how much it sent.
    """

    def __init__(self, program: NmapProgram, workdir: str, stop: Stop) -> None:
        self.program = program
        self.workdir = workdir
        self.problems: list[Problem] = []
        self.commands: list[tuple[str, ...]] = []
        self.sent: int | None = 0
        self.whole = True
        self._stop = stop

    def run(self, command: Command) -> tuple[NmapReport | None, Ended | None, str | None]:
        """The report of one run, and why it is not the whole truth."""
        late = self._stop.why()
        if late:
            return self.failed("scan-stopped", f"{late} before {_named(command.addresses)} could be scanned")
        report_file = os.path.join(self.workdir, f"nmap-{len(self.commands)}.xml")
        argv = command.argv(self.program.path, report_file)
        self.commands.append(tuple(argv))
        try:
            ended = run_nmap(argv, self.workdir, self._stop)
        except OSError as error:
            return self.failed("nmap-not-started", f"nmap could not be started: {error}")
        self._listen_to(ended.errors)
        self._count(ended.output)
        report, why = self._read(report_file)
        lost = _NOT_SENT.search(ended.errors)
        if lost and report is not None:
            told = visible(lost.group(1) or lost.group(0))
            message = f"nmap could not send all its packets ({told}): every port that was silent is unknown"
            report = replace(report, seen={at: _without_silence(seen, message) for at, seen in report.seen.items()})
            self.failed("probes-not-sent", message)
        if ended.stopped:
            why = ended.stopped
            self.failed("scan-stopped", f"{why}: what nmap had found by then is kept")
        elif ended.status != 0:
            why = f"nmap ended with status {ended.status}: {_last_line(ended.errors)}"
            self.failed("nmap-failed", why)
        elif report is not None and not report.finished:
            why = f"nmap did not come to a good end{': ' + report.error if report.error else ''}"
            self.failed("nmap-failed", why)
        return report, ended, why

    def failed(self, code: str, message: str) -> tuple[None, None, str]:
        """Remember that something was not done, and why."""
        self.problems.append(Problem(code, message))
        self.whole = False
        return None, None, message

    def _read(self, report_file: str) -> tuple[NmapReport | None, str | None]:
        try:
            with open(report_file, "rb") as report_bytes:
                report = read_report(report_bytes.read())
        except (OSError, NmapXmlError) as error:
            why = f"nmap left no report that can be read: {visible(str(error))}"
            self.failed("nmap-report-unreadable", why)
            return None, why
        self.problems += report.problems
        return report, None

    def _listen_to(self, errors: str) -> None:
        lines = list(dict.fromkeys(line for line in errors.splitlines() if line.strip()))
        self.problems += [Problem("nmap-warning", visible(line)) for line in lines[:_MOST_MESSAGES]]
        if len(lines) > _MOST_MESSAGES:
            self.problems.append(Problem("nmap-warning", f"and {len(lines) - _MOST_MESSAGES} more messages"))

    def _count(self, output: str) -> None:
        told = _PACKETS.search(output)
        self.sent = self.sent + int(told.group(1)) if told and self.sent is not None else None


def _without_silence(seen: Seen, why: str) -> Seen:
    """What was seen without the ports from which nothing came back: perhaps nothing was sent to them."""
    rows = tuple(row for row in seen.rows if not row.reason.startswith(SILENT))
    endpoints = tuple(one for one in seen.endpoints if not one.reason.startswith(SILENT))
    return replace(seen, rows=rows, endpoints=endpoints, reason=seen.reason or why)


def _named(addresses: tuple[str, ...]) -> str:
    return addresses[0] if len(addresses) == 1 else f"{addresses[0]} and {len(addresses) - 1} more"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return visible(lines[-1]) if lines else "it said nothing"
