# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a run: its manifest, its signature, its place in the chain. This module is private to the collection."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .atomic import json_bytes, sha256_of, written_whole
from .kept import EvidenceError
from .lock_file import locked
from .manifest import digests_of, manifest_of
from .run_directory import RunDirectory
from .signature import sign, try_key

#: Names of runs. No other name is ever followed.
RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


def seal(run: RunDirectory, results: Mapping[str, Any], now: dt.datetime, signing_key: Path | None = None) -> str:
    """The manifest over every file of the run, signed; then ``latest`` points here. The last step of a run.

    Returns the manifest's SHA-256. A run that is sealed already keeps its seal, and does not become the
    latest by being sealed again; neither one that is judged as of another day nor a part becomes it. When the sealing
    fails, the run is as it was before. Raises EvidenceError for another signing key than the run was opened
    with, SignatureError for one that cannot sign.
    """
    with _one_at_a_time(run.path.parent):
        again = run.is_sealed
        if not again:
            try:
                _seal(run, results, now, signing_key)
            except BaseException:
                for file in (run.manifest, run.signature, run.seal):
                    file.unlink(missing_ok=True)
                raise
        if not results["run"].get("what_if") and "part" not in results["run"]:  # it is not the state
            _point_latest_at(run, again=again)
    return sha256_of(run.manifest)


def _seal(run: RunDirectory, results: Mapping[str, Any], now: dt.datetime, signing_key: Path | None) -> None:
    _expect_the_key_it_was_opened_with(results["run"], signing_key)
    (run.path / ".lock").unlink(missing_ok=True)
    for left in run.path.rglob(".*.tmp"):  # by a writer that was killed
        left.unlink()
    run.write_seal({"ended": f"{now:%Y-%m-%dT%H:%M:%SZ}", "previous": _previous(run)})
    manifest = json_bytes(manifest_of(run, results, digests_of(run)))
    if signing_key is not None:
        with written_whole(run.signature) as stream:
            stream.write(sign(signing_key, manifest))
    # Last of all: what has a manifest is complete.
    with written_whole(run.manifest) as stream:
        stream.write(manifest)


def _expect_the_key_it_was_opened_with(asked: Mapping[str, Any], signing_key: Path | None) -> None:
    opened = asked["signing"]
    now = None if signing_key is None else try_key(signing_key)._asdict()
    if opened != now:
        raise EvidenceError(
            f"run {asked['run_id']} was opened {_with(opened)}, and is to be sealed {_with(now)}: give the same "
            "signing_key to vigil.ports.run and vigil.ports.report (the role takes both from audit_signing_key)"
        )


def _with(key: Mapping[str, Any] | None) -> str:
    return "without a signing key" if key is None else f"with the signing key {key['fingerprint']}"


def _previous(run: RunDirectory) -> dict[str, Any] | None:
    """The run that was sealed last, with its manifest's digest: None where that run has been deleted since."""
    try:
        run_id = Path(os.readlink(run.path.parent / "latest")).name
    except OSError:  # there is none yet, or it is no link
        return None
    if not RUN_ID.fullmatch(run_id) or run_id == run.run_id:
        return None
    manifest = run.path.parent / run_id / "manifest.json"
    return {"run_id": run_id, "manifest_sha256": sha256_of(manifest) if manifest.exists() else None}


def _point_latest_at(run: RunDirectory, *, again: bool) -> None:
    latest = run.path.parent / "latest"
    if again and latest.exists():
        before = run.read_seal()["previous"]
        # Where it is still the run before this one, this one was killed before the link moved. Names do not tell which
        # run was sealed last: clocks are set back.
        if before is None or before["run_id"] != os.readlink(latest):
            return
    link = run.path.parent / f".latest-{run.run_id}"
    link.unlink(missing_ok=True)  # left by a run that was killed between these two lines
    link.symlink_to(run.run_id)
    link.replace(latest)


@contextlib.contextmanager
def _one_at_a_time(report_dir: Path) -> Iterator[None]:
    """Two audits that end at once stand in the chain one after the other."""
    with locked(report_dir / ".lock"):
        yield
