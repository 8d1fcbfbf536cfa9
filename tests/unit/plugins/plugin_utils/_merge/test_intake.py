# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a stranger packs is taken for a part only where it is one, and nothing of it ends anywhere else."""

from __future__ import annotations

import gzip
import io
import os
import random
import resource
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.atomic import sha256_of
from ansible_collections.vigil.ports.plugins.plugin_utils._merge import intake
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.intake import Found, find_parts, take_in
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.merge_parts import merge_parts
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.seal_part import pack_part
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.unpacking import RefusedError
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import campaigns as made

Change = Callable[[tarfile.TarFile], None]


def _member(name: str, data: bytes = b"{}", **more: object) -> Change:
    def add(archive: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        for key, value in more.items():
            setattr(member, key, value)
        archive.addfile(member, io.BytesIO(data) if member.isreg() else None)

    return add


def _packed(path: Path, *changes: Change, kind: str = "w") -> Path:
    with tarfile.open(path, kind) as archive:
        _member("manifest.json")(archive)
        for change in changes:
            change(archive)
    return path


def _taken(path: Path, tmp_path: Path) -> Path:
    into = tmp_path / "taken" / "0"
    take_in(Found("sent", path), into)
    return into


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("kind", ["w", "w:gz"])
@pytest.mark.parametrize("top", ["", "./", "20261120T131400Z-abcdef/", "./20261120T131400Z-abcdef/"])
def test_a_part_is_taken_with_or_without_a_directory_around_it(tmp_path: Path, kind: str, top: str) -> None:
    path = tmp_path / "sent.tar"
    with tarfile.open(path, kind) as archive:
        for name in ("manifest.json", "evidence/hosts/web1.json"):
            _member(top + name)(archive)
    assert _files(_taken(path, tmp_path)) == {"manifest.json", "evidence/hosts/web1.json"}


@pytest.mark.parametrize(
    "change",
    [
        _member("../manifest.json"),
        _member("evidence/../../manifest.json"),
        _member("evidence/hosts/../../../x.json"),
        _member("/etc/cron.d/evidence.json"),
        _member("20261120T131400Z-abcdef/../../x.json"),
        _member("evidence/hosts/web1.json", type=tarfile.SYMTYPE, linkname="/etc/passwd", size=0),
        _member("evidence/hosts/web1.json", type=tarfile.LNKTYPE, linkname="manifest.json", size=0),
        _member("evidence/hosts", type=tarfile.SYMTYPE, linkname="/tmp", size=0),
        _member("evidence/hosts/web1.json", type=tarfile.FIFOTYPE, size=0),
        _member("evidence/hosts/web1.json", type=tarfile.CHRTYPE, size=0),
        _member("evidence/hosts/web1.json", type=tarfile.GNUTYPE_SPARSE, size=0),
        _member("evidence/hosts/.web1.json"),
        _member("evidence/hosts/deep/web1.json"),
        _member("evidence/parts/x/manifest.json"),
        _member("evidence/merge.json"),
        _member("results.json"),
        _member("plugins/action/run.py"),
        _member("manifest.json"),  # twice
        _member(f"evidence/hosts/{'w' * 300}.json"),
    ],
)
def test_what_is_no_file_of_a_part_is_refused_and_lands_nowhere(tmp_path: Path, change: Change) -> None:
    path = _packed(tmp_path / "sent.tar", change)
    before = {str(one) for one in tmp_path.parent.rglob("*")}
    with pytest.raises(RefusedError):
        _taken(path, tmp_path)
    new = {str(one) for one in tmp_path.parent.rglob("*")} - before
    assert all(one.startswith(str(tmp_path / "taken")) for one in new)
    assert _files(tmp_path / "taken") <= {"0/manifest.json"}


def test_a_bomb_is_refused_long_before_the_disk_is_full(tmp_path: Path) -> None:
    size = 2 << 30
    path = tmp_path / "bomb.tar.gz"
    head = tarfile.TarInfo("evidence/hosts/web1.json")
    head.size = size
    zeros = bytes(1 << 20)
    with gzip.open(path, "wb", compresslevel=9) as packed:
        packed.write(head.tobuf())
        for _piece in range(size >> 22):  # a fourth is enough
            packed.write(zeros)
    with pytest.raises(RefusedError, match="beyond all measure"):
        _taken(path, tmp_path)
    assert sum(one.stat().st_size for one in (tmp_path / "taken").rglob("*.json")) < 400 << 20


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_header_that_is_a_bomb_takes_no_memory(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "bomb.tar.gz"
    head = tarfile.TarInfo("name")
    head.type, head.size = kind, 1 << 30
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(head.tobuf())
        for _piece in range(256):
            packed.write(b"a" * (1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RefusedError):
        _taken(path, tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10  # KiB


@pytest.mark.parametrize("limit", ["MOST_FILES", "MOST_BYTES"])
def test_too_many_files_or_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(intake, limit, 3)
    path = _packed(tmp_path / "sent.tar", *(_member(f"evidence/hosts/web{number}.json") for number in range(3)))
    with pytest.raises(RefusedError):
        _taken(path, tmp_path)


@pytest.mark.parametrize("kind", ["w", "w:gz"])
def test_whatever_is_turned_in_an_archive_no_host_is_lost_without_a_gap(tmp_path: Path, kind: str) -> None:
    """Cut, or with one byte turned: the part is used as it was sealed, or it is a gap."""
    part = made.part_at(tmp_path / "away", scanned=["internet"])
    data = pack_part(part, tmp_path / "sent").read_bytes()
    if kind == "w":
        data = gzip.decompress(data)
    dice = random.Random(f"archive {kind}")  # noqa: S311 - the same places each time
    for number in range(25):
        place = dice.randrange(len(data))
        broken = (
            data[:place]
            if number % 2
            else data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
        )
        path = tmp_path / f"broken{number}.tar"
        path.write_bytes(broken)
        run = made.opened_run(tmp_path / f"reports{number}")
        merged = merge_parts(run, [path], made.expected_of(run))
        assert (merged.without_part == ()) == (merged.gaps == ()), (number, place, merged.gaps)
        assert merged.gaps or {one.manifest_sha256 for one in merged.parents} == {sha256_of(part.manifest)}


def test_a_check_sum_that_does_not_hold_is_seen(tmp_path: Path) -> None:
    """It stands at the end of gzip, after all that tar reads."""
    path = _packed(tmp_path / "sent.tar.gz", kind="w:gz")
    data = path.read_bytes()
    path.write_bytes(data[:-8] + bytes(8))
    with pytest.raises(RefusedError):
        _taken(path, tmp_path)


@pytest.mark.parametrize("what", ["link", "pipe", "directory link"])
def test_a_directory_with_a_link_or_a_pipe_is_no_part(tmp_path: Path, what: str) -> None:
    part = made.part_at(tmp_path / "away")
    file = part.path / "evidence/hosts/web1.json"
    if what == "directory link":
        (part.path / "evidence/scans").rmdir()
        (part.path / "evidence/scans").symlink_to("/etc")
    else:
        file.unlink()
        os.mkfifo(file) if what == "pipe" else file.symlink_to("/etc/hostname")
    merged = made.merged_run(tmp_path / "reports", part.path)
    assert f"part:{part.run_id}:unreadable" in made.gaps(merged)
    assert "web1:no-part" in made.gaps(merged)


def test_parts_are_found_where_an_engine_leaves_them_and_nothing_else_is_taken_for_one(tmp_path: Path) -> None:
    packed = pack_part(made.part_at(tmp_path / "away"), tmp_path / "out/artifacts/7/parts")
    (tmp_path / "out/artifacts/7/job_events").mkdir()
    (tmp_path / "out/artifacts/7/job_events/1-abc.json").write_text("{}")
    (tmp_path / "out/artifacts/7/stdout").write_text("PLAY RECAP")
    (tmp_path / "out/loop").symlink_to(tmp_path / "out")
    assert [found.path for found in find_parts([tmp_path / "out"])] == [packed]


def test_names_of_hostile_files_are_shown_and_split_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "a:b*\x1b[31m\n.tar"
    path.write_bytes(b"no archive")
    names = made.gaps(made.merged_run(tmp_path / "reports", path))
    assert {name for name in names if name.startswith("part:")} == {"part:a_b_\\x1b[31m\\x0a.tar:unreadable"}
