# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""results.json is one JSON document, and read host by host it says the same as read as a whole."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import (
    Results,
    ResultsWriter,
    is_notable,
    read_results,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._reports import junit
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.tests.unit.examples import examples
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

Json = dict[str, Any]


def written(path: Path, results: Json) -> Results:
    writer = ResultsWriter(path / "results.json")
    for host in results["hosts"]:
        writer.add(host, [row for row in results["findings"] if row["host"] == host["host"]])
    writer.add(None, [row for row in results["findings"] if row["host"] is None])
    writer.finish({key: part for key, part in results.items() if key not in ("hosts", "findings")})
    return read_results(path / "results.json")


def many(hosts: int) -> Json:
    """The results of one host, told of many."""
    one = build.judged(build.host_evidence(listeners=[build.listener(443), build.listener(8080)]))
    names = [f"web{number}" for number in range(hosts)]
    findings = [{**row, "host": name} for name in names for row in one["findings"]]
    findings.sort(key=lambda row: not is_notable(row))
    status = {name: count * hosts for name, count in one["counts"]["status"].items()}
    return {
        **one,
        "run": {**one["run"], "hosts": names},
        "hosts": [{**one["hosts"][0], "host": name} for name in names],
        "findings": findings,
        "coverage": {**one["coverage"], "hosts": {"in_scope": hosts, "assessed": hosts}},
        "counts": {**one["counts"], "status": status},
    }


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hosts=st.integers(0, 5))
def test_the_file_is_one_document_and_says_the_same_line_by_line(tmp_path: Path, hosts: int) -> None:
    results = many(hosts)
    read = written(tmp_path, results)
    assert json.loads((tmp_path / "results.json").read_bytes()) == results
    assert {key: list(read[key]) if key in ("hosts", "findings") else read[key] for key in read} == results
    assert [*read.notable, *read.passed()] == results["findings"]


def test_reports_from_the_file_and_from_memory_are_the_same_bytes(tmp_path: Path) -> None:
    results = many(4)
    streamed = {name: b"".join(chunks) for name, chunks in reports(written(tmp_path, results))}
    whole = {name: b"".join(chunks) for name, chunks in reports(Results.of(results))}
    assert streamed == whole


def read_all(path: Path) -> None:
    for _name, chunks in reports(read_results(path)):
        b"".join(chunks)


@pytest.mark.parametrize("drop", [b'"rule":"undeclared-listener"', b'"assessed":'])
def test_a_row_that_was_taken_out_of_the_results_is_missed(tmp_path: Path, drop: bytes) -> None:
    path = tmp_path / "results.json"
    written(tmp_path, many(2))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if drop not in line or line is lines[0]))
    with pytest.raises(EvidenceError, match=r"rows of .* run vigil.ports.audit on the run directory again"):
        read_all(path)


def test_a_row_of_the_results_that_was_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    written(tmp_path, many(2))
    for damage in (b'"rule":', b'"status":"fail"'):
        whole = path.read_bytes()
        path.write_bytes(whole.replace(damage, damage[:-2], 1))
        with pytest.raises(EvidenceError, match="a row"):
            read_all(path)
        path.write_bytes(whole)


def test_two_rows_on_one_line_are_not_taken_for_two(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    written(tmp_path, many(2))
    before, findings, after = path.read_bytes().partition(b'"findings":[\n')
    path.write_bytes(before + findings + after.replace(b",\n", b",", 1))
    with pytest.raises(EvidenceError, match="a row cannot be read"):
        read_all(path)


def test_a_large_junit_report_is_divided_between_hosts_and_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    results = many(20)
    whole = [
        suite.get("name") for suite in etree.fromstring(b"".join(next(iter(junit.junit_files(Results.of(results))))[1]))
    ]
    monkeypatch.setattr(junit, "MOST_BYTES", 9000)
    files = {name: b"".join(chunks) for name, chunks in junit.junit_files(Results.of(results))}
    index = json.loads(files.pop("junit-index.json"))["files"]
    assert [row["file"] for row in index] == list(files)
    assert len(files) > 2
    suites = [suite for text in files.values() for suite in etree.fromstring(text)]
    assert [suite.get("name") for suite in suites] == whole
    assert all(len(text) <= 9000 + 200 for text in files.values())
    assert [row["cases"] for row in index] == [
        sum(len(suite) - 3 for suite in etree.fromstring(text)) for text in files.values()
    ]


def test_a_junit_report_holds_no_more_cases_than_its_readers_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "MOST_CASES", random.Random(1).randint(10, 20))  # noqa: S311 - a number, no secret
    for name, chunks in junit.junit_files(Results.of(many(9))):
        if name.endswith(".xml"):
            assert len(etree.fromstring(b"".join(chunks)).findall(".//testcase")) <= junit.MOST_CASES
