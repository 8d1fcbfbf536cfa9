# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the runs before and after a change to what came of it. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._evidence.atomic import sha256_of
from .._evidence.results_file import read_results
from .._evidence.run_directory import RunDirectory, read_manifest
from .outcome import outcomes
from .plan import Planned
from .side import FAILING, KINDS, Outcome, Side
from .window import WindowError, is_same

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of a change. ``window`` is as ``window.json`` holds it; hosts stand in the order of their names."""

    window: Json
    closed: str
    by: Json
    after: str
    hosts: Mapping[str, list[Outcome]]

    @property
    def change(self) -> str:
        return str(self.window["change"])

    @property
    def is_taken_over(self) -> bool:
        return not is_same(self.window["by"], self.by)

    @property
    def counts(self) -> dict[str, int]:
        every = [one.kind for found in self.hosts.values() for one in found]
        return {kind: every.count(kind) for kind in KINDS}

    @property
    def passed(self) -> bool:
        return not any(self.counts[kind] for kind in FAILING)


def held_against_plan(window: Json, report_dir: Path, after: RunDirectory, by: Json, now: dt.datetime) -> Outcomes:
    """What came of the change. Raises WindowError where the run before is gone or edited, EvidenceError and OSError
    as reading does."""
    before = RunDirectory(report_dir / window["before"]["run_id"])
    _expect_unchanged(before, window["before"]["manifest_sha256"])
    was, is_now = _sides(before), _sides(after)
    asked = after.read_run()
    vantages = [] if asked["settings"]["scan_depth"] == "none" else [one["name"] for one in asked["vantages"]]
    hosts = {}
    for host, rows in sorted(window["plan"].items()):
        plan = None if rows is None else [Planned.read(row) for row in rows]
        hosts[host] = outcomes(plan, was.get(host), is_now.get(host), vantages)
    about = {"host": by["host"], "user": by["user"]}
    return Outcomes(window, f"{now:%Y-%m-%dT%H:%M:%SZ}", about, after.run_id, hosts)


def _expect_unchanged(run: RunDirectory, manifest_sha256: str) -> None:
    way_out = "what was before the change is not known any more: have it back from a backup, or audit the hosts in full"
    if not run.is_sealed:
        raise WindowError(f"{run.path}: the run before the change is gone; {way_out}")
    if sha256_of(run.manifest) != manifest_sha256:
        raise WindowError(f"{run.manifest}: it is not the one that the window was opened with; {way_out}")
    if sha256_of(run.results) != read_manifest(run.manifest)["files"].get("results.json"):
        raise WindowError(f"{run.results}: edited since the run was sealed; {way_out}")


def _sides(run: RunDirectory) -> dict[str, Side]:
    results = read_results(run.results)
    findings: dict[str, list[Any]] = {}
    for row in results.notable:
        findings.setdefault(row["host"], []).append(row)
    return {
        row["host"]: Side.of(row, findings.get(row["host"], ()), results["known_ports"]) for row in results["hosts"]
    }


def closing(found: Outcomes, after: RunDirectory, files: Mapping[str, list[bytes]]) -> Json:
    """What ``close.json`` says."""
    return {
        "change": found.change,
        "closed": found.closed,
        "by": found.by,
        "taken_over": found.is_taken_over,
        "after": {"run_id": after.run_id, "manifest_sha256": sha256_of(after.manifest)},
        "passed": found.passed,
        "counts": found.counts,
        "hosts": {host: [one._asdict() for one in rows] for host, rows in found.hosts.items()},
        "files": {name: hashlib.sha256(b"".join(chunks)).hexdigest() for name, chunks in files.items()},
    }
