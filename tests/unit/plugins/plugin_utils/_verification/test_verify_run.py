# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is done to a run directory after it was sealed is found, and named."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.atomic import json_bytes, sha256_of
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.signature import SignatureError, sign
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import write_reports
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.recomputing import first_difference
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.verdict import Verdict
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.verify_run import verify_run
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils.sealed_runs import (
    OPENED,
    allow,
    new_key,
    render,
    sealed_run,
)

#: Places in each file at which one bit is turned, besides its first and last byte; the signature's own test turns all.
PLACES = 12
SEED = 20261120


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return new_key(folder, "ours"), new_key(folder, "theirs")


@pytest.fixture(scope="module", params=["signed", "unsigned"])
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keys: tuple[Path, Path]
) -> RunDirectory:
    """A run that no test changes: each works on a copy."""
    return sealed_run(tmp_path_factory.mktemp("kept"), key=keys[0] if request.param == "signed" else None)


@pytest.fixture
def run(tmp_path: Path, kept: RunDirectory) -> RunDirectory:
    shutil.copytree(kept.path, tmp_path / kept.run_id, symlinks=True)
    return RunDirectory(tmp_path / kept.run_id)


def files(run: RunDirectory) -> list[str]:
    return sorted(path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file())


def named(verdict: Verdict) -> str:
    """Everything that the verdict names as a problem."""
    return "\n".join(f"{problem.file}: {problem.message}" for problem in verdict.problems)


def state(folder: Path) -> dict[str, Any]:
    """All of a directory that a reader could have changed."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        about = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[str(path)] = (about.st_mode, about.st_mtime_ns, about.st_ino, content)
    return found


def test_a_run_that_nobody_touched_passes(run: RunDirectory) -> None:
    verdict = verify_run(run)
    assert verdict.problems == ()
    assert verdict.files == len(files(run)) - 1 - run.signature.exists()
    assert "PASSED" in "\n".join(verdict.lines())


def test_nothing_is_changed_in_what_is_verified(run: RunDirectory) -> None:
    run.results.write_bytes(run.results.read_bytes() + b"\n")
    before = state(run.path.parent)
    assert verify_run(run).problems
    assert state(run.path.parent) == before


READ_ONLY = """
import pathlib, sys
sys.path[:0] = {paths!r}
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.verify_run import verify_run
run = RunDirectory(pathlib.Path({run!r}))
try:
    run.path.joinpath("written").write_bytes(b"")
except PermissionError:
    print(verify_run(run).problems)
"""


def test_a_directory_that_cannot_be_written_is_verified(run: RunDirectory) -> None:
    for path in (run.path, *run.path.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    script = READ_ONLY.format(paths=[path for path in sys.path if path], run=str(run.path))
    # Root may write everywhere, by capabilities that it can give away.
    modest = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner") if os.geteuid() == 0 else ()
    done = subprocess.run((*modest, sys.executable, "-c", script), capture_output=True, text=True, check=False)
    run.path.chmod(0o700)
    assert (done.stdout, done.returncode) == ("()\n", 0), done.stderr


def turned(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1 << position % 8
    return bytes(changed)


def test_a_bit_that_is_turned_anywhere_is_found_and_its_file_named(run: RunDirectory) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same places each time
    for name in files(run):
        path = run.path / name
        content = path.read_bytes()
        places = {0, len(content) - 1, *(chance.randrange(len(content)) for _number in range(PLACES))}
        for position in sorted(places):
            path.write_bytes(turned(content, position))
            told = named(verify_run(run))
            assert name in told, f"{name}, byte {position}: {told or 'not found'}"
        path.write_bytes(content)
    assert verify_run(run).problems == ()


def test_every_byte_of_an_unsigned_manifest_is_held_by_what_it_describes(tmp_path: Path) -> None:
    run = sealed_run(tmp_path)
    content = run.manifest.read_bytes()
    for position in range(0, len(content), 5):
        run.manifest.write_bytes(turned(content, position))
        assert "manifest.json" in named(verify_run(run)), f"byte {position}"


@pytest.mark.parametrize("length", [0, 1, 60, -1])
def test_a_file_that_was_cut_is_named(run: RunDirectory, length: int) -> None:
    for name in files(run):
        path = run.path / name
        content = path.read_bytes()
        path.write_bytes(content[:length])
        assert name in named(verify_run(run))
        path.write_bytes(content)


def test_a_file_that_was_removed_is_named(run: RunDirectory) -> None:
    for name in files(run):
        content = (run.path / name).read_bytes()
        (run.path / name).unlink()
        assert name in named(verify_run(run))
        (run.path / name).write_bytes(content)


@pytest.mark.parametrize(
    "name", ["notes.txt", ".hidden", "junit-2.xml", "evidence/hosts/web3.json", "evidence/scans/moon.json", "a/b/c"]
)
def test_a_file_that_was_added_is_named(run: RunDirectory, name: str) -> None:
    (run.path / name).parent.mkdir(parents=True, exist_ok=True)
    (run.path / name).write_bytes(b"{}\n")
    assert f"{name}: manifest.json does not name this file" in named(verify_run(run))


def test_an_empty_directory_that_was_added_is_named(run: RunDirectory) -> None:
    (run.path / "evidence" / "more").mkdir()
    assert "evidence/more: a directory" in named(verify_run(run))


def test_two_files_that_were_swapped_are_both_named(run: RunDirectory) -> None:
    one, two = run.path / "report.md", run.path / "summary.md"
    kept_one, kept_two = one.read_bytes(), two.read_bytes()
    one.write_bytes(kept_two)
    two.write_bytes(kept_one)
    told = named(verify_run(run))
    assert "report.md" in told
    assert "summary.md" in told


def test_a_link_to_the_very_same_bytes_is_named(run: RunDirectory, tmp_path: Path) -> None:
    for name in files(run):
        path = run.path / name
        path.rename(tmp_path / "aside")
        path.symlink_to(tmp_path / "aside")
        assert f"{name}: a symbolic link" in named(verify_run(run))
        path.unlink()
        (tmp_path / "aside").rename(path)


@pytest.mark.parametrize("name", ["evidence", "evidence/hosts"])
def test_a_directory_that_is_a_link_is_named(run: RunDirectory, tmp_path: Path, name: str) -> None:
    (run.path / name).rename(tmp_path / "aside")
    (run.path / name).symlink_to(tmp_path / "aside")
    assert f"{name}: a symbolic link" in named(verify_run(run))


def test_a_pipe_is_named_and_not_read(run: RunDirectory) -> None:
    for name in files(run):
        path = run.path / name
        content = path.read_bytes()
        path.unlink()
        os.mkfifo(path)
        assert f"{name}: a named pipe" in named(verify_run(run))
        path.unlink()
        path.write_bytes(content)


def test_all_problems_are_told_and_not_only_the_first(run: RunDirectory) -> None:
    (run.path / "junit.xml").unlink()
    (run.path / "report.md").write_text("all is well\n", encoding="utf-8")
    (run.path / "extra").write_text("", encoding="utf-8")
    host = run.path / "evidence/hosts/web1.json"
    host.write_bytes(host.read_bytes().replace(b"6379", b"6380"))
    told = named(verify_run(run))
    for name in ("junit.xml", "report.md", "extra", "evidence/hosts/web1.json", "results.json"):
        assert name in told
    assert "results.json: is as it was sealed, and the evidence is not: first at byte" in told


# who changes the manifest as well


def resealed(run: RunDirectory) -> None:
    """The manifest's digests, made to fit what is there."""
    manifest = json.loads(run.manifest.read_bytes())
    there = (name for name in files(run) if name not in ("manifest.json", "manifest.json.sig"))
    manifest["files"] = {name: sha256_of(run.path / name) for name in there}
    run.manifest.write_bytes(json_bytes(manifest))


def test_a_report_that_the_evidence_does_not_give_is_named_with_its_first_difference(run: RunDirectory) -> None:
    report = run.path / "report.md"
    before = report.read_bytes()
    report.write_bytes(before.replace(b"FAILED", b"PASSED", 1))
    resealed(run)
    place = before.index(b"FAILED")
    line = before.count(b"\n", 0, place) + 1
    told = named(verify_run(run))
    assert f"report.md: is not what the evidence gives: first at byte {place}, line {line}: 'PASSED" in told
    assert ("manifest.json.sig" in told) == run.signature.exists()


def test_results_that_the_evidence_does_not_give_are_named(run: RunDirectory) -> None:
    run.results.write_bytes(run.results.read_bytes().replace(b'"passed":false', b'"passed":true', 1))
    resealed(run)
    assert "results.json: is not what the evidence gives" in named(verify_run(run))


def test_a_manifest_that_says_who_else_it_was_is_named(run: RunDirectory) -> None:
    manifest = json.loads(run.manifest.read_bytes())
    manifest["controller"]["user"] = "somebody"
    run.manifest.write_bytes(json_bytes(manifest))
    assert "manifest.json: is not what the evidence gives" in named(verify_run(run))


def test_a_report_of_another_name_is_no_report(run: RunDirectory) -> None:
    (run.path / "approval.md").write_text("approved\n", encoding="utf-8")
    (run.path / "summary.md").unlink()
    resealed(run)
    told = named(verify_run(run))
    assert "approval.md: manifest.json names this file, and no report is called so" in told
    assert "summary.md: the evidence gives this file, and manifest.json does not name it" in told


def test_who_makes_up_a_whole_run_does_not_have_the_key(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    ours, theirs = keys
    allowed = allow(tmp_path / "allowed", ours)
    assert verify_run(sealed_run(tmp_path / "one", key=ours), allowed).problems == ()
    assert "nobody in the allowed signers" in named(verify_run(sealed_run(tmp_path / "two", key=theirs), allowed))
    assert "the run is not signed" in named(verify_run(sealed_run(tmp_path / "three"), allowed))
    both = allow(tmp_path / "both", ours, theirs)
    forged = sealed_run(tmp_path / "four", key=theirs)
    assert verify_run(forged, both, "theirs@example.com").problems == ()
    assert "not by ours@example.com" in named(verify_run(forged, both, "ours@example.com"))


def test_a_manifest_that_somebody_else_signed_over_is_named(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    ours, theirs = keys
    run = sealed_run(tmp_path / "reports", key=ours)
    run.signature.write_bytes(sign(theirs, run.manifest.read_bytes()))
    assert "and the run was opened with the key" in named(verify_run(run, allow(tmp_path / "both", ours, theirs)))


def test_a_signature_of_another_run_is_none(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    one, two = (sealed_run(tmp_path, number, key=keys[0]) for number in range(2))
    shutil.copy(one.signature, two.signature)
    assert "manifest.json.sig: it does not hold" in named(verify_run(two))


def test_a_signature_added_to_an_unsigned_run_is_named(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    signed, unsigned = sealed_run(tmp_path / "one", key=keys[0]), sealed_run(tmp_path / "two")
    shutil.copy(signed.signature, unsigned.signature)
    assert "manifest.json.sig" in named(verify_run(unsigned))


def test_a_report_says_at_its_top_whether_the_run_is_signed(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    signed, unsigned = sealed_run(tmp_path / "one", key=keys[0]), sealed_run(tmp_path / "two")
    top = signed.path.joinpath("report.md").read_text(encoding="utf-8").split("## ")[0]
    assert json.loads(signed.manifest.read_bytes())["signing"]["fingerprint"] in top
    assert "This run is not signed" in unsigned.path.joinpath("report.md").read_text(encoding="utf-8").split("## ")[0]


def test_a_run_is_sealed_with_the_key_that_it_was_opened_with_or_not_at_all(
    tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    ours, theirs = keys
    for opened, now in ((ours, None), (None, ours), (ours, theirs)):
        run = sealed_run(tmp_path, key=opened)
        run.manifest.unlink()
        with pytest.raises(EvidenceError, match="audit_signing_key"):
            seal(run, read_results(run.results), OPENED, now)
        assert not run.manifest.exists()


def test_a_key_that_is_lost_before_the_end_leaves_no_half_sealed_run(tmp_path: Path) -> None:
    key = new_key(tmp_path)
    earlier = sealed_run(tmp_path / "reports", key=key)
    run = sealed_run(tmp_path / "reports", 1, key=key)
    for file in (run.manifest, run.signature, run.seal):
        file.unlink()
    (tmp_path / "reports/latest").unlink()
    (tmp_path / "reports/latest").symlink_to(earlier.run_id)
    key.unlink()
    with pytest.raises(SignatureError):
        seal(run, read_results(run.results), OPENED, key)
    assert not run.manifest.exists()
    assert not run.signature.exists()
    assert os.readlink(tmp_path / "reports/latest") == earlier.run_id


# the chain


@pytest.fixture
def chain(tmp_path: Path) -> list[RunDirectory]:
    return [sealed_run(tmp_path, number) for number in range(3)]


def test_each_run_names_the_one_before(chain: list[RunDirectory]) -> None:
    links = [json.loads(run.manifest.read_bytes())["previous"] for run in chain]
    expected = [{"run_id": run.run_id, "manifest_sha256": sha256_of(run.manifest)} for run in chain]
    assert links == [None, *expected[:2]]
    assert [verify_run(run).problems for run in chain] == [()] * 3


def test_a_run_that_was_made_up_again_is_found_from_each_end_of_the_chain(chain: list[RunDirectory]) -> None:
    first = chain[0]
    first.write_run({**first.read_run(), "label": "another story"})
    for file in (first.manifest, first.seal):
        file.unlink()
    render(first)
    seal(first, read_results(first.results), OPENED)
    (first.path.parent / "latest").unlink()
    first.seal.unlink()
    first.manifest.unlink()
    seal(first, read_results(first.results), OPENED)
    assert f"knows it by {json.loads(chain[1].manifest.read_bytes())['previous']['manifest_sha256']}" in named(
        verify_run(first)
    )
    for later in chain[1:]:
        assert f"../{first.run_id}/manifest.json: its SHA-256 is {sha256_of(first.manifest)}" in named(
            verify_run(later)
        )


def test_a_run_that_retention_deleted_is_a_note_and_no_error(chain: list[RunDirectory]) -> None:
    shutil.rmtree(chain[0].path)
    verdict = verify_run(chain[2])
    assert verdict.problems == ()
    assert f"previous run {chain[0].run_id} is not here" in "\n".join(verdict.notes)
    shutil.rmtree(chain[1].path)
    assert f"previous run {chain[1].run_id} is not here" in "\n".join(verify_run(chain[2]).notes)


def test_a_run_after_one_that_was_deleted_says_that_the_chain_begins_anew(chain: list[RunDirectory]) -> None:
    shutil.rmtree(chain[2].path)
    run = sealed_run(chain[0].path.parent, 3)
    link = {"run_id": chain[2].run_id, "manifest_sha256": None}
    manifest = json.loads(run.manifest.read_bytes())
    assert manifest["previous"] == link
    build.validator("manifest").validate(manifest)
    verdict = verify_run(run)
    assert verdict.problems == ()
    assert f"previous run {chain[2].run_id} had been deleted" in "\n".join(verdict.notes)


@pytest.mark.parametrize("previous", [{"run_id": "../../etc", "manifest_sha256": "0" * 64}, "x", [], {}, 7])
def test_a_link_that_leads_elsewhere_is_not_followed(chain: list[RunDirectory], previous: object) -> None:
    for run in chain[1:]:
        manifest = json.loads(run.manifest.read_bytes())
        run.manifest.write_bytes(json_bytes({**manifest, "previous": previous}))
    told = named(verify_run(chain[2]))
    assert "names no run before it" in told


def test_a_chain_that_bites_its_tail_has_an_end(chain: list[RunDirectory]) -> None:
    manifest = json.loads(chain[0].manifest.read_bytes())
    manifest["previous"] = {"run_id": chain[2].run_id, "manifest_sha256": sha256_of(chain[2].manifest)}
    chain[0].manifest.write_bytes(json_bytes(manifest))
    assert "names no run before it" in named(verify_run(chain[2]))


# what is around


def test_a_difference_says_when_another_version_made_the_run(tmp_path: Path) -> None:
    run = sealed_run(tmp_path, versions={"vigil.ports": "0.0.9"})
    assert "made by vigil.ports 0.0.9" in "\n".join(verify_run(run).notes)
    assert "both compute the same" in "\n".join(verify_run(run).notes)
    (run.path / "report.md").write_bytes(b"")
    assert "verify with the version that made it" in "\n".join(verify_run(run).notes)


def test_a_run_that_was_copied_elsewhere_says_so_and_passes(run: RunDirectory, tmp_path: Path) -> None:
    run.path.rename(tmp_path / "from-the-customer")
    verdict = verify_run(RunDirectory(tmp_path / "from-the-customer"))
    assert verdict.problems == ()
    assert "it was moved or copied" in "\n".join(verdict.notes)


def test_what_is_no_run_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no such directory"):
        verify_run(RunDirectory(tmp_path / "nothing"))
    with pytest.raises(EvidenceError, match="neither a manifest nor evidence"):
        verify_run(RunDirectory(tmp_path))
    with pytest.raises(EvidenceError, match="give allowed_signers"):
        verify_run(sealed_run(tmp_path), None, "somebody")


def test_a_run_that_was_never_sealed_is_a_problem(run: RunDirectory) -> None:
    run.manifest.unlink()
    assert "manifest.json" in named(verify_run(run))


HOSTILE = "\x1b[31m\u202e##vso[task.complete]\n::error::x"


def test_what_is_shown_commands_no_terminal_and_no_runner(run: RunDirectory) -> None:
    (run.path / f"x{HOSTILE}".replace("/", "")).write_text("", encoding="utf-8")
    (run.path / "report.md").write_text(HOSTILE * 9, encoding="utf-8")
    lines = list(verify_run(run).lines())
    for line in lines:
        assert line.isascii()
        assert line.isprintable()
        assert "##" not in line
        assert not line.startswith("::")


# in place


CHANGES: dict[str, Callable[[RunDirectory], Any]] = {
    "rendered": lambda run: run.write_file("report.md", [b"PASSED\n"]),
    "added": lambda run: run.write_file("approval.md", [b"PASSED\n"]),
    "judged": render,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_sealed_run_is_written_as_it_was_sealed_or_not_at_all(run: RunDirectory, name: str) -> None:
    if name == "judged":
        run.write(HOSTS, build.host_evidence(host="web2"))
    before = state(run.path)
    with pytest.raises(EvidenceError, match="a sealed run is never changed"):
        CHANGES[name](run)
    assert {path: row[3] for path, row in state(run.path).items()} == {path: row[3] for path, row in before.items()}


def test_reports_that_were_lost_or_edited_come_back_with_the_same_bytes(run: RunDirectory, tmp_path: Path) -> None:
    before = {name: (run.path / name).read_bytes() for name in files(run)}
    (run.path / "report.md").unlink()
    (run.path / "junit.xml").write_bytes(b"")
    render(run)
    seal(run, read_results(run.results), OPENED)
    assert {name: (run.path / name).read_bytes() for name in files(run)} == before
    names = write_reports(read_results(run.results), tmp_path / "elsewhere")
    assert {name: (tmp_path / "elsewhere" / name).read_bytes() for name in names} == {
        name: before[name] for name in names
    }
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o700


def test_the_manifest_is_as_its_schema_says(run: RunDirectory) -> None:
    build.validator("manifest").validate(json.loads(run.manifest.read_bytes()))
    build.validator("evidence").validate(run.read_seal())
    build.validator("evidence").validate(run.read_run())


@pytest.mark.parametrize(
    ("chunks", "held", "place"),
    [
        ([b"a\n", b"b\n"], b"a\nb\n", None),
        ([b"a\n", b"b\n"], b"a\nc\n", "byte 2, line 2: 'c\\n' where 'b\\n'"),
        ([b"a\n", b"b\n"], b"a\n", "byte 2, line 2: '(it ends here)'"),
        ([b"a\n"], b"a\nb", "byte 2, line 2: 'b' where '(it ends here)'"),
        ([], b"", None),
        ([b"x" * 100_000, b"y"], b"x" * 100_000 + b"z", "byte 100000, line 1"),
    ],
)
def test_the_first_difference_has_its_place(
    tmp_path: Path, chunks: list[bytes], held: bytes, place: str | None
) -> None:
    (tmp_path / "file").write_bytes(held)
    found = first_difference(tmp_path / "file", chunks)
    assert found is None if place is None else place in str(found)
