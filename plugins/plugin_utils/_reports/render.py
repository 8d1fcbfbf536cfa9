# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every report of a run, made from the same results. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .._evidence.atomic import DIRECTORY_MODE, written_whole
from .._evidence.kept import EvidenceError
from .._evidence.results_file import Results
from .._plan.report_formats import FORMATS_OF_EARLIER_RUNS
from .junit import junit_files
from .report_html import html_files
from .report_markdown import report_lines
from .summary_markdown import summary
from .ways_out_text import ways_out_file


def _markdown(results: Results) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "report.md", _lines(report_lines(results))
    yield "summary.md", [summary(results).encode("utf-8")]
    yield "ways-out.md", _lines(ways_out_file(results))


#: Each format with the function that makes its files. A new format is a file beside this one, a line here and its name
#: in ``_plan/report_formats.py``.
_FORMATS: dict[str, Callable[[Results], Iterator[tuple[str, Iterable[bytes]]]]] = {
    "html": html_files,
    "junit": junit_files,
    "markdown": _markdown,
}


def reports(results: Results) -> Iterator[tuple[str, Iterable[bytes]]]:
    """File names with what goes into them, of the formats that the run was asked for.

    Raises EvidenceError for a format of another version.
    """
    for name in dict.fromkeys(results["run"]["settings"].get("formats", FORMATS_OF_EARLIER_RUNS)):
        if name not in _FORMATS:
            known = ", ".join(_FORMATS)
            raise EvidenceError(f"the run asks for reports as {visible(str(name))!r}; this version makes {known}")
        yield from _FORMATS[name](results)


def _lines(lines: Iterable[str]) -> Iterator[bytes]:
    return (line.encode("utf-8") + b"\n" for line in lines)


def write_reports(results: Results, into: Path) -> list[str]:
    """Every report in a directory of its own, made where it is missing. Returns the names; raises OSError."""
    into.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    names = []
    for name, chunks in reports(results):
        (into / name).parent.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
        with written_whole(into / name) as stream:
            stream.writelines(chunks)
        names.append(name)
    return names
