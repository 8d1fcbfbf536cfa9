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
from .markdown_text import code, table
from .shared_gaps import in_order, shared_gaps, shared_line
from .verdict import gravity, severity_counts, verdict
from .what_changed import changes_line

#: GitHub cuts a check's text at 65,535 characters; a note about the cut must fit as well.
MOST_BYTES = 60_000


def summary(results: Results) -> str:
    """The verdict and as many findings as fit, gravest first; what does not fit is counted.

    Gaps of most hosts are said once before them, and stand in the table after what is wrong.
    """
    run = results["run"]
    rows = in_order([row for row in results.notable if row["status"] in ("fail", "not_assessed")])
    head = [
        "## Port audit",
        "",
        f"**{verdict(results)}**",
        "",
        f"Findings: {severity_counts(results)}. Run {code(run['run_id'])}, as of {code(run['audit_date'])}.",
        "",
        *(f"{shared_line(gap, lambda text: code(text, 300))}\n" for gap in shared_gaps(results)),
        changes_line(MarkdownInk(), results),
        "",
    ]
    lines = table(("severity", "host", "port", "rule", "what"), map(_finding, rows))
    size = sum(map(_bytes, head))
    kept: list[str] = []
    for line in lines:
        size += _bytes(line)
        if size > MOST_BYTES - 200:
            break
        kept.append(line)
    left_out = len(lines) - len(kept) - 1
    tail = ["", f"{left_out} more findings are in `report.md`."] if lines and left_out > 0 else []
    return "\n".join([*head, *kept, *tail]).rstrip("\n") + "\n"


def _bytes(line: str) -> int:
    return len(line.encode("utf-8")) + 1


def _finding(row: Mapping[str, Any]) -> tuple[str, ...]:
    port = f"{row['protocol']}/{row['port']}" if row["port"] is not None else ""
    accepted = " (accepted)" if row["accepted"] else ""
    return (gravity(row), code(row["host"], 100), code(port), row["rule"], code(row["message"], 300) + accepted)
