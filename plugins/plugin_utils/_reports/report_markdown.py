# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``report.md``: what an auditor reads, months later. This module is private to the collection.

Order: the verdict, scope and coverage, findings by severity, segmentation, each host's ports, exceptions, what changed,
and how it was done; ways out are in ``ways-out.md``. Every text that did not come from this collection stands in a code
span.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._evidence.results_file import Results
from .host_section import LEGEND, host_lines
from .ink import MarkdownInk
from .overview import Overview
from .pictures import by_age, by_severity
from .report_sections import about_the_run, exceptions, findings_legend, findings_tables, method, rules_table
from .scope_section import scope
from .subjects import subjects
from .verdict import verdict
from .what_changed import what_changed


def report_lines(results: Results) -> Iterator[str]:
    """The report line by line, without line ends."""
    ink = MarkdownInk()
    vantages = [vantage["name"] for vantage in results["coverage"]["vantages"]]
    overview = Overview(ink, results["hosts"], vantages)
    failed = [row for row in results.notable if row["status"] == "fail"]
    yield from ink.heading(1, "Port audit")
    yield from ink.paragraph(ink.strong(verdict(results)))
    yield from about_the_run(ink, results)
    yield from scope(ink, results)
    yield from overview.listing()
    yield from ink.heading(2, "Findings")
    yield from ink.picture(by_severity(results["counts"]["severity"]))
    yield from ink.picture(by_age(failed, results["run"]["started"]))
    found = subjects(failed)
    yield from findings_legend(ink, found)
    yield from findings_tables(ink, found)
    yield from rules_table(ink, found)
    yield from overview.matrix()
    yield from ink.picture(overview.exposure())
    yield from ink.heading(2, "Hosts")
    yield from ink.paragraph(LEGEND)
    for row in results["hosts"]:
        yield from ink.heading(3, ink.code(row["host"]))
        yield from host_lines(ink, row, vantages)
    yield from exceptions(ink, results)
    yield from what_changed(ink, results)
    yield from method(ink, results)
