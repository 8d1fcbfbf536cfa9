# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet lives through two weeks: each day's changes, alerts and numbers are the expected ones and no others."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from estate import PACKAGED_PORT, PORT, Estate, Seen
from receivers import webhook

pytestmark = pytest.mark.usefixtures("fleet")

SEED = 20261116
EVERY_HOST = {"hosts_in_scope": 2, "hosts_assessed": 2}
GREEN = {**EVERY_HOST, "gate_passed": 1}
QUIET = Seen([], [], GREEN)

OPEN = {**EVERY_HOST, 'findings{severity="high"}': 1, 'findings{severity="medium"}': 1, 'checks{status="fail"}': 2}
OPENED = Seen(
    [
        f"finding-opened web1 undeclared-exposure tcp/{PORT} from office",
        f"finding-opened web1 undeclared-listener tcp/{PORT}",
        f"opened web1 tcp/{PORT}",
        f"opened web1 tcp/{PORT} from office",
    ],
    [
        f"ops: New: high undeclared-exposure web1 tcp/{PORT} from office",
        f"ops: New: medium undeclared-listener web1 tcp/{PORT}",
    ],
    OPEN,
)
EXCUSED = {
    **GREEN,
    'findings{severity="low"}': 1,
    'checks{status="fail"}': 1,
    'checks{status="excepted"}': 2,
    "exceptions_expiring": 1,
}
EXCEPTED = Seen(
    [
        f"finding-excepted web1 undeclared-exposure tcp/{PORT} from office",
        f"finding-excepted web1 undeclared-listener tcp/{PORT}",
        f"finding-opened web1 exception-expiring tcp/{PORT}",
    ],
    [
        f"ops: Over: high undeclared-exposure web1 tcp/{PORT} from office; an exception excuses it until 2026-11-19",
        f"ops: Over: medium undeclared-listener web1 tcp/{PORT}; an exception excuses it until 2026-11-19",
        f"web: New: low exception-expiring web1 tcp/{PORT}",
    ],
    EXCUSED,
)
EXPIRED = Seen(
    [
        f"finding-opened web1 exception-expired tcp/{PORT}",
        f"finding-reopened web1 undeclared-exposure tcp/{PORT} from office",
        f"finding-reopened web1 undeclared-listener tcp/{PORT}",
        f"finding-resolved web1 exception-expiring tcp/{PORT}",
    ],
    [
        f"ops: New: high undeclared-exposure web1 tcp/{PORT} from office",
        f"ops: New: medium undeclared-listener web1 tcp/{PORT}",
        f"web: New: high exception-expired web1 tcp/{PORT}",
        f"web: Over: low exception-expiring web1 tcp/{PORT}",
    ],
    {**OPEN, 'findings{severity="high"}': 2, 'checks{status="fail"}': 3, "exceptions_expired": 1},
)
CLOSED_AND_UPGRADED = [
    f"closed web1 tcp/{PORT}",
    f"closed web1 tcp/{PORT} from office",
    f"finding-resolved web1 exception-expired tcp/{PORT}",
    f"finding-resolved web1 undeclared-exposure tcp/{PORT} from office",
    f"finding-resolved web1 undeclared-listener tcp/{PORT}",
    f"version-changed cache1 tcp/{PACKAGED_PORT}",
]
# The run that saw it was killed before it told anybody. The next one does, and compares itself with that one.
TOLD_LATE = Seen(
    [],
    [
        f"ops: Over: high undeclared-exposure web1 tcp/{PORT} from office",
        f"ops: Over: medium undeclared-listener web1 tcp/{PORT}",
        f"web: Over: high exception-expired web1 tcp/{PORT}",
    ],
    GREEN,
)
# One from inside, and one for each of its two addresses.
GAPS = ["not-assessed web1", "not-assessed web1 from office", "not-assessed web1 from office"]
UNKNOWN = {"hosts_in_scope": 2, "hosts_assessed": 1, "not_assessed": 3, 'checks{status="not_assessed"}': 3}


def gaps(change: str | None, title: str | None, numbers: dict[str, float]) -> Seen:
    """What is seen of a host that is gone, or that is back."""
    changes = [f"{change} {gap.replace('not-assessed web1', 'web1 not-assessed')}" for gap in GAPS if change]
    return Seen(changes, [f"ops: {title}: not assessed {gap}" for gap in GAPS if title], numbers)


def at(day: int, hour: int = 6) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC)


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with webhook() as ops, webhook() as web:
        made = Estate(tmp_path, ops, web)
        try:
            yield made
        finally:
            made.leave()


def test_each_day_has_its_changes_alerts_and_numbers_and_no_others(estate: Estate) -> None:
    estate.install("1.0-1")
    began = time.monotonic()
    assert estate.audit(at(16)) == QUIET
    took = time.monotonic() - began
    estate.open_port()
    assert estate.audit(at(17)) == OPENED
    assert estate.audit(at(17, 18)) == Seen([], [], OPEN)
    estate.excuse_port(until="2026-11-19")
    assert estate.audit(at(18)) == EXCEPTED
    moment = random.Random(SEED).uniform(0, took)  # noqa: S311 - a moment, no secret
    estate.killed_after(moment, at(19, 3))
    assert estate.audit(at(19)) == Seen([], [], EXCUSED), f"killed after {moment:.3f} of {took:.3f} s"
    assert estate.recorded() == estate.sealed()
    assert estate.audit(at(20)) == EXPIRED

    estate.close_port()
    estate.drop_exception()
    estate.install("1.1-1")
    killed = estate.killed_while_it_records(at(21, 3))
    assert estate.changes(killed) == CLOSED_AND_UPGRADED
    assert estate.recorded() == [run for run in estate.sealed() if run != killed]
    assert estate.audit(at(21)) == TOLD_LATE
    assert estate.recorded() == estate.sealed()

    estate.lose_host()
    assert estate.audit(at(22)) == gaps("finding-opened", "New", UNKNOWN)
    assert estate.audit(at(29)) == gaps(None, "Still open", UNKNOWN)
    estate.return_host()
    assert estate.audit(at(30)) == gaps("finding-resolved", "Over", GREEN)

    seen = ["2026-11-17T06 opened", "2026-11-21T03 closed"]
    excused = [
        "2026-11-17T06 finding-opened",
        "2026-11-18T06 finding-excepted",
        "2026-11-20T06 finding-reopened",
        "2026-11-21T03 finding-resolved",
    ]
    assert estate.timeline(PORT, PACKAGED_PORT) == {
        f"tcp/{PORT} at 0.0.0.0": seen,
        f"tcp/{PORT} at 198.18.0.11 from office": seen,
        f"undeclared-exposure tcp/{PORT} at 198.18.0.11 from office": excused,
        f"undeclared-listener tcp/{PORT} at 0.0.0.0": excused,
        f"exception-expiring tcp/{PORT}": ["2026-11-18T06 finding-opened", "2026-11-20T06 finding-resolved"],
        f"exception-expired tcp/{PORT}": ["2026-11-20T06 finding-opened", "2026-11-21T03 finding-resolved"],
        f"tcp/{PACKAGED_PORT} at 0.0.0.0": ["2026-11-21T03 version-changed"],
        f"tcp/{PACKAGED_PORT} at 198.18.0.12 from office": [],
    }
