# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds a run against what an entry of the table says, by four witnesses that do not know of each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lxml import etree

from faults.audits import Audit
from faults.table import Fault

Row = dict[str, Any]

#: What a case of JUnit holds for a status; a passed one holds neither.
_CASES = {"not_assessed": "error", "fail": "failure"}


def told(audit: Audit, entry: Fault) -> None:
    """Asserts that the run says of the fault what the entry says, in all four places."""
    assert "Traceback" not in audit.output, audit.output
    assert audit.exit_status == entry.says.exit_status, f"exit status {audit.exit_status}\n{audit.output}"
    if entry.says.status == "none":
        assert not audit.run.is_symlink(), f"{audit.run} is there"
        assert entry.says.line in " ".join(audit.output.split()), audit.output
        assert not list(audit.report_dir.glob("*/manifest.json")), "a run without a verdict looks complete"
        return
    # The latest run is this one, unless it was asked what would be on another day.
    assert audit.run.is_symlink() is not audit.results()["run"].get("what_if", False), audit.output
    judged = _results(audit.run, entry)
    _junit(audit.run, entry, judged)
    _report(audit.run, entry, judged)


def name_of(row: Row) -> str:
    """How the table names a finding: its gap, or ``<host>:<rule>:<protocol>/<port>@<vantage>``."""
    if row["gap"]:
        return str(row["gap"])
    port = f":{row['protocol']}/{row['port']}" if row["port"] is not None else ""
    return f"{row['host']}:{row['rule']}{port}" + (f"@{row['vantage']}" if row["vantage"] else "")


def _results(run: Path, entry: Fault) -> list[Row]:
    """The findings of the entry; nothing else may break the gate, or the fault could hide behind it."""
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    breaking = [row for row in results["findings"] if row["breaks_gate"]]
    assert {name_of(row) for row in breaking} == set(entry.says.breaks), [row["message"] for row in breaking]
    assert results["gate"]["passed"] is (entry.says.exit_status == 0)
    if entry.says.host is not None:
        breaking = [
            row
            for row in results["findings"]
            if row["rule"] == "not-assessed" and (row["host"], row["vantage"]) == (entry.says.host, None)
        ]
    assert breaking, "no finding speaks of the fault"
    assert {row["status"] for row in breaking} == {entry.says.status}
    return breaking


def _junit(run: Path, entry: Fault, judged: list[Row]) -> None:
    suites = etree.parse(str(run / "junit.xml"))
    if entry.says.host is not None:
        [suite] = suites.xpath("//testsuite[@hostname=$host]", host=entry.says.host)
        [case] = suite.xpath("testcase[@name='assessed']")
        assert len(case) == 0
        assert not suites.xpath("//failure | //error")
        return
    bodies = [element.text for element in suites.iter(_CASES[entry.says.status])]
    for row in judged:
        assert any(f"finding: {row['id']}" in body for body in bodies), f"no {_CASES[entry.says.status]}: {row}"


def _report(run: Path, entry: Fault, judged: list[Row]) -> None:
    lines = (run / "report.md").read_text(encoding="utf-8").splitlines()
    verdict = "PASSED" if entry.says.exit_status == 0 else "FAILED"
    assert any(verdict in line for line in lines[:5]), lines[:5]
    telling = [line for line in lines if entry.says.line in line]
    assert telling, f"no line of report.md holds {entry.says.line!r}, but: {[row['message'] for row in judged]}"
    for row in judged:
        gap = row["gap"] or row["rule"]
        assert entry.says.host is not None or any(f"`{gap}`" in line or gap in line for line in lines), gap
