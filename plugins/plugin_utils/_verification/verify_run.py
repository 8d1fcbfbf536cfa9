# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run directory checked as a whole: files, chain, signature, and everything computed again.

Nothing in it is changed, and no problem hides another. This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .._evidence.kept import EvidenceError
from .._evidence.provenance import versions
from .._evidence.run_directory import RunDirectory, read_manifest
from .chain import chain_problems, later_problems, newer_note
from .files import file_problems, strange_entries
from .parents import parents_said
from .recomputing import recomputing_problems
from .signed import signature_said
from .verdict import Problem, Said, Verdict


def verify_run(run: RunDirectory, allowed_signers: Path | None = None, signer: str | None = None) -> Verdict:
    """Everything that is not as it was sealed. ``run.path`` is the directory itself, not a link to it.

    Raises EvidenceError for what is no run directory at all, OSError where there is no room to compute.
    """
    _expect_run(run, allowed_signers, signer)
    said: list[Said] = list(strange_entries(run.path))
    strange = {one.file for one in said if isinstance(one, Problem)}
    manifest = None
    if run.manifest.name not in strange:
        try:
            manifest = read_manifest(run.manifest)
        except (EvidenceError, OSError) as error:
            said.append(Problem(run.manifest.name, f"{error}; without it no file can be held against its digest"))
    run_id = run.path.name if manifest is None else str(manifest.get("run_id"))
    if manifest is not None:
        said += file_problems(run.path, manifest["files"])
        said += chain_problems(run.path, manifest)
        said += later_problems(run.path, run_id)
    # Of evidence that is not plain nothing is read: what it leads to is not of this run.
    readable = not any(name.startswith("evidence") for name in strange)
    asked = _asked(run) if readable else {}
    if readable and strange.isdisjoint((run.manifest.name, run.signature.name)):
        said += signature_said(run, asked.get("signing"), allowed_signers, signer)
    if manifest is not None:
        said += _beside(run, manifest, run_id, asked, allowed_signers, signer)
    if not readable:
        said.append("nothing was computed again, and no signature was checked: only plain files are read as evidence")
    else:
        changed = {one.file for one in said if isinstance(one, Problem)}
        different = list(recomputing_problems(run, changed, sealed=manifest is not None))
        said += different
        said += _about_versions(asked, bool(different))
    if run_id != run.path.name:
        said.append(f"the directory is called {run.path.name}, and its run {run_id}: it was moved or copied")
    return Verdict(
        run_id,
        len(manifest["files"]) if manifest is not None else 0,
        tuple(one for one in said if isinstance(one, Problem)),
        tuple(one for one in said if isinstance(one, str)),
    )


def _expect_run(run: RunDirectory, allowed_signers: Path | None, signer: str | None) -> None:
    """Raises EvidenceError where there is nothing to verify."""
    if signer and not allowed_signers:
        raise EvidenceError(f"signer {signer}: give allowed_signers as well, the file that says whose key is whose")
    if not run.path.is_dir():
        raise EvidenceError(f"{run.path}: no such directory; run_dir names the directory of a run")
    if not (run.manifest.is_file() or (run.path / "evidence").is_dir()):
        raise EvidenceError(
            f"{run.path}: neither a manifest nor evidence is in it; run_dir names the directory of a run"
        )


def _beside(
    run: RunDirectory,
    manifest: Mapping[str, Any],
    run_id: str,
    asked: Mapping[str, Any],
    allowed_signers: Path | None,
    signer: str | None,
) -> Iterator[Said]:
    """The run among others: newer ones beside it, to which a part does not belong, and the parts that it is made of."""
    if not asked.get("part"):
        yield from newer_note(run.path, run_id)
    if asked:
        yield from parents_said(run, manifest["files"], allowed_signers, signer)


def _about_versions(asked: Mapping[str, Any], different: bool) -> Iterator[str]:
    made_by = (asked.get("versions") or {}).get("vigil.ports")
    here = versions()["vigil.ports"]
    if made_by is not None and made_by != here:
        meaning = (
            "what differs may be a change of the collection: verify with the version that made it"
            if different
            else "both compute the same"
        )
        yield f"made by vigil.ports {made_by}, computed again by {here}: {meaning}"


def _asked(run: RunDirectory) -> dict[str, Any]:
    """What evidence/run.json says of signing and versions; nothing where it cannot be read, which is said elsewhere."""
    try:
        asked = run.read_run()
    except (EvidenceError, OSError):
        return {}
    names = ("signing", "versions", "part")
    return {name: asked.get(name) if isinstance(asked.get(name), dict) else None for name in names}
