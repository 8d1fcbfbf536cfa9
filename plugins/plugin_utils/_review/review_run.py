# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run read for its review. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import datetime as dt

from .._audit.evidence_in import evidence_in
from .._audit.reconcile import Audit
from .._evidence.history_file import read_history
from .._evidence.left_out import left_out_of
from .._evidence.records.reachable import SCANS
from .._evidence.run_directory import RunDirectory
from .use import Uses


@dataclasses.dataclass(frozen=True, slots=True)
class Review:
    """What the review sheet is made of. ``history`` says whether earlier runs are known: ``ok``, or why not."""

    run_id: str
    today: dt.date
    vantages: tuple[str, ...]
    history: str
    unused_days: int
    uses: Uses
    left_out: tuple[str, ...] = ()  # what the run did not look at


def review_run(run: RunDirectory, unused_days: int) -> Review:
    """Reads the evidence of a run. Raises EvidenceError for what cannot be read, OSError as the file system does."""
    asked = run.read_run()
    before = read_history(run.history)
    audit = Audit(asked, SCANS.read_all(run.path))
    uses = Uses()
    for host in asked["hosts"]:
        known = None if before is None else before.of(host)
        uses.add(
            host,
            audit.view(host, evidence_in(run, host)),
            None if known is None else known["now"],
        )
    return Review(
        run_id=asked["run_id"],
        today=dt.date.fromisoformat(asked["audit_date"]),
        vantages=tuple(vantage["name"] for vantage in asked["vantages"]),
        history="off" if before is None else str(before.head["state"]),
        unused_days=unused_days,
        uses=uses,
        left_out=tuple(left_out_of(asked)),
    )
