# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run directory: evidence written once, read back. This module is private to the collection.

Layout: ``evidence/run.json`` (what was asked), ``evidence/hosts/<host>.json``,
``evidence/scans/<vantage>.json``, ``evidence/relisted/<host>.json`` (a second look), ``evidence/history.json``
(what was known before), then what is made of them. ``sealing.py`` ends a run.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .atomic import DIRECTORY_MODE, make_directories, sha256_of, write_json, written_whole
from .codec import ShapeError, changed, converted
from .kept import CHANGED, EvidenceError, Kept, R, bytes_of, read_record, write_record
from .lock_file import locked
from .records.host import HOSTS, RELISTED
from .records.merged import MERGE_SHAPE, MergeEvidence
from .records.reachable import MOST_BYTES, SCAN_SHAPE, SCANS, ScanEvidence, Share
from .shape import run_problem, seal_problem

#: Marks of the files' shapes; ``schemas/evidence.schema.json`` describes them.
RUN_SHAPE, SEAL_SHAPE = (f"vigil.ports/evidence/{kind}/1" for kind in ("run", "seal"))
MANIFEST_SHAPE = "vigil.ports/manifest/1"

#: What every run has, even where nothing is written into it.
DIRECTORIES = ("evidence", HOSTS.folder, SCANS.folder, RELISTED.folder)
RESULTS_SHAPE = "vigil.ports/results/1"


class DamagedScan(NamedTuple):
    """The scan of a vantage point whose evidence cannot be used, and why."""

    vantage: str
    damage: str


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest, of which no more is sure than that its ``files`` maps names to digests. Raises EvidenceError."""
    manifest = _read(path, MANIFEST_SHAPE)
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        raise EvidenceError(f"{path}: files is not a mapping of names to digests; it was edited")
    return manifest


class RunDirectory:
    """One run on disk. Methods raise OSError as the file system does, EvidenceError for broken content."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, report_dir: Path, now: dt.datetime) -> RunDirectory:
        """A new run under ``report_dir`` (made when missing). Its name sorts by time and is never reused."""
        make_directories(report_dir)
        run = cls(report_dir / f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}")
        run.path.mkdir(mode=DIRECTORY_MODE)
        for name in DIRECTORIES:
            (run.path / name).mkdir(mode=DIRECTORY_MODE)
        return run

    @property
    def run_id(self) -> str:
        return self.path.name

    def write_run(self, run: Mapping[str, Any]) -> None:
        """What was asked of this run: scope, vantage points, settings, versions."""
        write_json(self.path / "evidence" / "run.json", {**run, "shape": RUN_SHAPE})

    def read_run(self) -> dict[str, Any]:
        return _read(self.path / "evidence" / "run.json", RUN_SHAPE, run_problem)

    def read(self, kept: Kept[R], name: str) -> R | None:
        """The evidence of one kind for one host or vantage point; None when none was written."""
        return kept.read(self.path, name)

    def write(self, kept: Kept[R], record: R) -> None:
        """Evidence of one kind, under the host or vantage point that it is of."""
        kept.write(self.path, record)

    def readable(self, kept: Kept[R], names: Iterable[str]) -> Iterator[R]:
        """The evidence of each of them that has some that can be used. What cannot be is named when it is judged."""
        for name in names:
            with contextlib.suppress(EvidenceError):
                record = self.read(kept, name)
                if record is not None:
                    yield record

    @property
    def seal(self) -> Path:
        return self.path / "evidence" / "seal.json"

    def write_seal(self, seal: Mapping[str, Any]) -> None:
        """When the run ended, and which one was sealed before it."""
        write_json(self.seal, {**seal, "shape": SEAL_SHAPE})

    def read_seal(self) -> dict[str, Any]:
        return _read(self.seal, SEAL_SHAPE, seal_problem)

    def put_scan(self, vantage: str, share: Mapping[str, Any]) -> None:
        """One scanner's share of a vantage point's scan, as far as it is. Several scanners may write at once.

        A share that the scanner wrote before, for itself or instead of the same lost scanners, is replaced.
        """
        with self._locked():
            mine = _share_of(SCANS.path(self.path, vantage), share)
            scan = self.read(SCANS, vantage) or ScanEvidence(shape=SCAN_SHAPE, vantage=vantage, shares=())
            shares = [one for one in scan.shares if _share_key(one) != _share_key(mine)]
            self.write(SCANS, changed(scan, shares=tuple(sorted([*shares, mine], key=_share_key))))

    def readable_scans(self, vantages: Iterable[str]) -> Iterator[ScanEvidence | DamagedScan]:
        """The scan of each vantage point that has evidence. The damage names its file as seen from here: results do
        not depend on where the run lies."""
        for vantage in vantages:
            try:
                scan = self.read(SCANS, vantage)
            except EvidenceError as error:
                yield DamagedScan(vantage, self.place_in(error))
                continue
            if scan is not None:
                yield scan

    def place_in(self, error: EvidenceError) -> str:
        """An error with its file as seen from the run directory."""
        return str(error).replace(f"{self.path}/", "")

    @property
    def parts(self) -> Path:
        """The parts that the run was merged from, each below its name; there only in a merged run."""
        return self.path / "evidence" / "parts"

    @property
    def merged(self) -> Path:
        return self.path / "evidence" / "merge.json"

    def write_merge(self, merged: MergeEvidence) -> None:
        """Which parts the run was merged from, and what they leave open."""
        write_record(self.merged, merged)

    def read_merge(self) -> MergeEvidence | None:
        """What was written of a merge; None for a run that is none."""
        if not os.path.lexists(self.merged):
            return None
        return read_record(self.merged, MergeEvidence, MERGE_SHAPE, MOST_BYTES)

    @property
    def history(self) -> Path:
        """What history knew before this run; there only when it was asked."""
        return self.path / "evidence" / "history.json"

    @property
    def results(self) -> Path:
        return self.path / "results.json"

    def write_file(self, name: str, chunks: Iterable[bytes]) -> None:
        """A file beside the evidence; its directory is made where it is missing.

        Raises EvidenceError when the run is sealed, and with other bytes.
        """
        file = self.path / name
        make_directories(file.parent)
        with written_whole(file, self.as_sealed(name)) as stream:
            stream.writelines(chunks)

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def signature(self) -> Path:
        return self.path / "manifest.json.sig"

    @property
    def is_sealed(self) -> bool:
        return self.manifest.exists()

    def as_sealed(self, name: str) -> Callable[[Path], None]:
        """A check for ``written_whole``: of a sealed run, a file is only written as it was sealed.

        So a report that was lost or edited can be had back, and nothing else can come in its place.
        """

        def check(written: Path) -> None:
            if self.is_sealed and read_manifest(self.manifest)["files"].get(name) != sha256_of(written):
                raise EvidenceError(
                    f"{self.path / name}: what would be written now is not what this run was sealed with, and a sealed "
                    "run is never changed; vigil.ports.verify names what differs and which version made it, and "
                    "vigil.ports.report writes into another directory (into)"
                )

        return check

    def earlier(self) -> Iterator[RunDirectory]:
        """The complete runs beside this one that were begun before it, the newest first."""
        for path in sorted(self.path.parent.iterdir(), reverse=True):
            if path.name < self.run_id and not path.is_symlink() and (path / "manifest.json").exists():
                yield RunDirectory(path)

    def latest(self) -> RunDirectory | None:
        """The last complete run beside this one; None when there is none, or ``latest`` leads elsewhere."""
        try:
            path = self.path.parent / os.readlink(self.path.parent / "latest")
        except OSError:  # there is none yet, or it is no link
            return None
        is_beside = path.parent == self.path.parent and path.name not in ("", "..")
        return RunDirectory(path) if is_beside and path.is_dir() and not path.is_symlink() else None

    def later(self) -> str | None:
        """The last complete run, when it sorts after this one though it was there before: the clock was set back."""
        latest = self.latest()
        return latest.run_id if latest and latest.run_id > self.run_id else None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self.path / ".lock"):
            yield


def _share_key(share: Share) -> tuple[str, str]:
    return share.scanner, " ".join(share.instead_of)


def _share_of(path: Path, row: Mapping[str, Any]) -> Share:
    try:
        return converted(Share, dict(row), "share")
    except ShapeError as error:
        raise EvidenceError(f"{path}: {error}") from error


def _read(
    path: Path, shape: str, problem_of: Callable[[Mapping[str, Any]], str | None] | None = None
) -> dict[str, Any]:
    try:
        value = json.loads(bytes_of(path))
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{path}: not JSON ({error}); {CHANGED}") from error
    if not isinstance(value, dict) or value.get("shape") != shape:
        raise EvidenceError(f"{path}: not evidence of the shape {shape}; it was written by another version")
    problem = problem_of(value) if problem_of else None
    if problem is not None:
        raise EvidenceError(f"{path}: {problem}; {CHANGED}")
    return value
