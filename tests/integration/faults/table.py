# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of the fault table, and where they are collected from."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., None])

#: In the order of the page; each is a file ``test_faults_<area>.py`` and a heading.
AREAS = {
    "hosts": "Reaching a host",
    "listing": "Listing what listens",
    "scanners": "Scanners",
    "nmap": "The nmap program",
    "targets": "What is scanned",
    "declarations": "What is declared",
    "authority": "Who may say what",
    "calls": "How the audit is called",
    "control": "The control node",
    "runs": "Runs and their evidence",
    "parts": "Parts and their merge",
}

#: The gate failed; ansible-playbook ends with 2 when a task failed.
GATE_FAILED = 2


@dataclasses.dataclass(frozen=True)
class Says:
    """What a run says of a fault. Everything is asserted, and printed in the page.

    ``status``: of the findings in ``results.json``, or ``none`` where no run may be judged at all.
    ``breaks``: the names of all findings that break the gate, and of no other (``name_of`` in ``told``).
    ``line``: part of a line of ``report.md``; of the console where there is no report.
    ``host``: whose assessment passes, where nothing breaks the gate.
    """

    status: str
    line: str
    exit_status: int
    breaks: tuple[str, ...] = ()
    host: str | None = None


def not_assessed(*gaps: str, line: str) -> Says:
    """The fault is a gap: an error in JUnit, and the gate fails. The first name is the one that the page shows."""
    return Says("not_assessed", line, GATE_FAILED, gaps)


def failed(*names: str, line: str) -> Says:
    """The fault is a breach: a failure in JUnit, and the gate fails."""
    return Says("fail", line, GATE_FAILED, names)


def assessed(host: str, *, line: str) -> Says:
    """The fault costs nothing: all was looked at in another way, and the report says so."""
    return Says("pass", line, 0, host=host)


def no_run(*, line: str, exit_status: int = GATE_FAILED) -> Says:
    """Nothing is judged, no report is written, ``latest`` does not move, and the console says why."""
    return Says("none", line, exit_status)


@dataclasses.dataclass(frozen=True)
class Fault:
    """One row: what goes wrong in plain words, how the test causes it, what the run says."""

    id: str
    area: str
    fault: str
    cause: str
    says: Says


def fault(id: str, *, area: str, fault: str, cause: str, says: Says) -> Callable[[Test], Test]:  # noqa: A002
    """Makes a test an entry of the table."""
    if area not in AREAS:
        raise ValueError(f"{id}: the area {area!r} is none of {', '.join(AREAS)}")
    entry = Fault(id, area, fault, cause, says)

    def mark(test: Test) -> Test:
        test.fault = entry  # type: ignore[attr-defined]
        return test

    return mark


def entries() -> Iterator[Fault]:
    """All entries, by area and in the order of their tests. Raises ValueError for an id that stands twice."""
    files = sorted(Path(__file__).parent.glob("test_faults_*.py"))
    modules = [importlib.import_module(f"{__package__}.{path.stem}") for path in files]
    found: list[Fault] = [test.fault for module in modules for test in _tests(module) if hasattr(test, "fault")]
    ids = [one.id for one in found]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise ValueError(f"fault ids that stand twice: {', '.join(twice)}")
    for area in AREAS:
        yield from (one for one in found if one.area == area)


def _tests(module: object) -> Iterator[Any]:
    yield from (value for name, value in vars(module).items() if name.startswith("test_"))
