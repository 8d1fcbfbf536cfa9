# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain of runs: each manifest names the digest of the one before it. This module is private to the collection.

A run that retention has deleted is a gap in the chain and no error; a manifest with another digest is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .._evidence.atomic import sha256_of
from .._evidence.sealing import RUN_ID
from .verdict import Problem, Said


def chain_problems(run: Path, manifest: Mapping[str, Any]) -> Iterator[Said]:
    """Back to the first run that is here, and one step forward."""
    followed = {manifest.get("run_id")}
    later = run.name
    while True:
        previous = manifest.get("previous")
        if previous is None:
            return
        run_id, digest = _link(manifest)
        if run_id is None or run_id in followed:
            yield Problem("manifest.json", f"previous of {later} names no run before it: {previous}")
            return
        path = run.parent / run_id / "manifest.json"
        if digest is None:
            yield f"previous run {run_id} had been deleted when {later} was sealed: the chain begins anew there"
            return
        if not path.is_file():
            yield f"previous run {run_id} is not here: the chain is checked back to {later}"
            return
        if sha256_of(path) != digest:
            yield Problem(f"../{run_id}/manifest.json", _another(sha256_of(path), later, digest))
        read = _read(path)
        if read is None:
            yield Problem(f"../{run_id}/manifest.json", "is not JSON: the chain cannot be followed further")
            return
        followed.add(run_id)
        later, manifest = run_id, read


def later_problems(run: Path, run_id: str) -> Iterator[Problem]:
    """Runs beside this one that came next, and know it by another digest than it has."""
    own = sha256_of(run / "manifest.json")
    for path in sorted(run.parent.glob("*/manifest.json")):
        if RUN_ID.fullmatch(path.parent.name) and path.parent.name != run.name and path.is_file():
            before, known = _link(_read(path) or {})
            if before == run_id and known not in (None, own):
                yield Problem("manifest.json", _another(own, path.parent.name, known))


def newer_note(run: Path, run_id: str) -> Iterator[str]:
    """That a sealed run beside this one is newer: who was given an old one is not to take it for the last."""
    newer = sorted(
        path.parent.name
        for path in run.parent.glob("*/manifest.json")
        if RUN_ID.fullmatch(path.parent.name) and path.parent.name > run_id and not path.parent.is_symlink()
    )
    if newer:
        more = f", the last of {len(newer)}" if len(newer) > 1 else ""
        yield f"a newer sealed run is beside this one: {newer[-1]}{more}; what this run says may be out of date"


def _another(digest: str, later: str, known: object) -> str:
    return f"its SHA-256 is {digest}, and the run {later}, which came after it, knows it by {known}"


def _link(manifest: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The run before, and the digest of its manifest; None for what is not said, or not as a run is called."""
    previous = manifest.get("previous")
    if not isinstance(previous, Mapping):
        return None, None
    run_id, digest = str(previous.get("run_id")), previous.get("manifest_sha256")
    return run_id if RUN_ID.fullmatch(run_id) else None, None if digest is None else str(digest)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
