# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the control node: its disk, its clock, its Python, and what surrounds ansible-playbook."""

from __future__ import annotations

import json
import stat
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.audits import Auditing
from faults.conftest import Telling
from faults.stages import blocks, fill, gathered, judged, play, role, small_disk
from faults.table import assessed, fault, no_run

WHOLE = "Everything in scope was looked at"
FULL = "No space left on device; free space or inodes"
EVIDENCE = ("run.json", "hosts/web1.json", "scans/office.json")
REPORTS = (
    "report.html",
    "junit.xml",
    "report.md",
    "summary.md",
    "ways-out.md",
    "evidence/seal.json",
    "manifest.json",
)


@pytest.fixture(scope="session")
def complete(fleet: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run of a healthy host, to be copied."""
    run = Auditing(tmp_path_factory.mktemp("complete"))()
    assert run.exit_status == 0, run.output
    return run.run.resolve()


@fault(
    "disk-full-evidence",
    area="control",
    fault="The disk is full when evidence is written: each of its files in turn",
    cause="a small file system as report directory, filled before the stage that writes the file",
    says=no_run(line=FULL),
)
@pytest.mark.parametrize("name", EVIDENCE)
def test_a_disk_too_full_for_the_evidence(audit: Auditing, told: Telling, tmp_path: Path, name: str) -> None:
    with small_disk(audit.report_dir) as disk:
        full = {
            "ansible.builtin.command": f"dd if=/dev/zero of={disk}/ballast bs=4096",
            "delegate_to": "localhost",
            "connection": "local",
            "failed_when": False,
        }
        stages = [*map(role, ("open", "gather", "scan", "judge"))]
        stages.insert(EVIDENCE.index(name), full)
        run = audit(play=play(tmp_path, *stages), audit_history=False)
        told(run)
        assert f"/evidence/{name}: {FULL}" in " ".join(run.output.split()), run.output
        assert_no_half_file(disk)


@fault(
    "disk-full-results",
    area="control",
    fault="The disk is full when the results are written",
    cause="a gathered run on a file system without a free block",
    says=no_run(line=f"/results.json: {FULL}"),
)
def test_a_disk_too_full_for_the_results(tmp_path: Path, told: Telling, complete: Path) -> None:
    with small_disk(tmp_path / "reports") as disk:
        run = gathered(complete, disk)
        fill(disk, 0)
        told(judged(tmp_path, run))
        assert_no_half_file(disk)


@fault(
    "disk-full-reports",
    area="control",
    fault="The disk is full when a report is written: each of its files in turn",
    cause="a judged run on a file system, filled so that the file no longer fits",
    says=no_run(line=FULL),
)
@pytest.mark.parametrize("name", REPORTS)
def test_a_disk_too_full_for_the_reports(tmp_path: Path, told: Telling, complete: Path, name: str) -> None:
    before = [complete / one for one in REPORTS[: REPORTS.index(name) + 1]]
    with small_disk(tmp_path / "reports") as disk:
        run = gathered(complete, disk)
        assert judged(tmp_path, run, ("audit",)).exit_status == 0
        fill(disk, blocks(*before) - 1)
        ended = judged(tmp_path, run, ("report", "gate"))
        told(ended)
        assert f"/{name}: {FULL}" in " ".join(ended.output.split()), ended.output
        assert_no_half_file(disk)


@fault(
    "report-dir-read-only",
    area="control",
    fault="The report directory is read-only",
    cause="a file system that was mounted again as read-only",
    says=no_run(line="Read-only file system; give an audit_report_dir that can be written"),
)
def test_a_report_directory_that_is_read_only(audit: Auditing, told: Telling) -> None:
    with small_disk(audit.report_dir) as disk:
        subprocess.run(("mount", "-o", "remount,ro", str(disk)), check=True)
        told(audit())


@fault(
    "report-dir-a-file",
    area="control",
    fault="The report directory is a file",
    cause="a file of that name",
    says=no_run(line="reports: Not a directory; give an audit_report_dir that is a directory"),
)
def test_a_report_directory_that_is_a_file(audit: Auditing, told: Telling) -> None:
    audit.report_dir.write_text("in the way")
    told(audit())


@fault(
    "report-dir-vanished",
    area="control",
    fault="The disk of the report directory goes away in the middle",
    cause="the file system is unmounted after the run was opened",
    says=no_run(line="No such file or directory; it was there when the run began"),
)
def test_a_report_directory_that_goes_away(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    with small_disk(audit.report_dir) as disk:
        gone = {"ansible.builtin.command": f"umount --lazy {disk}", "delegate_to": "localhost", "connection": "local"}
        own = play(tmp_path, role("open"), gone, *map(role, ("gather", "scan", "judge")))
        told(audit(play=own))


@fault(
    "files-too-large",
    area="control",
    fault="The control node may write no file of that size",
    cause="ulimit -f of one block around ansible-playbook, which then gets SIGXFSZ or EFBIG",
    says=no_run(line="File too large; raise the limit of the file size"),
)
def test_a_limit_of_the_file_size(tmp_path: Path, told: Telling, complete: Path) -> None:
    run = gathered(complete, tmp_path / "reports")
    around = ("sh", "-c", 'ulimit -f 8; exec "$@"', "sh")
    told(judged(tmp_path, run, around=around))
    assert_no_half_file(tmp_path / "reports")


@fault(
    "umask-0",
    area="control",
    fault="The umask lets everybody read and write",
    cause="umask 000 around ansible-playbook",
    says=assessed("web1", line=WHOLE),
)
def test_files_are_for_their_owner_only_whatever_the_umask_is(audit: Auditing, told: Telling) -> None:
    told(audit(around=("sh", "-c", 'umask 000; exec "$@"', "sh")))
    modes = {stat.filemode(path.lstat().st_mode)[1:] for path in audit.report_dir.rglob("*") if not path.is_symlink()}
    assert modes == {"rw-------", "rwx------"}


@fault(
    "home-not-writable",
    area="control",
    fault="The home directory cannot be written",
    cause="HOME below /proc around ansible-playbook",
    says=assessed("web1", line=WHOLE),
)
def test_a_home_directory_that_cannot_be_written(audit: Auditing, told: Telling) -> None:
    told(audit(around=("env", "HOME=/proc/1/nowhere")))


@fault(
    "locale-not-utf-8",
    area="control",
    fault="The locale is not UTF-8",
    cause="LC_ALL=C around ansible-playbook, and Python told not to help itself",
    says=no_run(line="requires the locale encoding to be UTF-8", exit_status=1),
)
def test_a_locale_that_is_not_utf_8(audit: Auditing, told: Telling) -> None:
    told(audit(around=("env", "LC_ALL=C", "PYTHONCOERCECLOCALE=0", "PYTHONUTF8=0")))


def without(folder: Path, package: str) -> tuple[str, ...]:
    """The tests' own Python environment but for one package: runs a program with it."""
    venv.create(folder / "venv", symlinks=True, with_pip=False)
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(package):
            (own / path.name).symlink_to(path)
    return (str(folder / "venv" / "bin" / "python"),)


@fault(
    "without-jsonschema",
    area="control",
    fault="jsonschema is not installed",
    cause="a Python environment without it",
    says=no_run(line="Failed to import the required Python library (jsonschema)"),
)
def test_no_audit_without_jsonschema(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(audit(around=without(tmp_path, "jsonschema")))


@fault(
    "without-msgspec",
    area="control",
    fault="msgspec is not installed",
    cause="a Python environment without it",
    says=no_run(line="Failed to import the required Python library (msgspec, 0.19 or newer)"),
)
def test_no_audit_without_msgspec(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(audit(around=without(tmp_path, "msgspec")))


@fault(
    "without-junit-xml",
    area="control",
    fault="junit-xml is not installed",
    cause="a Python environment without it",
    says=no_run(line="Failed to import the required Python library (junit-xml)"),
)
def test_no_audit_without_junit_xml(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(audit(around=without(tmp_path, "junit_xml")))


@fault(
    "clock-back-between-runs",
    area="control",
    fault="The clock is set back between two runs",
    cause="faketime around the second run, a day back",
    says=assessed("web1", line="The clock of the control node was set back"),
)
def test_a_clock_that_is_set_back_between_two_runs(audit: Auditing, told: Telling) -> None:
    first = audit().run.resolve()
    second = audit(around=("faketime", "-f", "-1d"))
    told(second)
    assert second.run.resolve() != first
    assert second.run.resolve().name < first.name


@fault(
    "clock-back-in-a-run",
    area="control",
    fault="The clock is set back while the audit runs",
    cause="faketime around ansible-playbook, and a task between gathering and judging that sets it back by a day",
    says=assessed("web1", line=WHOLE),
)
def test_a_clock_that_is_set_back_in_a_run(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0d")
    back = {"ansible.builtin.copy": {"content": "-1d", "dest": str(clock)}, "delegate_to": "localhost"}
    own = play(tmp_path, *map(role, ("open", "gather", "scan")), {**back, "connection": "local"}, role("judge"))
    fake = ("env", f"FAKETIME_TIMESTAMP_FILE={clock}", "FAKETIME_NO_CACHE=1", *faketime_library())
    run = audit(play=own, around=fake)
    told(run)
    about = run.results()["run"]
    assert about["finished"] >= about["started"]


def faketime_library() -> Iterator[str]:
    """What the program faketime sets for the programs that it runs."""
    said = subprocess.run(("faketime", "-f", "+0d", "env"), check=True, capture_output=True, text=True).stdout
    yield from (line for line in said.splitlines() if line.startswith("LD_PRELOAD="))


def assert_no_half_file(report_dir: Path) -> None:
    """Every file under its own name is whole, and nothing temporary is left."""
    for path in report_dir.rglob("*"):
        assert not path.name.endswith(".tmp"), path
        if path.suffix == ".json" and path.is_file():
            json.loads(path.read_bytes())
