# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``summary.md``: the report in the space of a job summary or a merge-request note.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._evidence.results_file import Results
from .ink import MarkdownInk
from .markdown_text import code, names, table
from .shared_gaps import in_order, shared_gaps, shared_line
from .subjects import Subject, subjects
from .verdict import gravity, severity_counts, verdict
from .what_changed import changes_line

#: GitHub cuts a check's text at 65,535 characters; a note about the cut must fit as well. A screen shows so many rows.
MOST_BYTES, MOST_ROWS = 60_000, 25


def summary(results: Results) -> str:
    """The verdict and as many subjects as fit a screen, gravest first; what does not fit is counted.

    Gaps of most hosts are said once before them, and stand in the table after what is wrong.
    """
    ink, run = MarkdownInk(), results["run"]
    failed = subjects(row for row in results.notable if row["status"] == "fail")
    untold = in_order([row for row in results.notable if row["status"] == "not_assessed"])
    rows: list[Subject | Mapping[str, Any]] = []
    for breaks in (True, False):
        rows.extend(one for one in failed if one.breaks_gate == breaks)
        rows.extend(row for row in untold if row["breaks_gate"] == breaks)
    head = [
        "## Port audit",
        "",
        f"**{verdict(results)}**",
        "",
        f"Findings: {severity_counts(results)}. Run {code(run['run_id'])}, as of {code(run['audit_date'])}.",
        "",
        *(f"{shared_line(gap, lambda text: code(text, 300))}\n" for gap in shared_gaps(results)),
        changes_line(ink, results),
        "",
    ]
    lines = table(("severity", "host", "port", "from", "rule", "what"), map(_row, rows[:MOST_ROWS]))[:-1]
    size = sum(map(_bytes, head))
    kept: list[str] = []
    for line in lines:
        size += _bytes(line)
        if size > MOST_BYTES - 200:
            break
        kept.append(line)
    left_out = len(rows) - max(len(kept) - 2, 0)
    verb = "row is" if left_out == 1 else "rows are"
    tail = ["", f"{left_out} more {verb} in `report.md`."] if left_out else []
    return "\n".join([*head, *kept, *tail]).rstrip("\n") + "\n"


def _bytes(line: str) -> int:
    return len(line.encode("utf-8")) + 1


def _row(row: Subject | Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(row, Subject):
        where = (code(row.host, 100), code(row.endpoint), names(row.vantages, 5))
        return (row.severity, *where, ", ".join(row.rules), code(row.message, 300))
    port = f"{row['protocol']}/{row['port']}" if row["port"] is not None else ""
    accepted = " (accepted)" if row["accepted"] else ""
    said = code(row["message"], 300) + accepted
    return (gravity(row), code(row["host"], 100), code(port), code(row["vantage"]), row["rule"], said)
