# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every report of a run, made from the same results. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .junit import junit_chunks
from .report_markdown import report_lines
from .summary_markdown import summary

#: File name -> how its bytes are made. A new format is a file beside this one and a line here.
REPORTS: Mapping[str, Callable[[Mapping[str, Any]], Iterable[bytes]]] = {
    "junit.xml": junit_chunks,
    "report.md": lambda results: (line.encode("utf-8") + b"\n" for line in report_lines(results)),
    "summary.md": lambda results: (summary(results).encode("utf-8"),),
}
