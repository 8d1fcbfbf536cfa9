# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source of evidence has one home. With a leg and a rule of its own everything else follows: what it lacks is a gap,
it is sealed, verified, and in the coverage of the reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit import (
    evidence_in,
    gaps_of_host,
    gate,
    needed_looks,
    reconcile,
    ways_out,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.finding import Finding
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.host_view import HostView
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.leg import Leg, Looked
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.legs.registry import LEGS
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules import undeclared_raw_socket
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import Record
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import Kept
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.verify_run import verify_run
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils.sealed_runs import OPENED, render

ROOT = Path(__file__).resolve().parents[5]


class Clock(Record, frozen=True, kw_only=True):
    """How wrong the clock of a host is."""

    shape: Literal["vigil.ports/evidence/clock/1"]
    host: str
    seconds_off: int


CLOCK = Leg(
    name="clock",
    title="whether its clock is right",
    kept=Kept("evidence/clocks", Clock, "vigil.ports/evidence/clock/1", "host", 1 << 16),
    told=lambda looked: CLOCK.of(looked.evidence) is not None,
    expected=lambda run: run["label"] == "with clocks",
)


def _judge(view: HostView) -> Iterator[Finding]:
    clock = CLOCK.of(view.evidence)
    if clock is not None:
        status: Literal["pass", "fail"] = "fail" if clock.seconds_off else "pass"
        message = f"the clock is {clock.seconds_off} seconds off"
        yield Finding(WRONG_CLOCK.id, status, "high", view.host, None, None, None, None, None, message)


WRONG_CLOCK = dataclasses.replace(undeclared_raw_socket.RULE, id="wrong-clock", judge=_judge)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one line in each registry does."""
    for module in (gaps_of_host, reconcile):
        monkeypatch.setattr(module, "LEGS", (*LEGS, CLOCK))
    monkeypatch.setattr(evidence_in, "OF_HOSTS", (*evidence_in.OF_HOSTS, CLOCK))
    monkeypatch.setattr(reconcile, "_CHECKS", (*reconcile._CHECKS, _judge))
    for reader in (gate, needed_looks, ways_out):
        monkeypatch.setitem(reader.CATALOGUE, WRONG_CLOCK.id, WRONG_CLOCK)


def _opened(folder: Path, **asked: Any) -> RunDirectory:
    run = RunDirectory.create(folder, OPENED)
    run.write_run(build.run(["web1"], run_id=run.run_id, label="with clocks", **asked))
    run.write(HOSTS, build.host_evidence([build.declared(443)], [build.listener(443)]))
    return run


def _finding(run: RunDirectory, rule: str) -> dict[str, Any]:
    (found,) = (row for row in read_results(run.results).notable if row["rule"] == rule)
    return dict(found)


def test_its_evidence_is_judged_sealed_verified_and_counted(tmp_path: Path) -> None:
    run = _opened(tmp_path)
    run.write(CLOCK.kept, Clock(shape="vigil.ports/evidence/clock/1", host="web1", seconds_off=90))
    render(run)
    assert _finding(run, WRONG_CLOCK.id)["message"] == "the clock is 90 seconds off"
    results = read_results(run.results)
    assert {"leg": "clock", "title": CLOCK.title, "hosts": 1} in results["coverage"]["legs"]
    assert "whether its clock is right" in (run.path / "report.md").read_text()
    seal(run, results, OPENED, None)
    assert verify_run(run).problems == ()
    file = run.path / "evidence/clocks/web1.json"
    file.write_bytes(file.read_bytes().replace(b"90", b"91"))
    assert any("evidence/clocks/web1.json" in str(one) for one in verify_run(run).problems)


def test_a_run_that_was_to_have_it_and_has_not_says_so_by_name(tmp_path: Path) -> None:
    run = _opened(tmp_path)
    render(run)
    gaps = {row["gap"] for row in read_results(run.results).notable}
    assert "web1:no-evidence:clock" in gaps
    assert not read_results(run.results)["gate"]["passed"]


def test_evidence_of_it_that_is_damaged_is_a_gap_of_its_host(tmp_path: Path) -> None:
    run = _opened(tmp_path)
    (run.path / "evidence/clocks").mkdir()
    (run.path / "evidence/clocks/web1.json").write_text('{"shape": "vigil.ports/evidence/clock/1", "host": "web1"}')
    render(run)
    (row,) = read_results(run.results).notable
    assert row["gap"] == "web1:evidence-damaged"
    assert "evidence/clocks/web1.json" in row["message"]
    assert "seconds_off" in row["message"]


def test_each_file_is_a_leg_of_that_name_and_is_registered_once() -> None:
    files = sorted(path.stem for path in (ROOT / "plugins/plugin_utils/_audit/legs").glob("*.py"))
    assert [name for name in files if name not in ("__init__", "registry")] == sorted(leg.name for leg in LEGS)


def test_evidence_of_another_leg_is_not_taken_for_its_own() -> None:
    other = build.host_evidence([], [])
    with pytest.raises(TypeError, match="clock"):
        CLOCK.of({"clock": other})
    assert Looked.__annotations__.keys() == {"view", "evidence", "outside"}
