# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that 0.2.0 sealed is read, rendered and verified: ``runs_of_0_2`` was made with the code of that release.

It has a host with findings that was listed twice, one that was unreachable, and one without evidence.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import UNSET, encoded
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS, RELISTED
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.verify_run import verify_run

RUN = "20261120T131500Z-ab8116"


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    shutil.copytree(Path(__file__).with_name("runs_of_0_2") / RUN, tmp_path / RUN)
    return RunDirectory(tmp_path / RUN)


def test_its_evidence_is_read_and_gives_the_bytes_that_it_was_read_from(run: RunDirectory) -> None:
    web1, again = run.read(HOSTS, "web1"), run.read(RELISTED, "web1")
    assert web1 is not None
    assert again is not None
    assert web1.listening is not None
    assert web1.listening.raw_sockets is UNSET
    assert {owner.child_of for one in web1.listening.listeners for owner in one.owners} == {UNSET}
    assert encoded(web1) == (run.path / "evidence/hosts" / "web1.json").read_bytes()
    assert encoded(again) == (run.path / "evidence/relisted" / "web1.json").read_bytes()


def test_verifying_it_finds_every_file_as_it_was_sealed_and_names_the_version_that_computes_it(
    run: RunDirectory,
) -> None:
    verdict = verify_run(run)
    assert {problem.file for problem in verdict.problems} == {
        *("results.json", "junit.xml", "report.md", "summary.md", "ways-out.md")
    }
    (added,) = (problem for problem in verdict.problems if problem.file == "ways-out.md")
    assert "manifest.json does not name it" in added.message
    others = [problem.message for problem in verdict.problems if problem is not added]
    assert all(message.startswith("is not what the evidence gives") for message in others)
    assert "made by vigil.ports 0.2.0, computed again by" in verdict.notes[-1]
    assert "verify with the version that made it" in verdict.notes[-1]
    path = run.path / "evidence/hosts" / "web1.json"
    path.write_bytes(path.read_bytes().replace(b'"port":6379', b'"port":6378'))
    assert "evidence/hosts/web1.json" in {problem.file for problem in verify_run(run).problems}


def test_its_results_are_rendered(run: RunDirectory) -> None:
    made = {name: b"".join(chunks).decode() for name, chunks in reports(read_results(run.results))}
    assert "tcp/6379" in made["junit.xml"]
    assert "web3" in made["report.md"]
    assert "no route" in made["summary.md"] or "web3" in made["summary.md"]
