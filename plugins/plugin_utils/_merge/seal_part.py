# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a part: sealed like a run, without results, and packed for its way. Private to the collection."""

from __future__ import annotations

import datetime as dt
import gzip
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._audit.reconcile import Audit
from .._evidence.atomic import make_directories, written_whole
from .._evidence.kept import EvidenceError
from .._evidence.run_directory import RunDirectory
from .._evidence.sealing import seal


def head_of_part(run: RunDirectory, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says of a part: of results that nobody computed the head alone."""
    return Audit(asked, run.readable_scans(vantage["name"] for vantage in asked["vantages"])).head()


def seal_part(run: RunDirectory, now: dt.datetime, signing_key: Path | None = None) -> str:
    """Seals a part. Returns its manifest's SHA-256. Raises EvidenceError for what is no part."""
    asked = run.read_run()
    if "part" not in asked:
        raise EvidenceError(f"{run.path}: it is no part: it was opened without a campaign (audit_part)")
    return seal(run, head_of_part(run, asked), now, signing_key)


def pack_part(run: RunDirectory, into: Path) -> Path:
    """One archive of a sealed part, ``CAMPAIGN-RUN.tar.gz`` in a directory that is made when missing.

    The same part gives the same bytes. Raises OSError as the file system does.
    """
    make_directories(into)
    path = into / f"{run.read_run()['part']['campaign']}-{run.run_id}.tar.gz"
    with (
        written_whole(path) as stream,
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in sorted(one for one in run.path.rglob("*") if one.is_file() and not one.is_symlink()):
            name = f"{run.run_id}/{file.relative_to(run.path).as_posix()}"
            archive.add(file, name, recursive=False, filter=_by_nobody)
    return path


def _by_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
