# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence that was damaged between two stages is a gap with its place, never a verdict and never a crash."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
Path_ = tuple[str | int, ...]

#: Rows of a scan are held against the types that a verdict needs. These no verdict rests on.
SAYS_NOTHING = {
    *("family", "prefix", "container", "command", "package", "manager", "name", "version", "sockets", "pid", "uid"),
    *("executable_deleted", "scripts", "confidence", "cpes", "extra", "method", "reason", "id", "output"),
}
FILES = {"run": "run.json", "host": "hosts/web1.json", "scan": "scans/internet.json"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A run in which everything was looked at and nothing breaks the gate."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    path = tmp_path / "run"
    for folder in ("hosts", "scans"):
        (path / "evidence" / folder).mkdir(parents=True)
    run = RunDirectory(path)
    run.write_run(build.run())
    declared = [build.declared([443, 80], process="nginx", reachable_from="any")]
    listeners = [build.listener(443), build.listener(80)]
    run.write(HOSTS, build.host_evidence(declared, listeners))
    run.put_scan("internet", build.share([build.target([443, 80])]))
    assert judge_run(run)["gate"]["passed"], read_results(run.results).notable
    return run


def places(value: Any, above: Path_ = ()) -> Iterator[Path_]:
    """The path of every value in a document."""
    if above:
        yield above
    steps: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in steps:
        yield from places(part, (*above, step))


def damaged(value: Any, place: Path_, new: Any) -> Any:
    value = copy.deepcopy(value)
    around = value
    for step in place[:-1]:
        around = around[step]
    if new == "(gone)":
        del around[place[-1]]
    else:
        around[place[-1]] = new
    return value


@pytest.mark.parametrize("kind", FILES)
def test_a_value_of_another_type_is_never_a_crash_and_never_carries_a_pass(run: RunDirectory, kind: str) -> None:
    path = run.path / "evidence" / FILES[kind]
    whole = json.loads(path.read_bytes())
    is_valid = build.validator("evidence").is_valid
    tried = 0
    for place in places(whole):
        for new in ("(gone)", None, 5, True, -1.5, "x", [], {}):
            value = damaged(whole, place, new)
            if is_valid(value) or place[0] == "inventory":
                continue  # an edit that only a digest can find, or one that the inventory's own schema names
            tried += 1
            path.write_text(json.dumps(value))
            try:
                passed = judge_run(run)["gate"]["passed"]
                list(reports(read_results(run.results)))
            except EvidenceError:
                continue
            assert not passed or (kind != "host" and SAYS_NOTHING & set(map(str, place))), (place, new)
    assert tried > 50


@pytest.mark.parametrize(
    ("name", "gap"),
    [("hosts/web1.json", "web1:evidence-damaged"), ("scans/internet.json", "web1:not-scanned@internet")],
)
@pytest.mark.parametrize("how", ["cut", "empty", "other version", "directory", "link", "pipe", "of another"])
def test_damage_is_a_gap_that_names_the_file(run: RunDirectory, name: str, gap: str, how: str) -> None:
    path = run.path / "evidence" / name
    whole = path.read_bytes()
    path.unlink()
    if how == "directory":
        path.mkdir()
    elif how == "link":
        elsewhere = run.path / "elsewhere"
        elsewhere.write_bytes(whole)
        path.symlink_to(elsewhere)
    elif how == "pipe":
        os.mkfifo(path)
    else:
        contents = {
            "cut": whole[: len(whole) // 2],
            "empty": b"",
            "other version": whole.replace(b'/1"', b'/2"'),
            "of another": whole.replace(b'"host":"web1"', b'"host":"web2"').replace(b'"internet"', b'"office"'),
        }
        path.write_bytes(contents[how])
    assert not judge_run(run)["gate"]["passed"]
    [told] = [row for row in read_results(run.results).notable if row["status"] == "not_assessed"]
    assert told["gap"] == gap
    assert f"evidence/{name}: " in told["message"]
    assert str(run.path) not in told["message"]


def test_what_was_asked_of_the_run_must_be_known(run: RunDirectory) -> None:
    path = run.path / "evidence" / "run.json"
    path.write_bytes(path.read_bytes().replace(b'"fail_on":"medium"', b'"fail_on":"moon"'))
    with pytest.raises(EvidenceError, match=r"run\.json: run\.settings\.fail_on"):
        judge_run(run)
