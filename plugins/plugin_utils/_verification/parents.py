# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts that a run was merged from: each as it was sealed and signed, and all of it in the run. Private to the
collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from .._evidence.atomic import sha256_of
from .._evidence.codec import encoded
from .._evidence.file_names import file_stem
from .._evidence.kept import EvidenceError, Kept, R
from .._evidence.records.host import HOSTS
from .._evidence.records.merged import MergeEvidence, Parent
from .._evidence.records.reachable import SCANS
from .._evidence.run_directory import RunDirectory, read_manifest
from .._merge.checks import Part
from .._merge.settle import settle
from .signed import signature_said
from .verdict import Problem, Said

_MOST = 5


def parents_said(
    run: RunDirectory, files: Mapping[str, str], allowed_signers: Path | None, signer: str | None
) -> Iterator[Said]:
    """What is wrong with the parts of a merged run. ``files`` are the digests in its manifest, which were compared with
    the files already."""
    try:
        merged = run.read_merge()
    except (EvidenceError, OSError):  # said where the run is computed again
        return
    if merged is None:
        return
    parts = []
    for parent in merged.parents:
        found = list(_parent_said(run, parent, files, allowed_signers, signer))
        yield from found
        if not any(isinstance(one, Problem) for one in found):
            parts.append(_part(run, parent))
    if len(parts) == len(merged.parents):
        yield f"merged from {len(parts)} parts of campaign {merged.campaign}, each as it was sealed"
        yield from _joined_said(run, merged, parts)


def _place(parent: Parent) -> str:
    return f"evidence/parts/{parent.run_id}"


def _parent_said(
    run: RunDirectory, parent: Parent, files: Mapping[str, str], allowed_signers: Path | None, signer: str | None
) -> Iterator[Said]:
    place = _place(parent)
    copy = RunDirectory(run.path / place)
    manifest = f"{place}/manifest.json"
    try:
        digest = sha256_of(copy.manifest)
        if digest != parent.manifest_sha256:
            yield Problem(manifest, f"its SHA-256 is {digest}, and evidence/merge.json says {parent.manifest_sha256}")
            return
        sealed, asked = read_manifest(copy.manifest)["files"], copy.read_run()
    except (EvidenceError, OSError) as error:
        yield Problem(manifest, f"the part cannot be read: {error}")
        return
    wrong = [name for name, digest in sorted(sealed.items()) if digest not in _digests(files, place, name)]
    for name in wrong[:_MOST]:
        yield Problem(f"{place}/{name}", "it is not here as the part was sealed with it")
    if len(wrong) > _MOST:
        yield Problem(place, f"{len(wrong) - _MOST} more of its files are not here as it was sealed with them")
    for said in signature_said(copy, asked["signing"], allowed_signers, signer):
        if isinstance(said, Problem):
            yield Problem(f"{place}/{said.file}", said.message)
        elif allowed_signers:
            yield f"part {parent.run_id} is {said}"


def _digests(files: Mapping[str, str], place: str, name: str) -> tuple[str | None, ...]:
    """The file of a part, where it was left or where it is judged."""
    is_judged = name.startswith(("evidence/hosts/", "evidence/relisted/"))
    return (files.get(f"{place}/{name}"), files.get(name) if is_judged else None)


def _part(run: RunDirectory, parent: Parent) -> Part:
    copy = _Rejoined(run, parent)
    asked = copy.read_run()
    return Part(parent.run_id, copy, asked, parent.ended, parent.manifest_sha256, read_manifest(copy.manifest)["files"])


class _Rejoined(RunDirectory):
    """A part whose listings lie partly where the run's do: those are its own by their digest."""

    def __init__(self, run: RunDirectory, parent: Parent) -> None:
        super().__init__(run.path / _place(parent))
        self._run = run
        self._files = read_manifest(self.manifest)["files"]

    def read(self, kept: Kept[R], name: str) -> R | None:
        own = kept.path(self.path, name)
        is_sealed = str(own.relative_to(self.path)) in self._files
        joined = kept is HOSTS and is_sealed and not own.exists()
        return kept.read(self._run.path if joined else self.path, name)


def _joined_said(run: RunDirectory, merged: MergeEvidence, parts: list[Part]) -> Iterator[Problem]:
    """Whether the parts give the scans, the hosts without a part and the gaps that the run has."""
    asked = run.read_run()
    settled = settle(parts, asked)
    without = tuple(host for host in asked["hosts"] if host not in settled.listed_by)
    if without != merged.without_part:
        yield Problem("evidence/merge.json", "without_part is not what the parts give")
    missing = sorted({gap.gap for gap in settled.gaps} - {gap.gap for gap in merged.gaps})
    if missing:
        yield Problem("evidence/merge.json", f"the parts give gaps that it does not have: {', '.join(missing[:_MOST])}")
    scans = run.path / SCANS.folder
    expected = {f"{file_stem(vantage)}.json": scan for vantage, scan in settled.scans.items()}
    for name in sorted({*expected, *(one.name for one in scans.glob("*.json"))}):
        scan, path = expected.get(name), scans / name
        if scan is None or not path.is_file() or path.read_bytes() != encoded(scan):
            yield Problem(f"evidence/scans/{name}", "is not what the parts give")
