# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run computed again from its evidence, and compared byte for byte. This module is private to the collection."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .._audit.judge_run import judge_run
from .._evidence.atomic import json_bytes
from .._evidence.kept import EvidenceError
from .._evidence.manifest import manifest_of
from .._evidence.results_file import read_results
from .._evidence.run_directory import RunDirectory, read_manifest
from .._merge.seal_part import head_of_part
from .._reports.render import reports
from .verdict import Problem

_CHUNK = 1 << 20

#: What evidence that was edited may end in, wherever it is read. Nothing else is caught.
_BROKEN = (EvidenceError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


def recomputing_problems(run: RunDirectory, changed: Collection[str], *, sealed: bool) -> Iterator[Problem]:
    """Where ``results.json``, a report or the manifest is not what the evidence gives.

    The run directory is only read. ``changed`` names files that are known to be not as they were sealed;
    ``sealed`` is False where the manifest cannot be read. Raises OSError where there is no room for the
    results.
    """
    with tempfile.TemporaryDirectory(prefix="vigil-verify-") as folder:
        try:
            yield from _differences(run, Path(folder) / "results.json", changed, sealed=sealed)
        except _BROKEN as error:
            what = str(error) if isinstance(error, EvidenceError) else f"{error.__class__.__name__}: {error}"
            yield Problem("evidence", f"nothing can be computed from it again: {what}")
        except OSError as error:
            if not str(error.filename or "").startswith(str(run.path)):
                raise
            yield Problem(str(error.filename), f"cannot be read: {error.strerror}")


def _differences(run: RunDirectory, results_file: Path, changed: Collection[str], *, sealed: bool) -> Iterator[Problem]:
    asked = run.read_run()
    if "part" in asked:  # it has no results
        yield from _made_beside(run, head_of_part(run, asked), set(), changed, sealed=sealed)
        return
    judge_run(run, results_file)
    results = read_results(results_file)
    made = {"results.json"}
    evidence_changed = any(name.startswith("evidence/") for name in changed)
    yield from _compared(run, "results.json", _content(results_file), changed, evidence_changed)
    for name, chunks in reports(results):
        made.add(name)
        yield from _compared(run, name, chunks, changed, evidence_changed)
    yield from _made_beside(run, results, made, changed, sealed=sealed)


def _made_beside(
    run: RunDirectory, results: Mapping[str, Any], made: set[str], changed: Collection[str], *, sealed: bool
) -> Iterator[Problem]:
    """What the manifest names besides evidence, and the manifest itself."""
    evidence_changed = any(name.startswith("evidence/") for name in changed)
    if not sealed:
        return
    digests = read_manifest(run.manifest)["files"]
    for name in sorted(digests):
        if name not in made and not name.startswith("evidence/"):
            yield Problem(name, "manifest.json names this file, and no report is called so")
    for name in sorted(made - digests.keys()):
        yield Problem(name, "the evidence gives this file, and manifest.json does not name it")
    manifest = [json_bytes(manifest_of(run, results, digests))]
    yield from _compared(run, "manifest.json", manifest, changed, evidence_changed)


def _compared(
    run: RunDirectory, name: str, chunks: Iterable[bytes], changed: Collection[str], evidence_changed: bool
) -> Iterator[Problem]:
    path = run.path / name
    if path.is_symlink() or not path.is_file():  # said already: it is missing, or no plain file
        return
    difference = first_difference(path, chunks)
    if difference and evidence_changed and name not in changed:
        yield Problem(name, f"is as it was sealed, and the evidence is not: {difference}")
    elif difference:
        yield Problem(name, f"is not what the evidence gives: {difference}")


def first_difference(path: Path, chunks: Iterable[bytes]) -> str | None:
    """Where a file first differs from what it should hold; None where it does not. Raises OSError."""
    offset, line = 0, 1
    with path.open("rb") as stream:
        for chunk in chunks:
            held = stream.read(len(chunk))
            if held != chunk:
                same = _same(held, chunk)
                line += chunk.count(b"\n", 0, same)
                rest = held[same : same + 40] or b"(it ends here)"
                return _place(offset + same, line, rest, chunk[same : same + 40])
            offset += len(chunk)
            line += chunk.count(b"\n")
        rest = stream.read(40)
        return _place(offset, line, rest, b"(it ends here)") if rest else None


def _same(one: bytes, other: bytes) -> int:
    """How many bytes two texts have in common at their beginning."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))


def _place(offset: int, line: int, held: bytes, expected: bytes) -> str:
    return f"first at byte {offset}, line {line}: {_text(held)} where {_text(expected)} is expected"


def _text(raw: bytes) -> str:
    return ascii(raw.decode("utf-8", "backslashreplace"))


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
