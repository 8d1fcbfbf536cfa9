# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an attacker can name, an attacker cannot render: each payload at each entry, into every sink, judged by parsers
that nobody here wrote."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cmarkgfm
import lxml.html
import pyte
import pytest
import yaml
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.file_names import file_stem
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.new_run import name_problems
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.progress import Progress
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.console import console_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text
from ansible_collections.vigil.ports.tests.unit.hostile.corpus import FAMILIES, PAYLOADS
from ansible_collections.vigil.ports.tests.unit.hostile.hostile_audit import audited
from cmarkgfm.cmark import Options
from lxml import etree

TEXTS = [payload.text for payload in PAYLOADS]
#: Harmless texts, among them some that the schema refuses for their length, and one that is no name of a host.
HARMLESS = ["x" * 900 if number % 4 == 0 else "a text" if number % 4 == 1 else f"name{number}" for number in range(80)]
ELEMENTS = {
    "h1",
    "h2",
    "h3",
    "p",
    "strong",
    "code",
    "ul",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "div",
    "pre",
}
#: What the template says only where it cuts, as it does of the corpus.
CUT = {"p The ways out of N more subjects are in "}
MARKDOWN = ("report.md", "summary.md", "ways-out.md")
#: What a runner takes for a command, wherever it stands: a line may be wrapped, or quoted in another.
COMMANDS = re.compile(
    r"##\[|##vso\[|##teamcity\[|section_(?:start|end):|travis_fold:"
    r"|::(?:error|warning|notice|debug|group|endgroup|add-mask|add-path|add-matcher|remove-matcher|stop-commands|echo"
    r"|save-state|set-output|set-env)\b|(?:^|\s)(?:---|\+\+\+|~~~|\^\^\^)(?=\s|$)",
    re.IGNORECASE | re.MULTILINE,
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    run, results = audited(TEXTS, tmp_path_factory.mktemp("hostile"))
    return run.path, results


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audited(HARMLESS, tmp_path_factory.mktemp("harmless"))[0].path


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from strings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from strings(entry)
    elif isinstance(value, str):
        yield value


def shows_itself(text: str) -> bool:
    return visible(text, len(text) + 32) == text


def test_the_corpus_is_large_and_each_payload_is_there_once() -> None:
    assert len(PAYLOADS) >= 500
    assert len({payload.id for payload in PAYLOADS}) == len({payload.text for payload in PAYLOADS}) == len(PAYLOADS)
    assert {payload.family for payload in PAYLOADS} == set(FAMILIES)


def test_every_payload_is_in_the_evidence_and_in_the_results(hostile: tuple[Path, Results]) -> None:
    """Else the tests below would judge nothing."""
    run, results = hostile
    assert len(list((run / "evidence" / "hosts").iterdir())) >= 4 * len(PAYLOADS)
    said = Counter(row["host"] for row in results.notable)
    for number in range(len(PAYLOADS)):
        for kind in ("observed", "taken", "misdeclares", "said"):
            assert said[f"{kind}{number}"], (kind, PAYLOADS[number].id)


def test_json_is_ascii_and_every_text_in_it_shows_itself(hostile: tuple[Path, Results]) -> None:
    run, _results = hostile
    texts: set[str] = set()
    for path in run.rglob("*.json"):
        content = path.read_bytes()
        assert content.isascii()
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", content)
        value = json.loads(content)
        if "settings" in value or "run" in value:  # gaps are accepted by their exact names
            value.get("settings", value.get("run", {}).get("settings"))["accept_gaps"] = []
            value.get("coverage", {}).pop("accepted_gaps", None)
        texts.update(strings(value))
    assert len(texts) > 1000
    assert [text for text in texts if not shows_itself(text)] == []
    assert max(map(len, texts)) <= 20_000


def test_junit_is_what_lxml_reads_and_every_text_in_it_shows_itself(hostile: tuple[Path, Results]) -> None:
    run, _results = hostile
    identities = []
    for path in run.glob("junit*.xml"):
        root = etree.fromstring(path.read_bytes(), etree.XMLParser(huge_tree=True))
        assert {one.tag for one in root.iter()} == {
            *("testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped"),
            *("system-out", "system-err"),
        }
        assert not root.xpath("//comment() | //processing-instruction()")
        for one in root.iter():
            # Words of the template beside text of others must not make one of the other alphabets a look-alike.
            texts = [*one.attrib.values(), *(one.text or "").split("\n")]
            texts = [text.removeprefix("vigil.ports.") for text in texts]
            assert all(map(shows_itself, texts)), (one.tag, texts)
        for outcome in root.iterfind(".//testcase/*"):
            assert re.match(r"(critical|high|medium|low|info|not assessed): ", outcome.get("message"))
            # Where a runner prints the body, each line begins with a word of ours.
            lines = (outcome.text or "").split("\n")
            assert [line for line in lines if not re.match(r"$|  |[a-z ]+: |to close it, ", line)] == []
        identities += [
            (suite.get("name"), case.get("classname"), case.get("name"))
            for suite in root
            for case in suite.findall("testcase")
        ]
    assert len(identities) == len(set(identities)) > len(PAYLOADS)


def page(path: Path) -> Any:
    """As GitHub's own parser makes it, with its extensions, and HTML let through."""
    text = path.read_text(encoding="utf-8")
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES | Options.CMARK_OPT_SMART
    html = cmarkgfm.github_flavored_markdown_to_html(text, options=options)
    return lxml.html.fromstring(f"<div>{html}</div>", parser=lxml.html.HTMLParser(huge_tree=True))


def said_by_the_template(root: Any) -> set[str]:
    """Every text that stands outside of code, with its element; numbers and rule ids apart."""
    found = set()
    for one in root.iter():
        found.add((one.tag, "" if one.tag == "code" else one.text or ""))
        found.add((one.getparent().tag if one.getparent() is not None else "", one.tail or ""))
    return {f"{tag} {re.sub('[0-9]+', 'N', text)}" for tag, text in found}


@pytest.mark.parametrize("name", MARKDOWN)
def test_markdown_has_no_link_image_or_html_and_outside_of_code_only_what_the_template_says(
    hostile: tuple[Path, Results], harmless: Path, name: str
) -> None:
    rendered = page(hostile[0] / name)
    assert {one.tag for one in rendered.iter()} <= ELEMENTS
    assert [dict(one.attrib) for one in rendered.iter() if one.attrib] == []
    for block in rendered.iter("pre"):  # entries to paste: what YAML makes of them is data
        pasted = yaml.safe_load(block.text_content())
        assert all(name.startswith(("vigil_ports__", "vigil_exceptions__")) for name in pasted)
        assert all(map(shows_itself, strings(pasted)))
    for rows in rendered.iter("table"):
        assert len({len(row) for row in rows.iter("tr")}) == 1
    invented = said_by_the_template(rendered) - said_by_the_template(page(harmless / name)) - CUT
    assert {text for text in invented if not _is_list_of_ours(text)} == set()


def _is_list_of_ours(text: str) -> bool:
    """Rules and separators are joined in as many ways as findings meet."""
    return re.fullmatch(r"(?:[a-z]+ )?[a-z, ()N:;.-]*", text) is not None and "  " not in text


@pytest.mark.parametrize("name", MARKDOWN)
def test_markdown_shows_itself_and_no_line_begins_with_text_of_others(hostile: tuple[Path, Results], name: str) -> None:
    text = (hostile[0] / name).read_text(encoding="utf-8")
    assert all(map(shows_itself, text.split("\n")))
    for line in re.sub(r"(?ms)^```\n.*?^```$", "", text).split("\n"):
        ours = (
            r"$|[#|A-Z]|[0-9]+ more|into the variables|\*\*(?:PASSED|FAILED)|- [A-Z`]"
            r"|  - [`p]|  digests|not as|`[^`]|`` "
        )
        assert re.match(ours, line), line
        assert not line.lstrip().startswith(("/", "::", "@"))


def test_the_summary_stays_below_what_forges_take(hostile: tuple[Path, Results]) -> None:
    assert (hostile[0] / "summary.md").stat().st_size < 60_000


@pytest.mark.parametrize("name", MARKDOWN)
def test_names_in_any_alphabet_stay_readable(tmp_path: Path, name: str) -> None:
    run, _results = audited([*FAMILIES["honest"], "x y"], tmp_path)
    text = (run.path / name).read_text(encoding="utf-8")
    junit = (run.path / "junit.xml").read_text(encoding="utf-8")
    for honest in FAMILIES["honest"]:
        assert f"`{honest}`" in text or honest in text
        assert honest.replace("&", "&amp;") in junit


def printed(hostile: tuple[Path, Results]) -> Iterator[str]:
    """Every line that an operator can be shown: the summary with each finding in turn, progress, warnings."""
    run, results = hostile
    head = {key: results[key] for key in results if key not in ("hosts", "findings")}
    rows = [row for row in results.notable if re.match("(observed|taken|misdeclares|said)[0-9]", row["host"] or "")]
    one_of_each = {(row["host"], row["rule"]): row for row in rows}
    chunk = list(one_of_each.values())
    for start in range(0, len(chunk), 10):
        yield from list(console_lines(Results(head, [], chunk[start : start + 10], []), str(run)))[3:]
    for text in TEXTS:
        yield from console_lines(Results(head, [], [], []), text)
        line = Progress(f"from internet by {text}", 1, on_terminal=True, clock=0).line(1, "1 of 1", 1, 99)
        yield terminal_text(line or "")
        yield terminal_text(text, 300)


def test_the_terminal_shows_the_escaped_text_and_is_told_nothing_else(hostile: tuple[Path, Results]) -> None:
    lines = list(printed(hostile))
    assert len(lines) > 4 * len(PAYLOADS)
    everything = "\n".join(lines)
    assert re.fullmatch(r"[ -~\n]*", everything)
    assert [match.group() for match in COMMANDS.finditer(everything)] == []
    widest = max(map(len, lines))
    # pyte is slow: every payload on a line of its own, and some of the rest.
    shown = [terminal_text(text, 100) for text in TEXTS] + lines[::40]
    screen = pyte.Screen(widest + 1, 50)
    stream = pyte.Stream(screen)
    for start in range(0, len(shown), 50):
        screen.reset()
        stream.feed("\r\n".join(shown[start : start + 50]))
        part = [line.rstrip() for line in shown[start : start + 50]]
        assert [line.rstrip() for line in screen.display][: len(part)] == part
        assert {
            (cell.fg, cell.bg, cell.bold, cell.reverse) for row in screen.buffer.values() for cell in row.values()
        } <= {("default", "default", False, False)}
        assert (screen.title, screen.icon_name) == ("", "")


def test_every_name_is_a_file_of_its_own_in_its_folder_on_every_file_system(tmp_path: Path) -> None:
    stems = [file_stem(text) for text in dict.fromkeys([*TEXTS, "Web1", "web1", "WEB1", "con", ".", ".."])]
    assert len({stem.casefold() for stem in stems}) == len(stems)
    for stem in stems:
        path = tmp_path / f"{stem}.json"
        path.write_bytes(b"")
        assert path.resolve().parent == tmp_path.resolve()
        assert re.fullmatch(r"[a-z0-9_%A-F~.-]*", stem)
        assert not stem.startswith(".")
    assert len(list(tmp_path.iterdir())) == len(stems)


def test_a_name_that_does_not_show_as_it_is_starts_no_run() -> None:
    refused = {problem.value for text in TEXTS for problem in name_problems([text])}
    assert len(refused) > 300
    allowed = [text for text in TEXTS if not name_problems([text])]
    assert all(map(shows_itself, allowed))
    assert not set(allowed) & {
        text for payload in ("terminal", "hidden", "look-alike") for text in FAMILIES[payload][:1]
    }
    assert "../../etc/passwd" in allowed
    for text in TEXTS:
        for problem in name_problems([text]):
            assert shows_itself(str(problem))
