# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``junit.xml``: one suite for each host, one case for each thing that must hold. Private to the collection.

A case keeps its name from run to run, whatever was found: trackers know a case by suite, classname and
name, and call it resolved when the same case passes later. failure: a breach. error: it could not be
told. skipped: an approved exception or an accepted gap.

junit-xml writes the elements, but for those of cases that passed: nearly all cases do, and such an element is two
texts. What the two common schemas (Jenkins xunit junit-10.xsd, Windy Road
JUnit.xsd) do not take of its output is corrected here.
"""

from __future__ import annotations

import functools
import itertools
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .._audit.finding import Port
from .._audit.rule import EXCEPTION_CASE, Rule
from .._audit.rules import undeclared_listener
from .._audit.rules.registry import CATALOGUE
from .._evidence.atomic import json_bytes
from .._evidence.results_file import Results
from .verdict import gravity, verdict
from .ways_out_text import ways_out_lines

try:
    import junit_xml
except ImportError as error:
    JUNIT_XML_IMPORT_ERROR: ImportError | None = error
else:
    JUNIT_XML_IMPORT_ERROR = None

_RUN_SUITE = "(run)"

#: GitLab reads files of up to 30 MB and 500,000 cases; head and end of the file are left room.
MOST_BYTES, MOST_CASES = 29_000_000, 500_000
_HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n'
_END = b"</testsuites>\n"

_TEXT_LIMIT = 4000
_IN_QUOTES = {'"': "&quot;"}
Row = Mapping[str, Any]


def junit_files(results: Results) -> Iterator[tuple[str, list[bytes]]]:
    """``junit.xml``, and where it would grow too large ``junit-2.xml`` and so on with ``junit-index.json``.

    Each with its pieces as UTF-8. A suite is never divided.
    """
    index: list[dict[str, Any]] = []
    for number, (suites, cases) in enumerate(_files(results), start=1):
        name = "junit.xml" if number == 1 else f"junit-{number}.xml"
        chunks = [_HEAD, *suites, _END]
        index.append({"file": name, "suites": len(suites), "cases": cases, "bytes": sum(map(len, chunks))})
        yield name, chunks
    if len(index) > 1:
        yield "junit-index.json", [json_bytes({"files": index})]


def _files(results: Results) -> Iterator[tuple[list[bytes], int]]:
    """Suites, as many as a file may hold, with the number of their cases."""
    suites: list[bytes] = []
    cases = size = 0
    for number, (host, findings) in enumerate(_by_host(results)):
        text, tests = _suite(number, host, findings, results["run"], verdict(results))
        if suites and (size + len(text) > MOST_BYTES or cases + tests > MOST_CASES):
            yield suites, cases
            suites, cases, size = [], 0, 0
        suites.append(text)
        cases += tests
        size += len(text)
    yield suites, cases


def _by_host(results: Results) -> Iterator[tuple[str, list[Row]]]:
    """Each host with its findings, then what concerns the run. Findings that passed are read as they are needed."""
    notable: dict[str | None, list[Row]] = {}
    for finding in results.notable:
        notable.setdefault(finding["host"], []).append(finding)
    passed = itertools.groupby(results.passed(), key=lambda finding: finding["host"])
    host, group = next(passed, (None, iter(())))
    for name in results.host_names:
        findings = notable.pop(name, [])
        if host == name:
            findings = [*findings, *group]
            host, group = next(passed, (None, iter(())))
        if findings:  # a suite without a case is ignored by Jenkins
            yield name, findings
    for left, findings in notable.items():
        yield left or _RUN_SUITE, findings


def case_name(finding: Row) -> str:
    """The name of the case to which a finding belongs. It holds nothing that changes between runs."""
    keys = ("rule", "namespace", "protocol", "port", "declared_port", "vantage")
    return _case_name(*(finding[key] for key in keys))


@functools.lru_cache(maxsize=8192)
def _case_name(
    rule_id: str, namespace: str | None, protocol: str | None, port: Port, declared_port: Port, vantage: str | None
) -> str:
    return _clean(
        CATALOGUE[rule_id].case_name.format(
            protocol=protocol,
            port=port,
            declared_port=declared_port,
            inside=_inside(namespace),
            from_vantage=f" from {vantage}" if vantage else "",
        )
    )


def _inside(namespace: str | None) -> str:
    return f" in {namespace}" if namespace not in (None, "host") else ""


def _suite(number: int, host: str, findings: Iterable[Row], run: Row, said: str) -> tuple[bytes, int]:
    """The suite of one host as UTF-8, and the number of its cases."""
    classname = "vigil.ports." + _clean(host).replace(".", "_")
    by_case: dict[str, list[Row]] = {}
    listed = False
    for finding in findings:
        listed = (
            listed or finding["rule"] == undeclared_listener.RULE.id
        )  # it speaks of every host whose sockets were listed
        for name in _case_names(finding):
            by_case.setdefault(name, []).append(finding)
    if not listed:
        by_case = {name: group for name, group in by_case.items() if _may_tell(group) or not _needs_a_listing(group)}
    telling = {name: _case(name, classname, group) for name, group in by_case.items() if _may_tell(group)}
    suite = junit_xml.TestSuite(
        _clean(host),
        list(telling.values()),
        hostname=_clean(host),
        package="vigil.ports",
        timestamp=str(run["started"]).removesuffix("Z"),
        properties={"run": _clean(run["run_id"]), "audit_date": _clean(run["audit_date"]), "verdict": said},
        stdout=_notes(by_case),
    )
    # junit-xml was given the cases that may not have passed; of the others it would make the same few words each time.
    document = conforming(suite.build_xml_doc(), number)
    document.set("tests", str(len(by_case)))
    properties, *elements, out, err = map(_xml, document)
    document[:] = []
    start = _xml(document).removesuffix(" />") + ">"
    cases = dict(zip(telling, elements, strict=True))
    ending = f'" classname="{escape(classname, _IN_QUOTES)}" time="0.000" />'
    for name in by_case.keys() - telling.keys():
        cases[name] = f'<testcase name="{escape(name, _IN_QUOTES)}{ending}'
    parts = (start, properties, *(cases[name] for name in sorted(cases)), out, err, "</testsuite>\n")
    return "".join(parts).encode("utf-8"), len(cases)


def _xml(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode")


def _case_names(finding: Row) -> Iterator[str]:
    """The finding's own case; an excused one also belongs to its exception's."""
    yield case_name(finding)
    if finding["status"] == "excepted":
        exception = finding["exception"]
        about = {"protocol": exception["protocol"], "port": exception["port"]}
        yield _clean(EXCEPTION_CASE.format(**about, inside=_inside(exception["namespace"])))


def _needs_a_listing(group: Iterable[Row]) -> bool:
    """Whether the case of these findings says of a port that it is as declared, which takes a look at what listens."""
    return any(CATALOGUE[row["rule"]].case == "declaration" for row in group)


def _may_tell(group: Iterable[Row]) -> bool:
    """Whether the case of these findings may be more than a pass."""
    return any(row["breaks_gate"] or row["accepted"] or row["status"] == "excepted" for row in group)


def _case(name: str, classname: str, group: list[Row]) -> Any:
    """One case from its findings. A breach outweighs what could not be told, and that an approval."""
    case = junit_xml.TestCase(name, classname=classname, elapsed_sec=0)
    breaches = [row for row in group if row["breaks_gate"] and row["status"] == "fail"]
    untold = [row for row in group if row["breaks_gate"] and row["status"] == "not_assessed"]
    # A case that speaks of the whole host or vantage point says of an excused port nothing: its exception's case does.
    whole = CATALOGUE[group[0]["rule"]].case in ("host", "vantage") and name == case_name(group[0])
    approved = [row for row in group if row["accepted"] or (row["status"] == "excepted" and not whole)]
    if breaches:
        worst = breaches[0]
        case.add_failure_info(_message([*breaches, *untold]), _body([*breaches, *untold]), failure_type=worst["rule"])
    elif untold:
        case.add_error_info(_message(untold), _body(untold), error_type=untold[0]["rule"])
    elif approved:
        case.add_skipped_info(_message(approved), _body(approved))
    return case


def _message(rows: list[Row]) -> str:
    """One line: the first finding, and how many more. It begins with a word of ours: a runner may print it."""
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"{gravity(rows[0])}: {_clean(rows[0]['message'], 300)}{more}"


def _body(rows: Iterable[Row]) -> str:
    """Everything: GitLab shows only this."""
    return "\n\n".join("\n".join(_lines(row)) for row in rows)


def _lines(row: Row) -> Iterator[str]:
    rule: Rule = CATALOGUE[row["rule"]]
    yield f"{row['severity']}: {_clean(row['message'])}"
    yield from (f"  - {_clean(detail)}" for detail in row["details"])
    yield f"rule: {rule.id} ({rule.title})"
    where = [
        f"{key} {_clean(row[key])}"
        for key in ("host", "protocol", "port", "address", "namespace", "vantage")
        if row[key] is not None
    ]
    yield f"subject: {', '.join(where) or 'the run'}"
    if row["place"]:
        yield f"declared: {_clean(row['place'])}"
    if row["owner"]:
        yield f"owner: {_clean(row['owner'])}"
    if row["exception"]:
        approval = row["exception"]
        parts = (f"{key} {_clean(value)}" for key, value in approval.items() if value is not None)
        yield f"exception: {', '.join(parts)}"
    if row["gap"]:
        yield f"gap: {_clean(row['gap'])}{' (accepted)' if row['accepted'] else ''}"
    if row["open_since"]:
        yield f"open since: {_clean(row['open_since'])}, first seen {_clean(row['first_seen'])}"
    yield f"remedy: {rule.remedy}"
    if row["ways_out"]:
        yield from (_clean(line) for line in ways_out_lines(row["ways_out"]))
    yield f"controls: {'; '.join(rule.controls)}"
    yield f"finding: {row['id']}"


def _notes(by_case: Mapping[str, Iterable[Row]]) -> str:
    """What failed below the gate's severity: seen, said, and not a breach."""
    quiet = {
        row["id"]: row
        for row in itertools.chain.from_iterable(by_case.values())
        if row["status"] == "fail" and not row["breaks_gate"]
    }
    return "\n".join(f"{row['severity']}: {row['rule']}: {_clean(row['message'])}" for row in quiet.values())


def conforming(suite: ET.Element, number: int) -> ET.Element:
    """The suite as both schemas take it: required parts in their order, and nothing they do not know."""
    suite.attrib.pop("disabled", None)
    suite.set("id", str(number))  # junit-xml leaves out a 0
    suite.set("time", "0.000")
    for case in suite.iter("testcase"):
        case.set("time", "0.000")
        for skipped in case.iter("skipped"):
            skipped.attrib.pop("type", None)
    parts = {tag: suite.find(tag) for tag in ("properties", "system-out", "system-err")}
    cases = suite.findall("testcase")
    for child in list(suite):
        suite.remove(child)
    ordered = [parts["properties"], *cases, parts["system-out"], parts["system-err"]]
    tags = ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
    suite.extend(ET.Element(tag) if child is None else child for tag, child in zip(tags, ordered, strict=True))
    return suite


def _clean(value: object, limit: int = _TEXT_LIMIT) -> str:
    return visible(str(value), limit)
