# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts put together in the directory of a run, which is then judged like any other. Private to the collection.

The evidence of each part lies below ``evidence/parts/ID`` as its manifest names it, but for the listings that are
judged: these lie where those of any run do. Nothing of a part is changed, and nothing but the run directory is written:
a merge that was killed is made again.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .._evidence.codec import converted
from .._evidence.file_names import file_stem
from .._evidence.kept import EvidenceError
from .._evidence.records.host import HOSTS, RELISTED
from .._evidence.records.merged import MERGE_SHAPE, MergeEvidence, MergeGap, Parent, PartScanner
from .._evidence.records.reachable import SCANS
from .._evidence.run_directory import RunDirectory
from .checks import Expected, Part, checked, sealed_name
from .gaps import merge_gap
from .intake import Found, find_parts, label_of, take_in
from .settle import Settled, settle
from .unpacking import RefusedError

#: Copies that nothing is known of yet. It is gone before the run is sealed.
_INCOMING = ".incoming"
#: The files of a part that are judged from where those of any run lie.
_JUDGED = ("hosts", "relisted")


def merge_parts(run: RunDirectory, paths: Iterable[Path], expected: Expected) -> MergeEvidence:
    """Takes parts in, checks them, and writes the evidence of the run. Returns what ``evidence/merge.json`` says.

    Raises EvidenceError for a run that is sealed, OSError where there is no room.
    """
    if run.is_sealed:
        raise EvidenceError(f"{run.path}: the run is sealed, and nothing can be merged into it: open another one")
    _clear(run)
    incoming = run.path / _INCOMING
    try:
        taken = _taken_in(incoming, paths, expected)
        parts = [_moved(run, part) for part in taken.parts]
        settled = settle(parts, expected.asked)
        _put_in_place(run, settled, expected.asked["hosts"])
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    merged = _evidence(expected, parts, settled, taken.gaps)
    os.sync()  # hundreds of small files: once for all of them
    run.write_merge(merged)
    return merged


class _Taken(NamedTuple):
    parts: list[Part]
    gaps: list[MergeGap]


def _clear(run: RunDirectory) -> None:
    """What a merge that was killed has left."""
    run.merged.unlink(missing_ok=True)
    for left in (run.path / _INCOMING, run.parts):
        shutil.rmtree(left, ignore_errors=True)
    for kept in (HOSTS, RELISTED, SCANS):
        for file in (run.path / kept.folder).iterdir():
            file.unlink()


def _taken_in(incoming: Path, paths: Iterable[Path], expected: Expected) -> _Taken:
    """Every part that may be used, and a gap for each other one."""
    parts: dict[str, Part] = {}
    refused: dict[str, MergeGap] = {}
    digests: dict[str, str] = {}
    for number, found in enumerate(find_parts(list(paths))):
        copy = RunDirectory(incoming / str(number))
        label = found.label
        try:
            take_in(found, copy.path)
            label = sealed_name(copy)
            part = checked(copy, expected)
        except RefusedError as why:
            _add(refused, label, why.kind, f"part {label} is not used: {why}", found)
            shutil.rmtree(copy.path, ignore_errors=True)
            continue
        if label in digests:
            same = digests[label] == part.manifest_sha256
            if same:
                message = f"part {label} came twice, and is used once: which job answered twice?"
                _add(refused, label, "twice", message, found)
            else:
                parts.pop(label, None)
                message = f"two parts are called {label} and differ: neither is used; find out which one is right"
                _add(refused, label, "ambiguous", message, found)
            shutil.rmtree(copy.path, ignore_errors=True)
            continue
        digests[label] = part.manifest_sha256
        parts[label] = part
    return _Taken([parts[name] for name in sorted(parts)], [refused[name] for name in sorted(refused)])


def _add(refused: dict[str, MergeGap], label: str, kind: str, message: str, found: Found) -> None:
    """A gap, once under each name; the paths are told of all."""
    name = f"part:{label}:{kind}"
    known = refused.get(name)
    where = label_of(found.path)
    details = (*(known.details if known else ()), f"came as {where}")
    refused[name] = merge_gap(name, known.message if known else message, details=details)


def _moved(run: RunDirectory, part: Part) -> Part:
    """The part in the run's own directory, under its name."""
    place = run.parts / part.run_id
    place.parent.mkdir(mode=0o700, exist_ok=True)
    part.directory.path.rename(place)
    return part._replace(directory=RunDirectory(place))


def _put_in_place(run: RunDirectory, settled: Settled, scope: Iterable[str]) -> None:
    """The listings that are judged, and the joined scans."""
    for host in scope:
        part = settled.listed_by.get(host)
        for kind in _JUDGED if part is not None else ():
            name = f"evidence/{kind}/{file_stem(host)}.json"
            if part is not None and name in part.sealed:
                (part.directory.path / name).rename(run.path / name)
    for scan in settled.scans.values():
        run.write(SCANS, scan)
    for folder, _folders, _files in os.walk(run.parts, topdown=False):
        if not os.listdir(folder):
            os.rmdir(folder)


def _evidence(expected: Expected, parts: list[Part], settled: Settled, refused: list[MergeGap]) -> MergeEvidence:
    scope = expected.asked["hosts"]
    judged: dict[str, int] = {}
    for host in scope:
        if host in settled.listed_by:
            run_id = settled.listed_by[host].run_id
            judged[run_id] = judged.get(run_id, 0) + 1
    return MergeEvidence(
        shape=MERGE_SHAPE,
        campaign=expected.campaign,
        inventory=expected.inventory.digest(),
        merged=f"{expected.now.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        max_age=expected.max_age,
        parents=tuple(_parent(part, judged.get(part.run_id, 0)) for part in parts),
        gaps=tuple(sorted([*refused, *settled.gaps], key=lambda gap: gap.gap)),
        without_part=tuple(host for host in scope if host not in settled.listed_by),
        scanners=dict(_scanners(parts)),
    )


def _parent(part: Part, judged: int) -> Parent:
    signing = part.asked["signing"]
    return Parent(
        run_id=part.run_id,
        manifest_sha256=part.manifest_sha256,
        started=part.asked["started"],
        ended=part.ended,
        inside=part.about["inside"],
        vantages=tuple(part.about["vantages"]),
        hosts=len(part.asked["hosts"]),
        judged=judged,
        controller=visible(part.asked["controller"]["host"]),
        fingerprint=signing["fingerprint"] if signing else None,
    )


def _scanners(parts: list[Part]) -> Iterator[tuple[str, PartScanner]]:
    """How each scanner was reached by the newest part that sent it out."""
    for part in sorted(parts, key=lambda part: part.order):
        rows: list[Mapping[str, object]] = [
            one for one in part.asked["vantages"] if one["name"] in part.about["vantages"]
        ]
        for scanner in sorted({str(name) for row in rows for name in row["scanners"]}):  # type: ignore[attr-defined]
            about = part.asked["scanners"].get(scanner)
            if about is not None:
                row = {"is_control": True, **about}
                yield scanner, converted(PartScanner, row, "scanner")
