# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers for Prometheus are those of the results, and the example rules ask for numbers that there are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.metrics import metrics, stands_for_all
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

RULES = Path(__file__).resolve().parents[5] / "examples" / "prometheus" / "alerts.yml"
_SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?[0-9.]+)')


def numbers(label: str | None = "outside") -> dict[str, float]:
    """Every sample of a run with findings, by its name and labels; each line is as the format wants it."""
    lines = made(label).decode().splitlines()
    samples = [_SAMPLE.fullmatch(line) for line in lines if not line.startswith(("# HELP ", "# TYPE "))]
    assert all(samples)
    return {f"{one[1]}{{{one[2]}}}": float(one[3]) for one in samples if one}


def made(label: str | None) -> bytes:
    """The file of a run with findings."""
    evidence = build.host_evidence(
        [build.declared(443), build.declared(25, review_by="2026-11-01")],
        [build.listener(443), build.listener(8080)],
        [build.exception(8080, expires=build.days_from_today(3))],
        status="gathered",
    )
    about: Any = build.run(label=label, every=3600, due={"every": 3600, "last_run_id": None, "missed": 2})
    results = build.judged(evidence, [], about)
    return metrics(Results.of(results), "2026-11-20T13:20:00Z", 4, 5)


def test_the_numbers_are_those_of_the_results() -> None:
    found = numbers()
    assert found['vigil_ports_findings{label="outside",severity="medium"}'] == 1  # 25 is missing
    assert found['vigil_ports_findings{label="outside",severity="low"}'] == 2  # expiring, overdue
    expected = {
        "not_assessed": 1,
        "hosts_in_scope": 1,
        "hosts_assessed": 0,
        "gate_passed": 0,
        "last_complete_run_timestamp_seconds": 1795180800,
        "run_due_seconds": 3600,
        "runs_missed": 2,
        "exceptions_expiring": 1,
        "exceptions_expired": 0,
        "reviews_overdue": 1,
        "alerts_undelivered": 4,
        "alerts_dropped": 5,
    }
    assert {name: found[f'vigil_ports_{name}{{label="outside"}}'] for name in expected} == expected


def test_a_label_cannot_end_its_quotes_or_its_line() -> None:
    found = numbers('a"} 9\nvigil_ports_gate_passed 1\\')
    assert sum(name.startswith("vigil_ports_gate_passed") for name in found) == 1


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    "label",
    ["$(touch x)", "`touch x`", "${y:=$(touch x)}", '"; touch x; "', '\\"; touch x #', "\\$(touch x)", "\n touch x"],
)
def test_a_shell_that_reads_the_file_runs_nothing_of_the_label(tmp_path: Path, shell: str, label: str) -> None:
    (tmp_path / "metrics.prom").write_bytes(made(label))
    subprocess.run((shell, "metrics.prom"), cwd=tmp_path, check=False, capture_output=True)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.prom"]


def test_the_example_rules_ask_for_numbers_that_there_are() -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"vigil_ports_[a-z_]+", rule["expr"])}
    assert len(rules) == 6
    assert asked <= {name.split("{")[0] for name in numbers()}


@pytest.mark.parametrize(
    ("more", "stands"), [({}, True), ({"limit": "web1"}, False), ({"limit": ""}, False), ({"what_if": True}, False)]
)
def test_the_numbers_of_a_part_do_not_take_the_place_of_those_of_all(more: dict[str, Any], stands: bool) -> None:
    assert stands_for_all(Results.of(build.judged(build.host_evidence(), [], build.run(**more)))) is stands
