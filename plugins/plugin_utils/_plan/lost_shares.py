# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lost scanner left is divided among those that still stand there. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._evidence.records.reachable import ScanEvidence


def lost_and_standing(
    shares: Sequence[Mapping[str, Any]], scan: ScanEvidence | None
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The shares of one vantage point whose scanners were lost, and the scanners that finished theirs.

    ``shares`` are all of the vantage point, ``scan`` its evidence (None: there is none).
    """
    finished = {row.scanner for row in (scan.shares if scan else ()) if row.status == "scanned"}
    lost = [share for share in shares if share["scanner"] not in finished]
    return lost, [share["scanner"] for share in shares if share["scanner"] in finished]


def done_by(scan: ScanEvidence | None, scanner: str) -> set[tuple[str, str]]:
    """Hosts and addresses that a scanner had finished, whatever became of it."""
    return {
        (target.host, target.address)
        for row in (scan.shares if scan else ())
        if row.scanner == scanner
        for target in row.targets
        if target.status in ("complete", "refused")
    }
