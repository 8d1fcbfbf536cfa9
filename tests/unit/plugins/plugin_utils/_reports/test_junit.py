# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""junit.xml stays valid and keeps its identities, and each status is what its readers take it for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules.registry import CATALOGUE
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.junit import junit_files
from ansible_collections.vigil.ports.tests.unit.examples import examples
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import hostile_text
from hypothesis import given, settings
from lxml import etree

Json = dict[str, Any]

RESULTS = hostile_text.results()

#: What both common schemas (Jenkins xunit junit-10.xsd, Windy Road JUnit.xsd) let through and ask for.
SUITE_NEEDS = {"name", "timestamp", "hostname", "tests", "failures", "errors", "time", "id", "package"}
SUITE_TAKES = SUITE_NEEDS | {"skipped"}
CASE_HAS = {"name", "classname", "time"}
OUTCOMES = {"failure": {"message", "type"}, "error": {"message", "type"}, "skipped": {"message"}}


def document(results: Json) -> Any:
    [(name, chunks)] = junit_files(Results.of(results))
    assert name == "junit.xml"
    return etree.fromstring(b"".join(chunks))


def conforms(root: Any) -> None:
    """The rules of the schemas and of the readers, told on their own."""
    assert (root.tag, dict(root.attrib)) == ("testsuites", {})
    identities = []
    for suite in root:
        assert suite.tag == "testsuite"
        assert SUITE_NEEDS <= set(suite.attrib) <= SUITE_TAKES
        cases = suite.findall("testcase")
        assert cases
        assert [part.tag for part in suite] == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
        for attribute, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(attribute) == str(len(suite.findall(f"testcase/{outcome}")))
        assert suite.get("tests") == str(len(cases))
        assert len(suite.get("timestamp")) == len("2026-11-20T13:15:00")
        for case in cases:
            assert set(case.attrib) == CASE_HAS
            assert case.get("name").strip()
            assert case.get("classname").startswith("vigil.ports.")
            assert "." not in case.get("classname").removeprefix("vigil.ports.")
            assert len(case) <= 1
            for outcome in case:
                assert set(outcome.attrib) == OUTCOMES[outcome.tag]
                assert outcome.get("message")
                assert "\n" not in outcome.get("message")
                assert (outcome.text or "").strip()
            identities.append((suite.get("name"), case.get("classname"), case.get("name")))
    assert len(identities) == len(set(identities)) > 0
    assert [suite.get("id") for suite in root] == [str(number) for number in range(len(root))]


def cases(results: Json, host: str = "web1") -> dict[str, str]:
    """Each case of a host with its outcome."""
    suite = next(one for one in document(results) if one.get("name") == host)
    return {case.get("name"): case[0].tag if len(case) else "passed" for case in suite.findall("testcase")}


def body(results: Json, name: str) -> str:
    return next(case[0].text for case in document(results).iter("testcase") if case.get("name") == name and len(case))


def test_results_of_every_kind_conform() -> None:
    conforms(document(RESULTS))
    assert {outcome.tag for outcome in document(RESULTS).iterfind(".//testcase/*")} == set(OUTCOMES)


@pytest.mark.parametrize("payload", hostile_text.PAYLOADS)
def test_hostile_text_leaves_it_valid(payload: str) -> None:
    conforms(document(hostile_text.poisoned(payload, RESULTS)))


@settings(max_examples=examples(60))
@given(hostile_text.anything)
def test_no_text_at_all_makes_it_invalid(text: str) -> None:
    conforms(document(hostile_text.poisoned(text, RESULTS)))


@pytest.mark.parametrize("namespace", ["netns/{host}", "netns/{", "netns/{0}", "netns/}", "netns/%s"])
def test_braces_in_a_namespace_are_shown_as_they_are(namespace: str) -> None:
    asked = {"asked": "all", "seen": ["host", namespace], "missed": []}
    evidence = build.host_evidence(
        [build.declared(443, namespace=namespace)],
        exceptions=[build.exception(80, namespace=namespace)],
        listening=build.listening([build.listener(443, namespace=namespace)], namespaces=asked),
    )
    assert set(cases(build.judged(evidence))) >= {
        f"tcp/443 in {namespace} is as declared",
        f"exception for tcp/80 in {namespace}",
    }


HEALTHY = build.host_evidence([build.declared(443, reachable_from=["internet"])], [build.listener(443)])
SEEN = [build.scan([build.target([443])])]
PERMANENT = {
    "no approval is too broad",
    "no listener is hidden",
    "assessed",
    "assessed from internet",
    "nothing listens undeclared",
    "nothing takes packets undeclared",
    "nothing is open undeclared from internet",
    "every open port has its listener from internet",
    "the firewall has no holes from internet",
    "tcp/443 is as declared",
}


def test_a_green_host_has_its_permanent_cases_and_they_pass() -> None:
    assert cases(build.judged(HEALTHY, SEEN, build.run(scan_depth="full"))) == dict.fromkeys(PERMANENT, "passed")
    shallow = cases(build.judged(HEALTHY, SEEN))  # that no port is hidden takes a look at every port, or bind()
    assert shallow == dict.fromkeys(PERMANENT - {"no listener is hidden"}, "passed")


def test_a_case_keeps_its_name_whatever_was_found() -> None:
    worse = build.host_evidence(
        [build.declared(443, reachable_from=["internet"])],
        [build.listener(8080), build.unowned(9090), build.listener(9091, "::")],
    )
    outcomes = cases(build.judged(worse, [build.scan([build.target([7000, 7001])])]))
    assert set(outcomes) == PERMANENT
    assert {name for name, outcome in outcomes.items() if outcome == "failure"} == {
        "nothing listens undeclared",
        "nothing is open undeclared from internet",
        "every open port has its listener from internet",
        "tcp/443 is as declared",
    }


def test_a_breach_is_a_failure_with_everything_in_its_body() -> None:
    results = build.judged(build.host_evidence([], [build.listener(8080), build.listener(8081)]))
    text = body(results, "nothing listens undeclared")
    for row in build.of_rule(results, "undeclared-listener"):
        assert row["message"] in text
        assert row["id"] in text
        assert row["remedy"] in text
    failure = next(document(results).iter("failure"))
    assert failure.get("type") == "undeclared-listener"
    assert failure.get("message").endswith("(and 1 more)")


def test_what_could_not_be_told_is_an_error_and_skipped_once_accepted() -> None:
    assert cases(build.judged(HEALTHY, []))["assessed from internet"] == "error"
    assert cases(build.judged(None))["assessed"] == "error"
    accepted = build.run(accept_gaps=["web1:not-scanned@internet"])
    assert cases(build.judged(HEALTHY, [], accepted))["assessed from internet"] == "skipped"


def test_an_empty_run_is_an_error() -> None:
    results = build.audit(build.run([]), [], [])
    conforms(document(results))
    assert cases(results, "(run)") == {"assessed": "error"}


def test_an_approved_exception_is_skipped_with_its_ticket_and_end_and_an_expired_one_fails() -> None:
    def outcome(days: int) -> tuple[Json, dict[str, str]]:
        excused = build.exception(8080, change="CHG-1050", expires=build.days_from_today(days))
        results = build.judged(build.host_evidence([], [build.listener(8080)], [excused]))
        return results, cases(results)

    results, held = outcome(30)
    assert held["exception for tcp/8080"] == "skipped"
    assert held["nothing listens undeclared"] == "passed"
    assert "CHG-1050" in body(results, "exception for tcp/8080")
    assert build.days_from_today(30) in body(results, "exception for tcp/8080")
    _results, expired = outcome(-1)
    assert expired["exception for tcp/8080"] == "failure"
    assert expired["nothing listens undeclared"] == "failure"


def test_what_fails_below_the_gate_is_said_and_no_breach() -> None:
    results = build.judged(build.host_evidence([], [build.listener(631, "127.0.0.1")]))
    assert cases(results)["nothing listens undeclared"] == "passed"
    assert "undeclared-listener" in document(results).find("testsuite/system-out").text


def test_dots_of_a_host_s_name_split_no_package() -> None:
    evidence = build.changed(HEALTHY, host="web1.example.com")
    scans = [build.scan([{**build.target([443]), "host": "web1.example.com"}])]
    suite = document(build.audit(build.run(["web1.example.com"]), [("web1.example.com", evidence)], scans))[0]
    assert suite.get("hostname") == suite.get("name") == "web1.example.com"
    assert suite.find("testcase").get("classname") == "vigil.ports.web1_example_com"


def test_hosts_whose_names_show_alike_keep_suites_of_their_own() -> None:
    names = ["a.b", "a_b", "a\x1b", "(run)", "b." + "c" * 5000, "b." + "c" * 5001]
    conforms(document(build.audit(build.run(names), [(name, None) for name in names], [])))


@pytest.mark.parametrize("rule", CATALOGUE)
def test_each_finding_of_each_rule_has_a_case(rule: str) -> None:
    """A failing row of a rule is a failing case, whatever the rule."""
    row = next(row for row in RESULTS["findings"] if row["rule"] == rule)
    failing = {**row, "status": "fail", "breaks_gate": True, "exception": None, "host": "web1"}
    results = {**RESULTS, "findings": [failing], "hosts": [RESULTS["hosts"][0]]}
    conforms(document(results))
    assert list(cases(results).values()) == ["failure"]
