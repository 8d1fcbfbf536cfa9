# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run directory: each file whole or not at all, for its owner only, and nobody's name leads out of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import multiprocessing
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.atomic import json_bytes, sha256_of, written_whole
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import changed
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.file_names import file_stem
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.reachable import SCANS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import ResultsWriter, read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import hostile_text
from hypothesis import assume, example, given
from hypothesis import strategies as st

NOW = dt.datetime(2026, 11, 20, 13, 15, tzinfo=dt.UTC)
HOSTILE = ["../x", "..", ".", "/etc/passwd", "a/b", "a\\b", "a\0b", "~", "-rf", ".hidden", "a b", "web1.json", "CON"]
HOSTILE += ["x" * 300, "\u202e" * 300, "caf\u00e9", "cafe\u0301", "\udcff", "%2E", "%", *hostile_text.PAYLOADS]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "reports", NOW)


def filled(run: RunDirectory) -> RunDirectory:
    run.write_run(build.run())
    run.write(HOSTS, build.host_evidence())
    run.put_scan("internet", build.share([build.target()]))
    results = build.judged(build.host_evidence())
    writer = ResultsWriter(run.results)
    writer.add(results["hosts"][0], results["findings"])
    writer.finish({key: part for key, part in results.items() if key not in ("hosts", "findings")})
    run.write_file("junit.xml", [b"<testsuites>", b"</testsuites>"])
    return run


def sealed(run: RunDirectory, **asked: Any) -> str:
    """The digest of the run's manifest; ``asked`` is what evidence/run.json says besides."""
    head = build.judged(build.host_evidence())
    return seal(run, {**head, "run": {**head["run"], "run_id": run.run_id, **asked}}, NOW)


def files(run: RunDirectory) -> set[str]:
    return {str(path.relative_to(run.path)) for path in run.path.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_files_and_directories_are_for_their_owner_only(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        run = filled(RunDirectory.create(tmp_path / "above" / "reports", NOW))
        sealed(run)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [run.path, *run.path.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    for made in ("above", "above/reports"):
        assert stat.S_IMODE((tmp_path / made).stat().st_mode) == 0o700


def test_what_was_written_is_read_back(run: RunDirectory) -> None:
    filled(run)
    assert run.read_run() == build.run()
    assert run.read(HOSTS, "web1") == build.host_evidence()
    assert run.read(HOSTS, "web2") is None
    assert list(SCANS.read_all(run.path)) == [run.read(SCANS, "internet")] == [build.scan([build.target()])]
    for evidence in (run.read_run(), run.read(HOSTS, "web1"), *SCANS.read_all(run.path)):
        assert evidence is not None
        build.validator("evidence").validate(build.on_disk(evidence))


def test_two_runs_in_one_second_are_two(tmp_path: Path) -> None:
    runs = {RunDirectory.create(tmp_path, NOW).run_id for _number in range(20)}
    assert len(runs) == 20


WRITES: dict[str, Callable[[RunDirectory], Any]] = {
    "run": lambda run: run.write_run(build.run(label="x" * 9000)),
    "host": lambda run: run.write(HOSTS, build.host_evidence(message="x" * 9000)),
    "scan": lambda run: run.put_scan("internet", build.share([], "two", message="x" * 9000)),
    "results": lambda run: run.write_file("results.json", [b"x" * 9000]),
    "report": lambda run: run.write_file("junit.xml", [b"x" * 5000, b"y" * 4000]),
    "manifest": lambda run: sealed(run, label="x" * 9000, command=["x" * 9000]),
}


@contextlib.contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may grow past ``size``: writes then fail as they do on a full disk, with an OSError."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_fails_leaves_everything_as_it_was(run: RunDirectory, name: str) -> None:
    older = filled(RunDirectory.create(run.path.parent, NOW))
    sealed(older)
    filled(run)
    before = {path: (run.path / path).read_bytes() for path in files(run) - {".lock"}}
    with small_files(4096), pytest.raises(OSError, match="too large") as caught:
        WRITES[name](run)
    assert caught.value.errno == errno.EFBIG
    assert {path: (run.path / path).read_bytes() for path in files(run) - {".lock"}} == before
    assert os.readlink(run.path.parent / "latest") == older.run_id
    WRITES[name](run)


FULL_DISK = """
import pathlib, subprocess, sys
sys.path[:0] = {paths!r}
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._evidence import test_run_directory as tests
disk = pathlib.Path({disk!r})
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)], check=True)
run = tests.filled(tests.RunDirectory.create(disk, tests.NOW))
before = {{path: (run.path / path).read_bytes() for path in tests.files(run) - {{".lock"}}}}
filler = disk / "filler"
try:
    filler.write_bytes(b"x" * 1_000_000)
except OSError:
    pass
for name, write in tests.WRITES.items():
    try:
        write(run)
    except OSError as error:
        assert error.errno == tests.errno.ENOSPC, error
    else:
        raise SystemExit(name + " was written on a full disk")
    now = {{path: (run.path / path).read_bytes() for path in tests.files(run) - {{".lock"}}}}
    assert now == before, name
assert not (disk / "latest").is_symlink()
filler.unlink()
for write in tests.WRITES.values():
    write(run)
assert (disk / "latest").is_symlink()
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="mounting a small disk needs root")
def test_on_a_full_disk_nothing_is_half_written(tmp_path: Path) -> None:
    script = FULL_DISK.format(paths=[path for path in sys.path if path], disk=str(tmp_path))
    command = ["unshare", "--mount", sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_writer_that_is_killed_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(b"old")
    child = os.fork()
    if child == 0:
        with written_whole(path) as stream:
            stream.write(b"new" * 100_000)
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert list(tmp_path.glob("*.json")) == [path]


def test_the_same_value_gives_the_same_bytes_and_a_number_that_json_lacks_is_refused() -> None:
    assert json_bytes({"b": 1, "a": "\u202e\ud800"}) == b'{"a":"\\u202e\\ud800","b":1}\n'
    with pytest.raises(ValueError, match="JSON"):
        json_bytes({"a": float("nan")})


# names


@pytest.mark.parametrize("name", HOSTILE)
def test_a_host_s_name_leads_nowhere_else(run: RunDirectory, name: str) -> None:
    evidence = changed(build.host_evidence(), host=name)
    if name == name.encode("utf-8", "replace").decode("utf-8"):
        run.write(HOSTS, evidence)
        run.put_scan(name, build.share([]))
        assert run.read(HOSTS, name) == evidence
        assert [scan.vantage for scan in SCANS.read_all(run.path)] == [name]
    else:  # half a character, by which no run is opened
        with pytest.raises(EvidenceError, match="no Unicode"):
            run.put_scan(name, build.share([]))
        with pytest.raises(EvidenceError, match="no Unicode"):
            run.write(HOSTS, evidence)
        return
    assert len(list((run.path / "evidence/hosts").iterdir())) == len(list((run.path / "evidence/scans").iterdir())) == 1
    assert {path.parent for path in run.path.parent.rglob("*.json")} == {
        run.path / "evidence/hosts",
        run.path / "evidence/scans",
    }


def test_no_two_hostile_names_share_a_file(run: RunDirectory) -> None:
    names = {name for name in HOSTILE if name == name.encode("utf-8", "replace").decode("utf-8")}
    for name in names:
        run.write(HOSTS, changed(build.host_evidence(), host=name))
    assert len(list((run.path / "evidence/hosts").iterdir())) == len(names)
    for name in names:
        read = run.read(HOSTS, name)
        assert read is not None
        assert read.host == name
    assert len({file_stem(name) for name in HOSTILE}) == len(set(HOSTILE))


names = st.text(st.characters(exclude_categories=()), min_size=1, max_size=300)


@given(names, names)
@example("x" * 300, file_stem("x" * 300))
@example("%2E", ".")
def test_two_names_have_two_safe_file_names(one: str, two: str) -> None:
    assume(one != two)
    assert file_stem(one) != file_stem(two)
    for stem in (file_stem(one), file_stem(two)):
        assert stem.isascii()
        assert stem.isprintable()
        assert "/" not in stem
        assert not stem.startswith(".")
        assert len(stem) <= 200


# two at once


def add_shares(path: Path, scanner: str, count: int) -> None:
    for number in range(count):
        RunDirectory(path).put_scan("internet", build.share([], f"{scanner}{number:02}"))


def test_two_scanners_that_report_at_once_lose_nothing(run: RunDirectory) -> None:
    fork = multiprocessing.get_context("spawn")
    writers = [fork.Process(target=add_shares, args=(run.path, name, 25)) for name in ("one", "two", "three")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    (scan,) = SCANS.read_all(run.path)
    expected = sorted(f"{name}{number:02}" for name in ("one", "two", "three") for number in range(25))
    assert [share.scanner for share in scan.shares] == expected


def test_a_share_that_is_written_again_takes_the_place_of_the_earlier_one(run: RunDirectory) -> None:
    run.put_scan("internet", build.share([], "one", status="interrupted"))
    run.put_scan("internet", build.share([], "two"))
    run.put_scan("internet", build.share([], "two", instead_of=["one"]))
    run.put_scan("internet", build.share([], "one"))
    (scan,) = SCANS.read_all(run.path)
    told = [(share.scanner, list(share.instead_of), share.status) for share in scan.shares]
    assert told == [("one", [], "scanned"), ("two", [], "scanned"), ("two", ["one"], "scanned")]


# broken evidence


READS: dict[str, Callable[[RunDirectory], Any]] = {
    "evidence/run.json": lambda run: run.read_run(),
    "evidence/hosts/web1.json": lambda run: run.read(HOSTS, "web1"),
    "evidence/scans/internet.json": lambda run: list(SCANS.read_all(run.path)),
    "results.json": lambda run: read_results(run.results),
}


@pytest.mark.parametrize("name", READS)
def test_evidence_that_was_cut_is_named_wherever_it_was_cut(run: RunDirectory, name: str) -> None:
    path = filled(run).path / name
    whole = path.read_bytes()
    READS[name](run)
    for length in range(0, len(whole) - 1, max(1, len(whole) // 200)):
        path.write_bytes(whole[:length])
        with pytest.raises(EvidenceError) as caught:
            READS[name](run)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("content", [b"[]", b"null", b"{}", b'{"shape": "other/1"}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_evidence_is_named(run: RunDirectory, name: str, content: bytes) -> None:
    path = filled(run).path / name
    path.write_bytes(content)
    with pytest.raises(EvidenceError) as caught:
        READS[name](run)
    assert str(path) in str(caught.value)


def test_a_directory_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="is this a run directory"):
        RunDirectory(tmp_path).read_run()


# the end of a run


def latest(run: RunDirectory) -> str | None:
    link = run.path.parent / "latest"
    return os.readlink(link) if link.is_symlink() else None


def test_latest_moves_when_a_run_is_sealed_and_not_before(run: RunDirectory) -> None:
    filled(run)
    assert latest(run) is None
    sealed(run)
    assert latest(run) == run.run_id
    newer = RunDirectory.create(run.path.parent, NOW + dt.timedelta(hours=1))
    filled(newer)
    assert latest(run) == run.run_id
    sealed(newer)
    assert latest(run) == newer.run_id
    assert sorted(path.name for path in run.path.parent.iterdir()) == sorted(
        [run.run_id, newer.run_id, "latest", ".lock"]
    )


def test_rendering_an_old_run_again_does_not_make_it_the_latest(run: RunDirectory) -> None:
    sealed(filled(run))
    newer = filled(RunDirectory.create(run.path.parent, NOW + dt.timedelta(hours=1)))
    sealed(newer)
    before = (run.path / "manifest.json").read_bytes()
    sealed(run)
    assert latest(run) == newer.run_id
    assert (run.path / "manifest.json").read_bytes() == before


def test_a_clock_that_jumped_back_does_not_hide_the_last_run(run: RunDirectory) -> None:
    sealed(filled(run))
    after = filled(RunDirectory.create(run.path.parent, NOW - dt.timedelta(days=1)))
    sealed(after)
    assert latest(run) == after.run_id


def test_after_a_clock_that_jumped_back_an_older_run_that_is_sealed_again_is_not_the_latest(run: RunDirectory) -> None:
    sealed(filled(run))
    after = filled(RunDirectory.create(run.path.parent, NOW - dt.timedelta(days=1)))
    assert after.later() == run.run_id
    sealed(after)
    sealed(run)
    assert latest(run) == after.run_id


def test_a_run_that_was_killed_between_its_manifest_and_the_link_becomes_the_latest_when_sealed_again(
    run: RunDirectory,
) -> None:
    sealed(filled(run))
    after = filled(RunDirectory.create(run.path.parent, NOW + dt.timedelta(days=1)))
    sealed(after)
    (run.path.parent / "latest").unlink()
    (run.path.parent / "latest").symlink_to(run.run_id)
    sealed(after)
    assert latest(run) == after.run_id


def test_a_seal_that_was_interrupted_can_be_done_again(run: RunDirectory) -> None:
    filled(run)
    (run.path.parent / f".latest-{run.run_id}").symlink_to(run.run_id)
    sealed(run)
    assert latest(run) == run.run_id


def test_the_manifest_holds_the_digest_of_every_file(run: RunDirectory) -> None:
    sealed(filled(run))
    manifest = json.loads((run.path / "manifest.json").read_bytes())
    build.validator("manifest").validate(manifest)
    build.validator("evidence").validate(run.read_seal())
    assert set(manifest["files"]) == files(run) - {"manifest.json"}
    assert all(sha256_of(run.path / name) == digest for name, digest in manifest["files"].items())
    assert manifest["run_id"] == run.run_id


def test_a_report_directory_that_is_not_writable_is_an_error_at_the_start() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)  # noqa: S103  # all may look, none may write
        child = os.fork()
        if child == 0:
            if os.geteuid() == 0:  # root may write everywhere
                os.setuid(65534)
            try:
                RunDirectory.create(Path(folder) / "reports", NOW)
            except PermissionError:
                os._exit(13)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 13


def test_a_report_directory_below_a_file_is_an_error_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        RunDirectory.create(tmp_path / "file" / "reports", NOW)
