# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of parts and their merge. The others, which name a part by its run, are in the unit tests of _merge."""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults.audits import Audit, Auditing
from faults.conftest import Telling
from faults.stages import small_disk
from faults.table import assessed, fault, no_run, not_assessed

MERGE = "vigil.ports.merge"
SENT = "sent.tar.gz"
SEED = 20261127


@pytest.fixture(scope="module")
def part(fleet: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a part that listed web1 and scanned it."""
    folder = tmp_path_factory.mktemp("part")
    sent = {"audit_part": "faults", "audit_part_archive_dir": str(folder), "audit_part_vantages": ["office"]}
    run = Auditing(folder)(**sent)
    assert run.exit_status == 0, run.output
    (archive,) = folder.glob("*.tar.gz")
    return archive


def merged(audit: Auditing, *paths: Path, **more: Any) -> Audit:
    """The merge of what is sent."""
    return audit(play=MERGE, **_asked(*paths), **more)


def _asked(*paths: Path) -> dict[str, Any]:
    return {"audit_merge": "faults", "audit_merge_parts": [str(path) for path in paths]}


@fault(
    "part-lost",
    area="parts",
    fault="A part never arrives",
    cause="a merge of a path at which there is nothing",
    says=not_assessed("web1:no-part", f"part:{SENT}:missing", line="find the job that should have, and run it again"),
)
def test_a_part_that_is_lost(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(merged(audit, tmp_path / SENT))


def cut(part: Path, sent: Path) -> None:
    sent.write_bytes(part.read_bytes()[:-100])


def no_archive(part: Path, sent: Path) -> None:
    sent.write_bytes(b"<html>404 Not Found</html>")


def _with(name: str, kind: bytes, target: str = "") -> Callable[[Path, Path], None]:
    def pack(part: Path, sent: Path) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        with tarfile.open(part) as before, tarfile.open(sent, "w:gz") as archive:
            for one in before:
                archive.addfile(one, before.extractfile(one))
            archive.addfile(member, io.BytesIO())

    return pack


@fault(
    "part-unreadable",
    area="parts",
    fault="What arrives is no whole archive of a part",
    cause="the archive cut, an error page in its place, a name that leads out of it, a link, a device: each in turn",
    says=not_assessed("web1:no-part", f"part:{SENT}:unreadable", line=f"part {SENT} is not used"),
)
@pytest.mark.parametrize(
    "damage",
    [
        cut,
        no_archive,
        _with("../../outside.json", tarfile.REGTYPE),
        _with("evidence/hosts/web2.json", tarfile.SYMTYPE, "/etc/passwd"),
        _with("evidence/hosts/web2.json", tarfile.CHRTYPE),
    ],
    ids=["cut", "error page", "leads out", "link", "device"],
)
def test_an_archive_that_is_none(
    audit: Auditing, told: Telling, part: Path, tmp_path: Path, damage: Callable[[Path, Path], None]
) -> None:
    damage(part, tmp_path / SENT)
    told(merged(audit, tmp_path / SENT))


@fault(
    "merge-disk-full",
    area="parts",
    fault="The disk is full while parts are merged",
    cause="a file system as report directory on which the parts do not fit",
    says=no_run(line="No space left on device; free space or inodes"),
)
def test_a_disk_too_full_for_the_parts(audit: Auditing, told: Telling, part: Path) -> None:
    with small_disk(audit.report_dir, size=20 << 12):
        told(merged(audit, part, audit_history=False))
    assert tarfile.is_tarfile(part)


@fault(
    "merge-killed",
    area="parts",
    fault="The merge is killed, at any moment, and run again",
    cause="SIGKILL to the whole session of ansible-playbook at 6 random moments of its time",
    says=assessed("web1", line="Everything in scope was looked at"),
)
def test_a_merge_that_is_killed(audit: Auditing, told: Telling, part: Path, tmp_path: Path) -> None:
    before = part.read_bytes()
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    for _moment in range(6):
        with audit.begun(play=MERGE, **_asked(part)) as started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(dice.uniform(0.5, 5))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.communicate()
    shutil.copy(part, tmp_path / SENT)
    told(merged(audit, tmp_path / SENT))
    assert part.read_bytes() == before
