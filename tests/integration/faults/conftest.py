# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the fault table work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.audits import Audit, Auditing
from faults.inside import Inside, inside
from faults.table import Fault
from faults.verdicts import told as hold_against

Telling = Callable[[Audit], None]


@pytest.fixture
def audit(fleet: object, tmp_path: Path) -> Auditing:
    """Audits of the fleet into a report directory of the test's own."""
    return Auditing(tmp_path)


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[Telling]:
    """Holds a run against the test's own entry. An entry whose test never asks is an error."""
    entry: Fault = request.function.fault
    asked: list[Audit] = []
    failed_before = request.session.testsfailed

    def tell(run: Audit) -> None:
        asked.append(run)
        hold_against(run, entry)

    yield tell
    if not asked and request.session.testsfailed == failed_before:
        pytest.fail(f"{entry.id}: the test held no run against its entry", pytrace=False)


@pytest.fixture
def web1(fleet: object) -> Iterator[Inside]:
    """The clean host, to be broken."""
    with inside("web1") as host:
        yield host


@pytest.fixture
def scanner(fleet: object) -> Iterator[Inside]:
    """The host from which the audits scan, to be broken."""
    with inside("scan-office") as host:
        yield host


@pytest.fixture
def noroot1(fleet: object) -> Iterator[Inside]:
    """The host where Ansible is nobody special, to be broken."""
    with inside("noroot1") as host:
        yield host


@pytest.fixture
def dns1(fleet: object) -> Iterator[Inside]:
    """The name server of the fleet, to be broken."""
    with inside("dns1") as host:
        yield host
