# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a run: it says what ``report.md`` says, loads and runs nothing, and is built for every reader."""

from __future__ import annotations

import itertools
import re
from typing import Any

import cmarkgfm
import lxml.html
import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._reports import report_html
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.page_style import COLOURS, STYLE
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.report_html import html_files
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import hostile_text

Json = dict[str, Any]
RESULTS = hostile_text.results()


def files(results: Json) -> dict[str, str]:
    return {name: b"".join(chunks).decode() for name, chunks in reports(Results.of(results))}


def parsed(text: str) -> Any:
    return lxml.html.document_fromstring(text)


def ordinary() -> Json:
    heard = [build.listener(port) for port in (22, 443, 6379, *range(8000, 8080))]
    declared = [build.declared(443, reachable_from=["internet"]), build.declared(22)]
    evidence = build.host_evidence(declared, heard, [build.exception(6379)])
    return build.judged(evidence, [build.scan([build.target([22, 443, *range(8000, 8080)])])])


def fleet(hosts: int) -> Json:
    """The same host many times, as reports see it."""
    results = ordinary()
    names = [f"web{number:04}" for number in range(hosts)]
    results["hosts"] = [{**results["hosts"][0], "host": name} for name in names]
    rows = [row for row in results["findings"] if row["status"] == "fail"]
    results["findings"] = [{**row, "host": name} for name in names for row in rows]
    return results


def cells(page: Any) -> list[list[str]]:
    return [[_words(cell.text_content()) for cell in row] for row in page.iter("tr")]


def _words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("results", [RESULTS, ordinary()], ids=["every rule", "a host"])
def test_the_page_and_the_markdown_say_the_same(results: Json) -> None:
    made = files(results)
    page = parsed(made["report.html"])
    markdown = lxml.html.fromstring(f"<div>{cmarkgfm.github_flavored_markdown_to_html(made['report.md'])}</div>")
    assert cells(page) == cells(markdown)
    for tag in ("h1", "h2", "h3"):
        assert [one.text_content() for one in page.iter(tag)] == [one.text_content() for one in markdown.iter(tag)]
    said = _words(page.text_content())
    own = "text() | code/text() | strong//text()"  # not that of a list below an item
    for element in markdown.iter("p", "li"):
        for sentence in re.split(r"(?<=[.:]) ", _words("".join(element.xpath(own)))):
            assert sentence in said
    pictures = [svg for svg in page.iter("svg") if svg.getparent().get("class") != "scroll"]
    for svg in pictures:
        figures = [one.text for one in svg.iter("text")]
        caption = _words(svg.getnext().text_content())
        assert all(f"{label} {count}" in caption for label, count in zip(figures[::2], figures[1::2], strict=True))
    assert pictures


def skeleton(page: Any) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Elements and attributes; labels hold names of hosts, and the size of a bar is a number."""
    return [
        (one.tag, tuple(sorted((key, value) for key, value in one.attrib.items() if key != "aria-label")))
        for one in page.iter()
        if isinstance(one.tag, str)
    ]


def poisoned_page(payload: str) -> str:
    """Without the setting of the formats, which no text from outside can be."""
    results = Results.of(hostile_text.poisoned(payload, RESULTS))
    return b"".join(next(html_files(results))[1]).decode()


HARMLESS = skeleton(parsed(poisoned_page("x")))
MARKUP = ['"><script>alert(1)</script>', "</title><img src=x>", "&#60;b&#62;"]


@pytest.mark.parametrize("payload", [*hostile_text.PAYLOADS, *MARKUP])
def test_hostile_text_is_shown_and_adds_no_element_and_no_attribute(payload: str) -> None:
    text = poisoned_page(payload)
    assert skeleton(parsed(text)) == HARMLESS
    assert "<!--" not in text


@pytest.mark.parametrize("results", [RESULTS, ordinary(), fleet(140)], ids=["every rule", "a host", "a fleet"])
def test_pages_load_nothing_and_run_nothing(results: Json) -> None:
    made = files(results)
    for name, text in made.items():
        if not name.endswith(".html"):
            continue
        page = parsed(text)
        assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"} & {
            one.tag for one in page.iter()
        }
        for one in page.iter():
            for key, value in one.attrib.items():
                assert not key.startswith("on")
                assert key not in ("style", "src", "srcset", "xlink:href", "action")
                if key == "href":
                    target = value.partition("#")[0]
                    folder = f"{name.rpartition('/')[0]}/" if "/" in name else ""
                    assert not target or target.removeprefix("../") in made or folder + target in made, value
                    assert target or page.get_element_by_id(value[1:]) is not None
    assert "url(" not in STYLE
    assert "@import" not in STYLE


@pytest.mark.parametrize("results", [RESULTS, ordinary(), fleet(140)], ids=["every rule", "a host", "a fleet"])
def test_pages_are_built_for_every_reader(results: Json) -> None:
    for name, text in files(results).items():
        if not name.endswith(".html"):
            continue
        page = parsed(text)
        assert page.get("lang") == "en"
        assert len(list(page.iter("main"))) == len(list(page.iter("h1"))) == 1
        levels = [int(one.tag[1]) for one in page.iter("h1", "h2", "h3", "h4")]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        for table in page.iter("table"):
            assert table[0].tag == "caption"
            assert _words(table[0].text_content())
            assert all(one.get("scope") == "col" for one in table.iterfind("thead/tr/th"))
            assert all(row[0].get("scope") == "row" for row in table.iterfind("tbody/tr"))
        for svg in page.iter("svg"):
            assert [one.tag for one in svg[:2]] == ["title", "desc"]
            assert all(page.get_element_by_id(part).text for part in svg.get("aria-labelledby").split())
        ids = [one.get("id") for one in page.iter() if one.get("id")]
        assert len(ids) == len(set(ids))
        labels = [one.get("aria-label") for one in page.iter() if one.get("role") == "region"]
        assert all(labels)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, "ground") for text in ("text", "quiet", "link", "wrong", "good", "untold")),
        *(("text", "raised"), ("wrong", "wrong-ground"), ("untold", "untold-ground")),
    ],
)
def test_every_text_stands_out_from_its_ground(text: str, ground: str, scheme: int) -> None:
    darker, lighter = sorted(luminance(COLOURS[name][scheme]) for name in (text, ground))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_a_large_run_has_each_host_and_each_finding_on_one_page() -> None:
    hosts = 2 * report_html.HOSTS_ON_PAGE + 1
    results = fleet(hosts)
    made = files(results)
    names = [name for name in made if name.startswith("report/hosts-")]
    assert names == ["report/hosts-0001.html", "report/hosts-0002.html", "report/hosts-0003.html"]
    shown = [one.text_content() for name in names for one in parsed(made[name]).xpath("//summary/h2")]
    assert shown == [row["host"] for row in results["hosts"]]
    main = parsed(made["report.html"])
    assert not main.xpath("//section[@id='hosts']//h3")
    rows = main.xpath("//section[@id='findings']//table[caption[contains(., 'severity')]]/tbody/tr")
    assert len(rows) == report_html.MOST_SUBJECTS
    more = [name for name in made if name.startswith("report/findings-")]
    all_rows = len(rows) + sum(len(parsed(made[name]).xpath("//tbody/tr")) for name in more)
    findings = made["report.md"].split("## Findings")[1].split("## Segmentation")[0]
    assert all_rows == sum(text.startswith("| `web") for text in findings.splitlines())


def test_a_page_that_is_not_read_to_its_end_leaves_the_next_one_whole() -> None:
    """Verifying stops at the first difference."""
    results = Results.of(fleet(report_html.HOSTS_ON_PAGE + 1))
    last = [b"".join(chunks) for name, chunks in reports(results) if name == "report/hosts-0002.html"]
    assert b"web0100" in last[0]


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        (["html"], ["report.html"]),
        (["junit"], ["junit.xml"]),
        (["markdown", "html", "html"], ["report.md", "summary.md", "ways-out.md", "report.html"]),
        ([], []),
        (None, ["junit.xml", "report.md", "summary.md", "ways-out.md"]),
    ],
)
def test_the_formats_of_the_run_are_what_is_made(formats: list[str] | None, names: list[str]) -> None:
    results = ordinary()
    settings = {key: value for key, value in results["run"]["settings"].items() if key != "formats"}
    results["run"] = {**results["run"], "settings": settings | ({} if formats is None else {"formats": formats})}
    assert list(files(results)) == names


def test_the_same_results_give_the_same_bytes() -> None:
    assert files(RESULTS) == files(RESULTS)


def test_a_host_as_declared_is_folded_and_one_with_findings_is_not() -> None:
    green = build.judged(build.host_evidence([build.declared(443)], [build.listener(443)]))
    (one,) = parsed(files(green)["report.html"]).iter("details")
    assert one.get("open") is None
    (other,) = parsed(files(ordinary())["report.html"]).iter("details")
    assert other.get("open") is not None


def test_many_gaps_stand_on_pages_of_their_own_and_none_is_lost() -> None:
    results = ordinary()
    gap = next(row for row in RESULTS["findings"] if row["status"] == "not_assessed")
    count = report_html.MOST_GAPS + report_html.SUBJECTS_ON_PAGE + 1
    results["findings"] = [{**gap, "host": f"gone{number:05}", "id": f"{number:020x}"} for number in range(count)]
    made = files(results)
    shown = [name for text in made.values() if "<html" in text for name in re.findall("<li><code>(gone[0-9]{5})", text)]
    assert sorted(shown) == sorted(row["host"] for row in results["findings"])
    assert {"report/gaps-0001.html", "report/gaps-0002.html"} <= made.keys()
