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
from typing import Any, NamedTuple, TypeVar

from .atomic import DIRECTORY_MODE, make_directories, sha256_of, write_json, written_whole
from .codec import NotJSONError, Record, ShapeError, changed, converted, decoded, encoded, shape_in
from .file_names import file_stem
from .lock_file import locked
from .records.host import HOST_SHAPE, MOST_BYTES, RELISTED_SHAPE, HostEvidence, RelistedEvidence
from .records.merged import MERGE_SHAPE, MergeEvidence
from .records.reachable import SCAN_SHAPE, ScanEvidence, Share
from .shape import run_problem, seal_problem

#: Marks of the files' shapes; ``schemas/evidence.schema.json`` describes them.
RUN_SHAPE, SEAL_SHAPE = (f"vigil.ports/evidence/{kind}/1" for kind in ("run", "seal"))
MANIFEST_SHAPE = "vigil.ports/manifest/1"

#: What every run has, even where nothing is written into it.
DIRECTORIES = ("evidence", "evidence/hosts", "evidence/scans", "evidence/relisted")
RESULTS_SHAPE = "vigil.ports/results/1"


_CHANGED = "it was cut or edited since it was written: gather again"


class EvidenceError(Exception):
    """Evidence that is missing or cannot be read; the text names the file and the way out."""


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
        self.hosts = path / "evidence" / "hosts"
        self.scans = path / "evidence" / "scans"
        self.relisted = path / "evidence" / "relisted"

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

    def write_host(self, evidence: HostEvidence) -> None:
        """What was seen on one host, and what is declared for it."""
        _write(self._host_file(evidence.host), evidence)

    @property
    def seal(self) -> Path:
        return self.path / "evidence" / "seal.json"

    def write_seal(self, seal: Mapping[str, Any]) -> None:
        """When the run ended, and which one was sealed before it."""
        write_json(self.seal, {**seal, "shape": SEAL_SHAPE})

    def read_seal(self) -> dict[str, Any]:
        return _read(self.seal, SEAL_SHAPE, seal_problem)

    def read_host(self, host: str) -> HostEvidence | None:
        """The evidence of one host; None when none was written."""
        return _of_host(HostEvidence, self._host_file(host), HOST_SHAPE, host)

    def write_relisted(self, evidence: RelistedEvidence) -> None:
        """What was seen on a host that was listed again after the scans."""
        _write(self._relisted_file(evidence.host), evidence)

    def read_relisted(self, host: str) -> RelistedEvidence | None:
        """The second listing of one host; None when it was not listed again."""
        return _of_host(RelistedEvidence, self._relisted_file(host), RELISTED_SHAPE, host)

    def readable_hosts(self, hosts: Iterable[str]) -> Iterator[HostEvidence]:
        """The evidence of each host that has some that can be used. What cannot be is named when it is judged."""
        for host in hosts:
            with contextlib.suppress(EvidenceError):
                evidence = self.read_host(host)
                if evidence is not None:
                    yield evidence

    def put_scan(self, vantage: str, share: Mapping[str, Any]) -> None:
        """One scanner's share of a vantage point's scan, as far as it is. Several scanners may write at once.

        A share that the scanner wrote before, for itself or instead of the same lost scanners, is replaced.
        """
        with self._locked():
            mine = _share_of(self._scan_file(vantage), share)
            scan = self.read_scan(vantage) or ScanEvidence(shape=SCAN_SHAPE, vantage=vantage, shares=())
            shares = [one for one in scan.shares if _share_key(one) != _share_key(mine)]
            _write(self._scan_file(vantage), changed(scan, shares=tuple(sorted([*shares, mine], key=_share_key))))

    def write_scan(self, scan: ScanEvidence) -> None:
        """All that was seen from a vantage point, at once."""
        _write(self._scan_file(scan.vantage), scan)

    def read_scan(self, vantage: str) -> ScanEvidence | None:
        """The scan of one vantage point; None when none was written."""
        path = self._scan_file(vantage)
        if not os.path.lexists(path):
            return None
        scan = _record(ScanEvidence, path, SCAN_SHAPE)
        if scan.vantage != vantage:
            raise EvidenceError(f"{path}: evidence of the vantage {scan.vantage}, not of {vantage}; {_CHANGED}")
        return scan

    def readable_scans(self, vantages: Iterable[str]) -> Iterator[ScanEvidence | DamagedScan]:
        """The scan of each vantage point that has evidence. The damage names its file as seen from here: results do
        not depend on where the run lies."""
        for vantage in vantages:
            try:
                scan = self.read_scan(vantage)
            except EvidenceError as error:
                yield DamagedScan(vantage, self.place_in(error))
                continue
            if scan is not None:
                yield scan

    def place_in(self, error: EvidenceError) -> str:
        """An error with its file as seen from the run directory."""
        return str(error).replace(f"{self.path}/", "")

    def read_scans(self) -> Iterator[ScanEvidence]:
        """The scan of each vantage point that has evidence, in the order of their file names.

        Raises EvidenceError for the first that cannot be used.
        """
        for path in sorted(self.scans.glob("*.json")):
            yield _record(ScanEvidence, path, SCAN_SHAPE)

    @property
    def parts(self) -> Path:
        """The parts that the run was merged from, each below its name; there only in a merged run."""
        return self.path / "evidence" / "parts"

    @property
    def merged(self) -> Path:
        return self.path / "evidence" / "merge.json"

    def write_merge(self, merged: MergeEvidence) -> None:
        """Which parts the run was merged from, and what they leave open."""
        _write(self.merged, merged)

    def read_merge(self) -> MergeEvidence | None:
        """What was written of a merge; None for a run that is none."""
        return _record(MergeEvidence, self.merged, MERGE_SHAPE) if os.path.lexists(self.merged) else None

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

    def _scan_file(self, vantage: str) -> Path:
        return self.scans / f"{file_stem(vantage)}.json"

    def _host_file(self, host: str) -> Path:
        return self.hosts / f"{file_stem(host)}.json"

    def _relisted_file(self, host: str) -> Path:
        return self.relisted / f"{file_stem(host)}.json"

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
        value = json.loads(_bytes_of(path))
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{path}: not JSON ({error}); {_CHANGED}") from error
    if not isinstance(value, dict) or value.get("shape") != shape:
        raise EvidenceError(f"{path}: not evidence of the shape {shape}; it was written by another version")
    problem = problem_of(value) if problem_of else None
    if problem is not None:
        raise EvidenceError(f"{path}: {problem}; {_CHANGED}")
    return value


_H = TypeVar("_H", HostEvidence, RelistedEvidence)
_R = TypeVar("_R", bound=Record)


def _of_host(kind: type[_H], path: Path, shape: str, host: str) -> _H | None:
    """The evidence of the host that its file is named after; None where there is none."""
    if not os.path.lexists(path):
        return None
    record = _record(kind, path, shape, MOST_BYTES)
    if record.host != host:
        raise EvidenceError(f"{path}: evidence of the host {record.host}, not of {host}; {_CHANGED}")
    return record


def _record(kind: type[_R], path: Path, shape: str, most: int | None = None) -> _R:
    data = _bytes_of(path, most)
    try:
        return decoded(kind, data, path.parent.name.removesuffix("s"))
    except NotJSONError as error:
        raise EvidenceError(f"{path}: {error}; {_CHANGED}") from error
    except ShapeError as error:
        if shape_in(data) != shape:
            raise EvidenceError(
                f"{path}: not evidence of the shape {shape}; it was written by another version"
            ) from error
        raise EvidenceError(f"{path}: {error}; {_CHANGED}") from error


def _bytes_of(path: Path, most: int | None = None) -> bytes:
    # A link, a pipe or a device is not what was written here, and to read it could take forever.
    if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
        raise EvidenceError(f"{path}: not a file; {_CHANGED}")
    try:
        size = path.stat().st_size
        if most is not None and size > most:
            raise EvidenceError(f"{path}: {size} bytes, more than the {most} that a host can have; {_CHANGED}")
        return path.read_bytes()
    except FileNotFoundError:
        raise EvidenceError(f"{path}: no such file; is this a run directory?") from None


def _write(path: Path, record: Record) -> None:
    try:
        data = encoded(record)
    except UnicodeEncodeError as error:
        raise EvidenceError(f"{path}: text that is no Unicode: {ascii(error.object)[:100]}") from error
    with written_whole(path) as stream:
        stream.write(data)
