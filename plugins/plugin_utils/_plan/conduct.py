# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends a scanner through its plan, call by call. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .._evidence.records.values import Machine
from .progress import Progress
from .scan_plan import ScanPlan
from .scan_record import ScanRecord
from .slices import Pace, Slice, service_calls, slices

#: Evidence is written at most so often while a scan runs; a killed run loses no more than this.
_SAVE_SECONDS = 30.0


class ScannerLostError(Exception):
    """The scanner gave no answer to a call. ``status`` is ``unreachable`` or ``failed``."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """What conducting needs from outside: the scanner, the evidence, the operator and a clock in seconds.

    ``is_awaited`` turns false when the playbook that asked for the scan is gone.
    """

    ask: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    save: Callable[[Mapping[str, Any]], None]
    show: Callable[[str], None]
    on_terminal: bool = False
    clock: Callable[[], float] = time.monotonic
    is_awaited: Callable[[], bool] = lambda: True


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How the scanner is to work: engine as scan_info takes it, whether services are identified, pace, seconds."""

    engine: str
    versions: bool
    pace: Pace
    timeout: int
    host_timeout: int

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Limits:
        """The limits that a run was opened with."""
        pace = Pace(settings["scan_rate"], settings["scan_target_rate"], settings["scan_retries"])
        seconds = (settings["scan_timeout"], settings["scan_host_timeout"])
        return cls(settings["scan_engine"], settings["scan_versions"], pace, *seconds)


def conduct(
    name: str,
    scanner: str,
    plan: ScanPlan,
    limits: Limits,
    around: Surroundings,
    instead_of: Iterable[str] = (),
    known_as: Machine | None = None,
) -> dict[str, Any]:
    """The scanner's share of the evidence, as it was last saved. It is saved after every loss, and at the end.

    ``name`` is what the operator reads: vantage point and scanner. ``known_as`` is the machine that answered as this
    scanner before. Evidence that was gathered before the scanner was lost, or before the time was up, is kept.
    """
    record = ScanRecord(scanner, plan, instead_of, known_as)
    calls = list(slices(plan, limits.pace))
    began = saved = around.clock()
    pending = Counter(_targets(calls))
    progress = Progress(name, sum(call.probes for call in calls), on_terminal=around.on_terminal, clock=began)
    status, message, done = "scanned", None, 0
    for index, planned in enumerate(calls):
        left = limits.timeout - (around.clock() - began) if limits.timeout else None
        if left is not None and left < 1:
            record.cut_short(calls[index:], f"the time of {limits.timeout} s for the scan was up")
            break
        if not around.is_awaited():
            status, message = "interrupted", "the playbook that asked for the scan was ended"
            record.cut_short(calls[index:], message)
            break
        call = record.worth_asking(planned)
        if call is not None:
            try:
                record.add(call, around.ask({**call.options(), **_options(limits, left)}))
            except ScannerLostError as lost:
                status, message = lost.status, lost.message
                record.cut_short(calls[index:], f"{scanner} was lost: {lost.message}")
                break
        done += planned.probes
        pending.subtract(_targets([planned]))
        finished = sum(not calls_left for calls_left in pending.values())
        line = progress.line(done, f"{finished} of {len(pending)}", record.opened, around.clock())
        if line:
            around.show(line)
        if around.clock() - saved >= _SAVE_SECONDS:
            around.save(_unfinished(record, calls[index + 1 :]))
            saved = around.clock()
    if limits.versions and record.opened:
        if status == "scanned":
            status, message = _identify(record, limits, around, began)
        else:
            record.services_left("; ".join(filter(None, (f"the scanner was {status}", message))))
    share = record.as_dict(status, message)
    around.save(share)
    return share


def _identify(record: ScanRecord, limits: Limits, around: Surroundings, began: float) -> tuple[str, str | None]:
    """Asks what answers on all that is open, once for the whole scan; gives the status of the scanner after it."""
    status, message = "scanned", None
    for call in service_calls(record.services_to_ask()):
        left = limits.timeout - (around.clock() - began) if limits.timeout else None
        if left is not None and left < 1:
            record.services_left(f"the time of {limits.timeout} s for the scan was up")
            break
        if not around.is_awaited():
            status, message = "interrupted", "the playbook that asked for the scan was ended"
            record.services_left(message)
            break
        try:
            record.add_services(around.ask({**call, **_options(limits, left), "versions": True}))
        except ScannerLostError as lost:
            status, message = lost.status, lost.message
            record.services_left(lost.message)
            break
    return status, message


def _targets(calls: Iterable[Slice]) -> Iterator[tuple[str, str]]:
    """The targets of calls, each as often as it is asked."""
    for call in calls:
        for row in call.targets:
            yield row["host"], row["address"]


def _options(limits: Limits, left: float | None) -> dict[str, Any]:
    return {
        "engine": limits.engine,
        "versions": False,
        "rate": limits.pace.rate,
        "target_rate": limits.pace.target_rate,
        "retries": limits.pace.retries,
        "timeout": int(left) if left is not None else 0,
        "host_timeout": limits.host_timeout,
    }


def _unfinished(record: ScanRecord, rest: list[Any]) -> dict[str, Any]:
    """What is known now, as evidence that says that it is not all."""
    share = record.as_dict("interrupted", "the scan had not come to its end when this was written")
    for target in share["targets"]:
        if rest and target["status"] == "complete":
            target["status"] = "partial"
            target["reason"] = "the scan had not come to its end when this was written"
    return share
