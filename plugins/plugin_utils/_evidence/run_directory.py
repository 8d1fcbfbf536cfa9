# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run directory: evidence written once, read back, sealed. This module is private to the collection.

Layout: ``evidence/run.json`` (what was asked), ``evidence/hosts/<host>.json``,
``evidence/scans/<vantage>.json``, then what is made of them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .atomic import DIRECTORY_MODE, sha256_of, write_json, written_whole
from .file_names import file_stem

#: Marks of the files' shapes; ``schemas/evidence.schema.json`` describes them.
RUN_SHAPE, HOST_SHAPE, SCAN_SHAPE = (f"vigil.ports/evidence/{kind}/1" for kind in ("run", "host", "scan"))
RESULTS_SHAPE = "vigil.ports/results/1"


class EvidenceError(Exception):
    """Evidence that is missing or cannot be read; the text names the file and the way out."""


class RunDirectory:
    """One run on disk. Methods raise OSError as the file system does, EvidenceError for broken content."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hosts = path / "evidence" / "hosts"
        self.scans = path / "evidence" / "scans"

    @classmethod
    def create(cls, report_dir: Path, now: dt.datetime) -> RunDirectory:
        """A new run under ``report_dir`` (made when missing). Its name sorts by time and is never reused."""
        report_dir.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        run = cls(report_dir / f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}")
        run.path.mkdir(mode=DIRECTORY_MODE)
        (run.path / "evidence").mkdir(mode=DIRECTORY_MODE)
        run.hosts.mkdir(mode=DIRECTORY_MODE)
        run.scans.mkdir(mode=DIRECTORY_MODE)
        return run

    @property
    def run_id(self) -> str:
        return self.path.name

    def write_run(self, run: Mapping[str, Any]) -> None:
        """What was asked of this run: scope, vantage points, settings, versions."""
        write_json(self.path / "evidence" / "run.json", {**run, "shape": RUN_SHAPE})

    def read_run(self) -> dict[str, Any]:
        return _read(self.path / "evidence" / "run.json", RUN_SHAPE)

    def write_host(self, host: str, evidence: Mapping[str, Any]) -> None:
        """What was seen on one host, and what is declared for it."""
        write_json(self._host_file(host), {**evidence, "host": host, "shape": HOST_SHAPE})

    def read_host(self, host: str) -> dict[str, Any] | None:
        """The evidence of one host; None when none was written."""
        path = self._host_file(host)
        return _read(path, HOST_SHAPE) if path.exists() else None

    def put_scan(self, vantage: str, share: Mapping[str, Any]) -> None:
        """One scanner's share of a vantage point's scan, as far as it is. Several scanners may write at once.

        A share that the scanner wrote before, for itself or instead of the same lost scanners, is replaced.
        """
        with self._locked():
            scan = self.read_scan(vantage) or {"shape": SCAN_SHAPE, "vantage": vantage, "shares": []}
            shares = [one for one in scan["shares"] if _share_key(one) != _share_key(share)]
            write_json(self._scan_file(vantage), {**scan, "shares": sorted([*shares, share], key=_share_key)})

    def read_scan(self, vantage: str) -> dict[str, Any] | None:
        """The scan of one vantage point; None when none was written."""
        path = self._scan_file(vantage)
        return _read(path, SCAN_SHAPE) if path.exists() else None

    def read_scans(self) -> Iterator[dict[str, Any]]:
        """The scan of each vantage point that has evidence, in the order of their file names."""
        for path in sorted(self.scans.glob("*.json")):
            yield _read(path, SCAN_SHAPE)

    @property
    def results(self) -> Path:
        return self.path / "results.json"

    def write_file(self, name: str, chunks: Iterable[bytes]) -> None:
        with written_whole(self.path / name) as stream:
            stream.writelines(chunks)

    def seal(self, about: Mapping[str, Any]) -> None:
        """The manifest over every file of the run; then ``latest`` points here. The last step of a run.

        A run that is sealed again, its reports rendered anew, does not become the latest by that.
        """
        again = (self.path / "manifest.json").exists()
        (self.path / ".lock").unlink(missing_ok=True)
        files = sorted(path for path in self.path.rglob("*") if path.is_file() and path.name != "manifest.json")
        digests = {str(path.relative_to(self.path)): sha256_of(path) for path in files}
        write_json(self.path / "manifest.json", {**about, "files": digests, "run_id": self.run_id})
        latest = self.path.parent / "latest"
        if again and latest.exists() and os.readlink(latest) > self.run_id:
            return
        link = self.path.parent / f".latest-{self.run_id}"
        link.unlink(missing_ok=True)  # left by a run that was killed between these two lines
        link.symlink_to(self.run_id)
        link.replace(latest)

    def latest(self) -> RunDirectory | None:
        """The last complete run beside this one; None when there is none."""
        path = self.path.parent / "latest"
        return RunDirectory(path.resolve()) if path.exists() else None

    def _scan_file(self, vantage: str) -> Path:
        return self.scans / f"{file_stem(vantage)}.json"

    def _host_file(self, host: str) -> Path:
        return self.hosts / f"{file_stem(host)}.json"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _share_key(share: Mapping[str, Any]) -> tuple[str, str]:
    return str(share["scanner"]), " ".join(share["instead_of"])


def _read(path: Path, shape: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise EvidenceError(f"{path}: no such file; is this a run directory?") from None
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{path}: not JSON ({error}); it was cut or edited, so this run cannot be used") from error
    if not isinstance(value, dict) or value.get("shape") != shape:
        raise EvidenceError(f"{path}: not evidence of the shape {shape}; it was written by another version")
    return value
