# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an attacker can name, an attacker cannot render: Markdown and console, judged by a parser nobody here wrote."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import cmarkgfm
import lxml.html
import pytest
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules.registry import CATALOGUE
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.console import console_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.markdown_text import code, table
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.report_markdown import report_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.summary_markdown import summary
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.ways_out_text import ways_out_file
from ansible_collections.vigil.ports.tests.unit.examples import examples
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import hostile_text
from cmarkgfm.cmark import Options
from hypothesis import given, settings

Json = dict[str, Any]
Writer = Callable[[Json], str]

WRITERS: dict[str, Writer] = {
    "report.md": lambda results: "\n".join(report_lines(Results.of(results))),
    "summary.md": lambda results: summary(Results.of(results)),
    "ways-out.md": lambda results: "\n".join(ways_out_file(Results.of(results))),
}
ELEMENTS = {"h1", "h2", "h3", "p", "strong", "code", "pre", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}


def rendered(markdown: str) -> Any:
    """The page as GitHub's own parser makes it, with its extensions, and HTML let through."""
    html = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return lxml.html.fromstring(f"<div>{html}</div>")


def skeleton(page: Any) -> list[tuple[str, str, str]]:
    """Every element with the text that stands outside of code: what the template says."""
    return [(one.tag, "" if one.tag == "code" else one.text or "", one.tail or "") for one in page.iter()]


def test_the_parser_sees_an_attack_where_nothing_is_escaped() -> None:
    page = rendered("me@evil.example [x](https://e.example) <img src=x>")
    assert [one.tag for one in page.iter("a", "img")] == ["a", "a", "img"]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("payload", hostile_text.PAYLOADS)
def test_hostile_text_is_shown_and_does_nothing(payload: str, name: str) -> None:
    held(payload, WRITERS[name])


@settings(max_examples=examples(60), deadline=None)
@given(hostile_text.anything.filter(lambda text: text != "host"))  # the namespace of that name is not written
def test_no_text_at_all_changes_what_the_template_says(text: str) -> None:
    for writer in WRITERS.values():
        held(text, writer)


RESULTS = hostile_text.results()
HARMLESS = {name: skeleton(rendered(write(hostile_text.poisoned("x", RESULTS)))) for name, write in WRITERS.items()}


def held(payload: str, writer: Writer) -> None:
    markdown = writer(hostile_text.poisoned(payload, RESULTS))
    page = rendered(markdown)
    assert {one.tag for one in page.iter()} - {"div"} <= ELEMENTS
    assert not [one.attrib for one in page.iter() if one.attrib]
    for rows in page.iter("table"):
        assert len({len(row) for row in rows.iter("tr")}) == 1
    name = next(name for name, one in WRITERS.items() if one is writer)
    if " more row" not in markdown:  # the summary is cut sooner where texts are longer
        assert skeleton(page) == HARMLESS[name]
    assert all(visible(line, len(line)) == line for line in markdown.splitlines())
    assert not [line for line in markdown.splitlines() if line.lstrip().startswith("/")]


@pytest.mark.parametrize("name", WRITERS)
def test_every_part_of_the_template_is_tried(name: str) -> None:
    """The results that the payloads are put into reach each rule, each status and each part of the report."""
    text = WRITERS[name](RESULTS)
    found = {row["rule"] for row in RESULTS["findings"]}
    assert {row["status"] for row in RESULTS["findings"]} == {"pass", "fail", "excepted", "not_assessed"}
    assert found == set(CATALOGUE)
    if name == "report.md":
        for part in (
            "left out of this run",
            "accepted",
            "How the hosts were listed",
            "problem",
            "What to do",
            "nightly",
        ):
            assert part in text
    if name == "ways-out.md":
        for part in ("vigil_ports__", "vigil_exceptions__", "systemctl disable"):
            assert part in text


def test_a_code_span_shows_what_prints_as_it_is_and_counts_what_it_cuts() -> None:
    assert code("nginx: master <x>") == "`nginx: master <x>`"
    assert code("a`b|c\\d\u202e\U0001f600\n") == r"`a\x60b\x7cc\d\u202e\U0001f600\x0a`"
    assert (
        code("M\u00fcller, \u0418\u0432\u0430\u043d\u043e\u0432")
        == "`M\u00fcller, \u0418\u0432\u0430\u043d\u043e\u0432`"
    )
    assert code("x" * 700) == f"`{'x' * 589}[+111 more]`"
    assert code(None) == code("") == ""
    assert code(0) == "`0`"


def test_a_table_without_rows_is_no_table() -> None:
    assert table(("a", "b"), []) == []


@pytest.mark.parametrize("count", [1, 200, 5000])
@pytest.mark.parametrize("payload", ["x", "\U0001f600" * 900, "`" * 700])
def test_the_summary_fits_and_counts_what_it_leaves_out(count: int, payload: str) -> None:
    rows = [row for row in RESULTS["findings"] if row["status"] == "fail"][:1]
    row = {**rows[0], "message": payload, "host": payload}
    results = {
        **RESULTS,
        "findings": [{**row, "id": f"{number:020x}", "host": f"{number}{payload}"} for number in range(count)],
    }
    text = summary(Results.of(results))
    assert len(text.encode()) < 60_000
    (grid,) = rendered(text).iter("table")
    shown = len(list(grid.iter("tr"))) - 1
    left_out = re.search(r"(\d+) more row", text)
    assert shown + (int(left_out[1]) if left_out else 0) == count
    assert shown > 0


def test_the_gravest_findings_come_first_where_not_all_fit() -> None:
    quiet = next(row for row in RESULTS["findings"] if (row["severity"], row["status"]) == ("low", "fail"))
    grave = next(row for row in RESULTS["findings"] if (row["severity"], row["status"]) == ("high", "fail"))
    results = {**RESULTS, "findings": [*([quiet] * 2000), grave]}
    assert grave["rule"] in summary(Results.of(results))
    assert grave["rule"] in "\n".join(console_lines(Results.of(results), "/reports"))


@pytest.mark.parametrize("payload", hostile_text.PAYLOADS)
def test_the_console_prints_ascii_and_no_command(payload: str) -> None:
    harmless(payload)


@settings(max_examples=examples(60), deadline=None)
@given(hostile_text.anything)
def test_the_console_prints_ascii_and_no_command_whatever_it_is_given(text: str) -> None:
    harmless(text)


def harmless(payload: str) -> None:
    lines = list(console_lines(Results.of(hostile_text.poisoned(payload, RESULTS)), payload))
    # The same text in the same places: hosts of one name share their gaps.
    plain = Results.of(hostile_text.poisoned("text", RESULTS))
    assert len(lines) == len(list(console_lines(plain, "/reports")))
    for line in lines:
        assert all(" " <= character <= "~" for character in line)
        assert "##[" not in line
        assert "##vso[" not in line
        assert not line.lstrip().startswith(("::", "/"))


def test_the_verdict_says_failed_exactly_when_the_gate_does() -> None:
    green = build.judged(build.host_evidence([build.declared(443)], [build.listener(443)]))
    assert next(iter(console_lines(Results.of(green), "x"))).startswith("Port audit PASSED: 1 of 1 host fully assessed")
    assert "PASSED" in summary(Results.of(green))
    assert next(iter(console_lines(Results.of(RESULTS), "x"))).startswith(
        "Port audit FAILED: 0 of 3 hosts fully assessed"
    )
    assert "FAILED" in summary(Results.of(RESULTS))
    assert "PASSED" not in summary(Results.of(RESULTS))
    never = build.judged(None, about=build.run(fail_on="never"))
    assert "FAILED" in summary(Results.of(never))
    assert "exit status stays 0" in summary(Results.of(never))
