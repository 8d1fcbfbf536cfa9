# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of a run and its evidence: damaged, interrupted, twice at once, judged again elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.audits import Auditing
from faults.conftest import Telling
from faults.inside import Inside
from faults.stages import MADE, gathered, judged
from faults.table import assessed, fault, no_run, not_assessed

WHOLE = "Everything in scope was looked at"
SEED = 20261120


@pytest.fixture(scope="module")
def complete(fleet: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run of a healthy host, to be copied."""
    run = Auditing(tmp_path_factory.mktemp("complete"))()
    assert run.exit_status == 0, run.output
    return run.run.resolve()


Damage = Callable[[Path], None]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_another_version(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'/1"', b'/2"'))


def of_another_type(path: Path) -> None:
    path.write_bytes(
        path.read_bytes().replace(b'"tcp_ipv4":"netlink"', b'"tcp_ipv4":5').replace(b'"shares":[', b'"x":[')
    )


def of_another(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"host":"web1"', b'"host":"web2"').replace(b'"office"', b'"internet"'))


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link(path: Path) -> None:
    shutil.move(path, path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES: tuple[Damage, ...] = (
    cut,
    emptied,
    of_another_version,
    of_another_type,
    of_another,
    a_directory,
    a_link,
    a_pipe,
)


@fault(
    "host-evidence-damaged",
    area="runs",
    fault="The evidence of a host is damaged before it is judged",
    cause="the file cut, emptied, of another version, type or host, a directory, a link, a pipe: each in turn",
    says=not_assessed("web1:evidence-damaged", line="evidence/hosts/web1.json: "),
)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_evidence_of_a_host(tmp_path: Path, told: Telling, complete: Path, damage: Damage) -> None:
    run = gathered(complete, tmp_path / "reports")
    damage(run / "evidence" / "hosts" / "web1.json")
    told(judged(tmp_path, run))


@fault(
    "scan-evidence-damaged",
    area="runs",
    fault="The evidence of a vantage point is damaged before it is judged",
    cause="the file cut, emptied, of another version, type or vantage point, a directory, a link, a pipe: each in turn",
    says=not_assessed("web1:not-scanned@office", line="evidence/scans/office.json: "),
)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_evidence_of_a_vantage_point(tmp_path: Path, told: Telling, complete: Path, damage: Damage) -> None:
    run = gathered(complete, tmp_path / "reports")
    damage(run / "evidence" / "scans" / "office.json")
    told(judged(tmp_path, run))


@fault(
    "host-evidence-gone",
    area="runs",
    fault="The evidence of a host is gone before it is judged",
    cause="the file removed",
    says=not_assessed("web1:no-evidence", line="it left no evidence"),
)
def test_evidence_of_a_host_that_is_gone(tmp_path: Path, told: Telling, complete: Path) -> None:
    run = gathered(complete, tmp_path / "reports")
    (run / "evidence" / "hosts" / "web1.json").unlink()
    told(judged(tmp_path, run))


@fault(
    "scan-evidence-gone",
    area="runs",
    fault="The evidence of a vantage point is gone before it is judged",
    cause="the file removed",
    says=not_assessed("web1:not-scanned@office", line="no scanner of it reported"),
)
def test_evidence_of_a_vantage_point_that_is_gone(tmp_path: Path, told: Telling, complete: Path) -> None:
    run = gathered(complete, tmp_path / "reports")
    (run / "evidence" / "scans" / "office.json").unlink()
    told(judged(tmp_path, run))


@fault(
    "run-evidence-damaged",
    area="runs",
    fault="It is no longer known what was asked of the run",
    cause="evidence/run.json cut",
    says=no_run(line="evidence/run.json: not JSON"),
)
def test_a_run_of_which_nobody_knows_what_was_asked(tmp_path: Path, told: Telling, complete: Path) -> None:
    run = gathered(complete, tmp_path / "reports")
    cut(run / "evidence" / "run.json")
    told(judged(tmp_path, run))


@fault(
    "results-damaged",
    area="runs",
    fault="The results are damaged before the reports are made",
    cause="a row taken out of results.json",
    says=no_run(line="it was cut or edited: run vigil.ports.audit on the run directory again"),
)
def test_results_that_lack_a_row(tmp_path: Path, told: Telling, complete: Path) -> None:
    run = gathered(complete, tmp_path / "reports")
    assert judged(tmp_path, run, ("audit",)).exit_status == 0
    lines = (run / "results.json").read_bytes().splitlines(keepends=True)
    index = next(number for number, line in enumerate(lines) if b'"rule":"undeclared-listener"' in line)
    (run / "results.json").write_bytes(b"".join(lines[:index] + lines[index + 1 :]))
    told(judged(tmp_path, run, ("report", "gate")))


@fault(
    "host-left-the-inventory",
    area="runs",
    fault="A host of the evidence is no longer in the inventory",
    cause="the run judged and rendered again with an inventory that holds no host of it",
    says=assessed("web1", line=WHOLE),
)
def test_a_run_that_is_judged_with_another_inventory(tmp_path: Path, told: Telling, complete: Path) -> None:
    run = gathered(complete, tmp_path / "reports")
    without = ("env", "ANSIBLE_INVENTORY_ENABLED=ini")  # the inventory is YAML, so nothing of it is read
    told(judged(tmp_path, run, around=without))
    for name in MADE[:-1]:
        assert (run / name).read_bytes() == (complete / name).read_bytes(), name


@fault(
    "two-at-once",
    area="runs",
    fault="Two audits write into one report directory at once",
    cause="two playbooks begun together",
    says=assessed("web1", line=WHOLE),
)
def test_two_audits_at_once(audit: Auditing, told: Telling) -> None:
    with audit.begun("web1", audit_label="one") as one, audit.begun("cache1", audit_label="two") as two:
        ended = [audit.ended(one), audit.ended(two)]
    assert [run.exit_status for run in ended] == [0, 0], [run.output for run in ended]
    runs = sorted(audit.report_dir.glob("2*"))
    hosts = {"one": ["web1.json"], "two": ["cache1.json"]}
    for run in runs:
        label = json.loads((run / "evidence" / "run.json").read_bytes())["label"]
        assert sorted(path.name for path in (run / "evidence" / "hosts").iterdir()) == hosts.pop(label)
        assert (run / "manifest.json").exists()
    assert not hosts
    assert ended[0].run.resolve() in runs
    told(audit())


def whole(report_dir: Path) -> None:
    """Every file under its own name is whole, whatever was killed when."""
    for path in report_dir.rglob("*.json"):
        if not path.name.startswith("."):
            json.loads(path.read_bytes())


def workers(mark: str) -> list[int]:
    """Processes that were started by an audit with this mark."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


@fault(
    "killed-at-any-moment",
    area="runs",
    fault="The audit is killed, at any moment, and run again",
    cause="SIGKILL to the whole session of ansible-playbook at 50 random moments of its time",
    says=assessed("web1", line=WHOLE),
)
def test_an_audit_that_is_killed_at_any_moment(audit: Auditing, told: Telling, scanner: Inside) -> None:
    began = time.monotonic()
    last = audit().run.resolve()
    takes = time.monotonic() - began
    moments = random.Random(SEED)  # noqa: S311 - moments, no secrets
    for number in range(50):
        moment, mark = moments.uniform(0, takes), f"VIGIL_KILLED={number}of{os.getpid()}"
        said = f"seed {SEED}, kill {number} after {moment:.3f} of {takes:.3f} s"
        with audit.begun(around=("env", mark)) as started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(moment)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
        # Workers are sessions of their own: they end by themselves.
        deadline = time.monotonic() + 60
        while workers(mark):
            assert time.monotonic() < deadline, f"{said}: workers go on"
            time.sleep(0.05)
        whole(audit.report_dir)
        latest = audit.report_dir.joinpath("latest").resolve()
        assert (latest / "manifest.json").exists(), said
        assert latest == last or latest.name > last.name, said
        last = latest
        if number % 10 == 9:
            again = audit()
            assert again.exit_status == 0, f"{said}\n{again.output}"
            assert again.run.resolve() != last, said
            last = again.run.resolve()
    told(audit())
    assert "nmap" not in scanner.run("ps -e -o comm="), "a scanner goes on"
