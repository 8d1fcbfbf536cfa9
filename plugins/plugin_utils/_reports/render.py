# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every report of a run, made from the same results. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .._evidence.atomic import DIRECTORY_MODE, written_whole
from .._evidence.results_file import Results
from .junit import junit_files
from .report_markdown import report_lines
from .summary_markdown import summary


def reports(results: Results) -> Iterator[tuple[str, Iterable[bytes]]]:
    """File names with what goes into them. A new format is a file beside this one and a line here."""
    yield from junit_files(results)
    yield "report.md", (line.encode("utf-8") + b"\n" for line in report_lines(results))
    yield "summary.md", [summary(results).encode("utf-8")]


def write_reports(results: Results, into: Path) -> list[str]:
    """Every report in a directory of its own, made where it is missing. Returns the names; raises OSError."""
    into.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    names = []
    for name, chunks in reports(results):
        with written_whole(into / name) as stream:
            stream.writelines(chunks)
        names.append(name)
    return names
