# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run directory judged: its evidence in, ``results.json`` beside it. This module is private to the collection."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from .._evidence.history_file import HistoryEvidenceError, read_history
from .._evidence.kept import EvidenceError
from .._evidence.results_file import ResultsWriter
from .._evidence.run_directory import RunDirectory
from .._merge.part import no_verdict
from .evidence_in import evidence_in
from .reconcile import Audit


def judge_run(run: RunDirectory, into: Path | None = None) -> dict[str, Any]:
    """Writes the results, host by host, and returns all of them but hosts and findings.

    They are written to ``results.json`` of the run, or to the file ``into``; then nothing in the run
    directory is touched. Evidence of a host or a vantage point that cannot be used is a gap. Raises
    EvidenceError when it is not known what was asked of the run, and for results other than those that
    the run was sealed with; OSError as the file system does.
    """
    asked = run.read_run()
    if "part" in asked:
        raise EvidenceError(f"{run.path}: {no_verdict(asked['part'])}")
    merged = run.read_merge()
    if merged is None and run.parts.exists():
        raise EvidenceError(f"{run.path}: its merge was cut short: merge the parts again")
    before = read_history(run.history)
    scans = run.readable_scans(vantage["name"] for vantage in asked["vantages"])
    audit = Audit(asked, scans, before, merged)
    target = (run.results, run.as_sealed("results.json")) if into is None else (into, None)
    with contextlib.closing(ResultsWriter(*target)) as writer:
        for host in asked["hosts"]:
            try:
                judged = audit.of_host(host, evidence_in(run, host))
            except HistoryEvidenceError:
                raise
            except EvidenceError as error:
                judged = audit.of_damaged_host(host, run.place_in(error))
            writer.add(*judged)
        writer.add(None, audit.of_run())
        if before is not None:
            before.finish()
        head = audit.head()
        writer.finish(head)
    return head
