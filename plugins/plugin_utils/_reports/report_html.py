# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``report.html``: the report for a browser and a printer, and its further pages. Private to the collection.

The same sections in the same order as ``report.md``. Of a large run, hosts and findings that would make the page slow
stand on pages of their own below ``report/``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._evidence.results_file import Results
from .host_section import LEGEND, host_lines
from .html_ink import HtmlInk, fold, page
from .overview import Overview, is_as_declared
from .pictures import by_age, by_severity
from .report_sections import about_the_run, exceptions, findings_legend, findings_tables, method, rules_table
from .scope_section import gap_items, gaps, scope
from .subjects import Subject, subjects
from .verdict import counted, verdict
from .what_changed import what_changed

Row = Mapping[str, Any]

#: Rows of findings on the main page; pages below ``report/`` take the rest, so many on each.
MOST_SUBJECTS, SUBJECTS_ON_PAGE = 300, 1000
#: Gaps on the main page; their pages have as many as those of findings.
MOST_GAPS = 100
#: A run of more hosts has them on pages of their own, so many on each.
MOST_HOSTS, HOSTS_ON_PAGE = 60, 100

_SECTIONS = (
    ("scope", "Scope and coverage"),
    ("findings", "Findings"),
    ("segmentation", "Segmentation"),
    ("hosts", "Hosts"),
    ("exceptions", "Exceptions"),
    ("changes", "What changed"),
    ("method", "How this was done"),
)


def html_files(results: Results) -> Iterator[tuple[str, Iterable[bytes]]]:
    """``report.html`` and what it links to, each with its lines as UTF-8."""
    ink = HtmlInk()
    vantages = [vantage["name"] for vantage in results["coverage"]["vantages"]]
    failed = [row for row in results.notable if row["status"] == "fail"]
    found = subjects(failed)
    title = f"Port audit {results['run']['run_id']}"
    yield "report.html", _encoded(page(title, _report(ink, results, vantages, failed, found)))
    for number, rows in enumerate(_batches(found[MOST_SUBJECTS:], SUBJECTS_ON_PAGE), start=1):
        name = _page_name("findings", number)
        lines = itertools.chain(ink.heading(1, f"Findings, page {number}"), findings_tables(ink, rows, level=2))
        yield name, _encoded(page(f"{title}: findings, page {number}", lines, back="../report.html"))
    for number, rows in enumerate(_batches(gaps(results)[MOST_GAPS:], SUBJECTS_ON_PAGE), start=1):
        lines = itertools.chain(ink.heading(1, f"Not assessed, page {number}"), gap_items(ink, rows))
        yield _page_name("gaps", number), _encoded(page(f"{title}: gaps, page {number}", lines, back="../report.html"))
    if len(results.host_names) > MOST_HOSTS:
        # The hosts of a page are taken before it is handed out: whoever gets it may not read it to its end.
        for number, some in enumerate(_batches(results["hosts"], HOSTS_ON_PAGE), start=1):
            name = _page_name("hosts", number)
            yield (
                name,
                _encoded(
                    page(f"{title}: hosts, page {number}", _hosts(ink, some, vantages, number), back="../report.html")
                ),
            )


def _report(
    ink: HtmlInk, results: Results, vantages: Sequence[str], failed: Sequence[Row], found: Sequence[Subject]
) -> Iterator[str]:
    overview = Overview(ink, results["hosts"], vantages, HOSTS_ON_PAGE)
    passed = "passed" if results["gate"]["passed"] else "failed"
    yield "<header>"
    yield from ink.heading(1, "Port audit")
    decision, rest = verdict(results).split(". ", 1)
    yield f'<p class="verdict {passed}"><strong>{ink.text(decision)}.</strong> {ink.text(rest)}</p>'
    yield from about_the_run(ink, results)
    links = "".join(f'<li><a href="#{name}">{text}</a></li>' for name, text in _SECTIONS)
    yield f'</header><nav class="toc" aria-label="Sections"><ul>{links}</ul></nav>'
    sections = (
        itertools.chain(scope(ink, results, MOST_GAPS), _more_gaps(ink, results), overview.listing()),
        _findings(ink, results, failed, found),
        itertools.chain(overview.matrix(), ink.picture(overview.exposure())),
        _hosts_section(ink, results, vantages, overview),
        exceptions(ink, results),
        what_changed(ink, results),
        method(ink, results),
    )
    for (name, _text), lines in zip(_SECTIONS, sections, strict=True):
        yield f'<section id="{name}">'
        yield from lines
        yield "</section>"


def _more_gaps(ink: HtmlInk, results: Results) -> Iterator[str]:
    rest = gaps(results)[MOST_GAPS:]
    if rest:
        yield from ink.paragraph(f"{len(rest)} more are on pages of their own:")
        yield from ink.items(
            (_link(_page_name("gaps", number), f"not assessed, page {number}") + f", {counted(len(rows), 'gap')}", ())
            for number, rows in enumerate(_batches(rest, SUBJECTS_ON_PAGE), start=1)
        )


def _findings(ink: HtmlInk, results: Results, failed: Sequence[Row], found: Sequence[Subject]) -> Iterator[str]:
    yield from ink.heading(2, "Findings")
    yield '<div class="pictures">'
    yield from ink.picture(by_severity(results["counts"]["severity"]))
    yield from ink.picture(by_age(failed, results["run"]["started"]))
    yield "</div>"
    yield from findings_legend(ink, found)
    yield from findings_tables(ink, found[:MOST_SUBJECTS])
    rest = found[MOST_SUBJECTS:]
    if rest:
        yield from ink.paragraph(
            f"The {MOST_SUBJECTS} gravest subjects stand above; {len(rest)} more are on pages of their own:"
        )
        yield from ink.items(
            (_link(_page_name("findings", number), f"findings, page {number}") + f", {counted(len(rows), 'row')}", ())
            for number, rows in enumerate(_batches(rest, SUBJECTS_ON_PAGE), start=1)
        )
    yield from rules_table(ink, found)


def _hosts_section(ink: HtmlInk, results: Results, vantages: Sequence[str], overview: Overview) -> Iterator[str]:
    all_hosts = len(results.host_names)
    yield from ink.heading(2, "Hosts")
    yield from ink.paragraph(
        f"{overview.as_declared} of {counted(all_hosts, 'host')} fully assessed and as declared. {LEGEND}"
    )
    if all_hosts <= MOST_HOSTS:
        yield from _each_host(ink, results["hosts"], vantages, level=3)
        return
    yield from ink.paragraph(f"Each page has {HOSTS_ON_PAGE} hosts, those as declared folded.")
    rows = (
        (_link(_page_name("hosts", number), f"page {number}"), ink.code(first), ink.code(last), str(loud))
        for number, (first, last, loud) in enumerate(overview.pages, start=1)
    )
    table = ink.table("Pages of hosts", ("page", "first host", "last host", "hosts not as declared"), rows)
    yield from fold(f"Pages of hosts ({len(overview.pages)})", table, is_open=True)


def _hosts(ink: HtmlInk, some: Sequence[Row], vantages: Sequence[str], number: int) -> Iterator[str]:
    yield from ink.heading(1, f"Hosts, page {number}")
    yield from ink.paragraph(LEGEND)
    yield from _each_host(ink, some, vantages, level=2)


def _each_host(ink: HtmlInk, some: Iterable[Row], vantages: Sequence[str], level: int) -> Iterator[str]:
    for row in some:
        quiet = is_as_declared(row)
        ports = counted(len(row["ports"]), "port")
        said = "as declared" if quiet else "not as declared" if row["assessed"] else "not fully assessed"
        summary = f'<h{level}>{ink.code(row["host"])}</h{level}> <span class="state">{said}, {ports}</span>'
        yield from fold(summary, host_lines(ink, row, vantages), is_open=not quiet)


def _batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _page_name(kind: str, number: int) -> str:
    return f"report/{kind}-{number:04}.html"


def _link(name: str, text: str) -> str:
    return f'<a href="{name}">{text}</a>'


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (line.encode("utf-8") + b"\n" for line in lines)
