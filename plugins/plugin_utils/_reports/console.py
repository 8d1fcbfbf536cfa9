# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary that ends a run on the terminal or in a CI log. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import OUTPUT_LIMIT

from .._evidence.results_file import Results
from .open_changes import open_change
from .shared_gaps import in_order, shared_gaps, shared_line
from .terminal_text import terminal_text
from .verdict import gravity, severity_counts, verdict
from .what_changed import counted

_WORST = 10
_LONGEST = 200


def console_lines(results: Results, directory: str) -> Iterator[str]:
    """Verdict, counts, gaps of most hosts, what changed, the worst findings, where the reports are.

    Plain ASCII, no control characters.
    """
    yield f"Port audit {verdict(results)}"
    yield f"  {severity_counts(results)}"
    shared = shared_gaps(results)
    for gap in shared:
        yield f"  {shared_line(gap, lambda text: terminal_text(text, _LONGEST))}"
    due = results["run"]["due"]
    if due and due["missed"]:
        yield f"  runs missing since {terminal_text(due['last_run_id'], _LONGEST)}, by the clock: {due['missed']}"
    for row in results["run"].get("open_changes", ()):
        yield f"  {open_change(row, lambda text: terminal_text(text, _LONGEST))}"
    if results["changes"]["history"] == "ok":
        yield f"  since the last run: {counted(results['changes']['since_last'])}"
    told = {id(row) for gap in shared for row in gap.rows}
    notable = (row for row in results.notable if row["status"] in ("fail", "not_assessed") and id(row) not in told)
    rows = in_order([row for row in notable if row["severity"] != "info" and not row["accepted"]])
    for row in rows[:_WORST]:
        host = f"{terminal_text(row['host'], _LONGEST)}: " if row["host"] else ""
        yield f"  {gravity(row):<12} {row['rule']:<21} {host}{terminal_text(row['message'], _LONGEST)}"
    if len(rows) > _WORST:
        yield f"  and {len(rows) - _WORST} more"
    yield f"  reports: {terminal_text(directory, OUTPUT_LIMIT)}"
