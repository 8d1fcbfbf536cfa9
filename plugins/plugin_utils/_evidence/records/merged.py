# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a merge of parts left: ``evidence/merge.json``. This module is private to the collection."""

from __future__ import annotations

from typing import Annotated, Literal

from ..codec import Meta, Record
from .values import Count, Time

MERGE_SHAPE: Literal["vigil.ports/evidence/merge/1"] = "vigil.ports/evidence/merge/1"

#: A SHA-256 in hexadecimal.
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Parent(Record, frozen=True, kw_only=True):
    """A part whose evidence is in the run. Its own manifest and the rest of its files are in ``evidence/parts/ID``."""

    run_id: str
    """The part."""
    manifest_sha256: Digest
    """The digest of its manifest."""
    started: Time
    """When it was opened, UTC, by the clock of its control node."""
    ended: Time
    """When it was sealed, UTC, by the same clock."""
    inside: bool
    """Whether it listed its hosts from inside."""
    vantages: tuple[str, ...]
    """The vantage points that it scanned from."""
    hosts: Count
    """How many hosts it was opened for."""
    judged: Count
    """Of how many hosts the merge judges its listing."""
    controller: str
    """The control node that it ran on."""
    fingerprint: str | None
    """The key that it is signed with; null where it is not signed."""


class MergeGap(Record, frozen=True, kw_only=True):
    """What is missing or doubtful because of a part."""

    gap: str
    """The name by which it can be accepted."""
    host: str | None
    """The host that it is about; null where it is about a part."""
    message: str
    """What happened, and what to do."""
    details: tuple[str, ...]
    """Names of what it is about, where these are many."""


class PartScanner(Record, frozen=True, kw_only=True):
    """How a part reached one of its scanners."""

    addresses: tuple[str, ...]
    """The addresses by which it was reached."""
    is_control: bool
    """Whether it was the control node of that part."""


class MergeEvidence(Record, frozen=True, kw_only=True):
    """``evidence/merge.json``: which parts a run was merged from, and what they leave open."""

    shape: Literal["vigil.ports/evidence/merge/1"]
    """Marks the file."""
    campaign: str
    """The campaign that the parts name."""
    inventory: Digest
    """The digest of the whole inventory, by which the expected scope was known."""
    merged: Time
    """When the parts were checked, UTC, by the clock of the control node that merged."""
    max_age: Count
    """How many seconds ago a part may have been opened."""
    parents: tuple[Parent, ...]
    """The parts that are in it, by their run ids."""
    gaps: tuple[MergeGap, ...]
    """What is missing or doubtful because of a part."""
    without_part: tuple[str, ...]
    """Hosts in scope that no part which could be used has listed."""
    scanners: dict[str, PartScanner]
    """How the parts reached their scanners."""
