# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a part may be used: as it was sealed, by whom, of which campaign, inventory, version, age and settings.

This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .._evidence.atomic import json_bytes, sha256_of
from .._evidence.kept import EvidenceError
from .._evidence.manifest import manifest_of
from .._evidence.run_directory import RunDirectory, read_manifest
from .._evidence.sealing import RUN_ID
from .._verification.files import file_problems
from .._verification.signed import signature_said
from .._verification.verdict import Problem
from .part import InventoryNames
from .seal_part import head_of_part
from .unpacking import RefusedError

#: By how many seconds clocks may differ.
CLOCKS_DIFFER = 300

_MOST_SHOWN = 3


class Expected(NamedTuple):
    """What parts have to be: ``asked`` is what the merging run was asked, ``now`` its clock, ``max_age`` seconds."""

    campaign: str
    inventory: InventoryNames
    asked: Mapping[str, Any]
    now: dt.datetime
    max_age: int
    allowed_signers: Path | None = None
    signer: str | None = None


class Part(NamedTuple):
    """A part that may be used. ``directory`` is our own copy of it."""

    run_id: str
    directory: RunDirectory
    asked: Mapping[str, Any]
    ended: str
    manifest_sha256: str
    sealed: Mapping[str, str]

    @property
    def about(self) -> Mapping[str, Any]:
        """What it says of itself as a part."""
        return self.asked["part"]  # type: ignore[no-any-return]

    @property
    def order(self) -> tuple[str, str]:
        """The newer part has the higher one."""
        return self.asked["started"], self.run_id


def sealed_name(copy: RunDirectory) -> str:
    """The name of the run that a copy says it is of. Raises RefusedError."""
    try:
        name = read_manifest(copy.manifest).get("run_id")
    except EvidenceError as error:
        raise RefusedError("changed", copy.place_in(error)) from error
    if not isinstance(name, str) or not RUN_ID.fullmatch(name):
        raise RefusedError("changed", "manifest.json names no run")
    return name


def checked(copy: RunDirectory, expected: Expected) -> Part:
    """The part in a directory that nobody else writes in. Raises RefusedError with the first reason not to use it."""
    manifest = read_manifest(copy.manifest)
    _expect_as_sealed(copy, manifest["files"])
    try:
        asked, seal = copy.read_run(), copy.read_seal()
    except EvidenceError as error:
        raise RefusedError("changed", copy.place_in(error)) from error
    if asked["run_id"] != manifest["run_id"]:
        raise RefusedError(
            "changed", f"manifest.json names the run {manifest['run_id']}, and evidence/run.json another"
        )
    if "part" not in asked:
        raise RefusedError(
            "no-part", "it is a run of its own and no part of a campaign: it was made without audit_part"
        )
    if seal["previous"] is not None or manifest.get("previous") is not None:
        raise RefusedError("changed", "it names a run before it, and a part stands in no chain")
    _expect_signature(copy, asked, expected)
    _expect_same_question(asked, expected)
    _expect_time(asked, seal["ended"], expected)
    _expect_its_manifest(copy, asked, manifest["files"])
    return Part(asked["run_id"], copy, asked, seal["ended"], sha256_of(copy.manifest), {**manifest["files"]})


def _expect_its_manifest(copy: RunDirectory, asked: Mapping[str, Any], sealed: Mapping[str, str]) -> None:
    """What is no digest in a manifest repeats the evidence. Asked last: another version may write another one."""
    try:
        same = json_bytes(manifest_of(copy, head_of_part(copy, asked), sealed)) == copy.manifest.read_bytes()
    except EvidenceError as error:
        raise RefusedError("changed", copy.place_in(error)) from error
    if not same:
        raise RefusedError("changed", "manifest.json is not what the evidence of the part gives: it was edited")


def _expect_as_sealed(copy: RunDirectory, sealed: Mapping[str, str]) -> None:
    problems = [f"{one.file}: {one.message}" for one in itertools.islice(file_problems(copy.path, sealed), _MOST_SHOWN)]
    if problems:
        raise RefusedError("changed", f"it is not as it was sealed: {'; '.join(problems)}")


def _expect_signature(copy: RunDirectory, asked: Mapping[str, Any], expected: Expected) -> None:
    said = signature_said(copy, asked["signing"], expected.allowed_signers, expected.signer)
    problems = [one.message for one in said if isinstance(one, Problem)]
    if problems:
        raise RefusedError("signature", "; ".join(problems))


def _expect_same_question(asked: Mapping[str, Any], expected: Expected) -> None:
    part, whole = asked["part"], expected.asked
    if part["campaign"] != expected.campaign:
        raise RefusedError(
            "another-campaign", f"it is of campaign {part['campaign']}, and {expected.campaign} is merged"
        )
    made, here = asked["versions"].get("vigil.ports"), whole["versions"].get("vigil.ports")
    if made != here:
        raise RefusedError(
            "another-version", f"it was made by vigil.ports {made}, and is merged by {here}: make it again"
        )
    if part["inventory"] != expected.inventory.digest([*asked["hosts"], *asked["left_out"]]):
        more = sorted({*asked["hosts"], *asked["left_out"]} - expected.inventory.hosts)
        why = f": it has {', '.join(more[:5])} besides" if more else " in hosts or groups"
        raise RefusedError("another-inventory", f"it was cut from another inventory than the one of this merge{why}")
    commits = [one["inventory"]["commit"] for one in (asked, whole)]
    if None not in commits and commits[0] != commits[1]:
        raise RefusedError(
            "another-inventory", f"it was cut from commit {commits[0]}, and the merge reads {commits[1]}"
        )
    _expect_same_settings(asked, whole)


def _expect_same_settings(asked: Mapping[str, Any], whole: Mapping[str, Any]) -> None:
    part = asked["part"]
    needed = [*(["verify_bind"] if part["inside"] else []), *(["scan_depth"] if part["vantages"] else [])]
    for name in needed:
        if asked["settings"][name] != whole["settings"][name]:
            theirs, ours = asked["settings"][name], whole["settings"][name]
            raise RefusedError("other-settings", f"it was made with audit_{name} {theirs}, and the merge has {ours}")
    theirs, ours = ({one["name"]: one["scanners"] for one in run["vantages"]} for run in (asked, whole))
    for name in part["vantages"]:
        if theirs.get(name) != ours.get(name):
            raise RefusedError(
                "other-settings", f"vigil_vantages of the merge has another vantage point {name}, or none"
            )


def _expect_time(asked: Mapping[str, Any], ended: str, expected: Expected) -> None:
    started = dt.datetime.fromisoformat(asked["started"])
    ahead = max(started, dt.datetime.fromisoformat(ended)) - expected.now
    if ahead.total_seconds() > CLOCKS_DIFFER:
        seconds = round(ahead.total_seconds())
        raise RefusedError(
            "in-the-future",
            f"by its clock it was sealed {seconds} s after now: set the clock of its control node "
            f"({asked['controller']['host']}) or of this one, and make it again",
        )
    age = round((expected.now - started).total_seconds())
    if age > expected.max_age:
        raise RefusedError(
            "too-old", f"it was opened {age} s ago, and may be {expected.max_age} s old (audit_merge_max_age)"
        )
