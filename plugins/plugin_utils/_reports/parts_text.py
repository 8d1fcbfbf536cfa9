# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts that a run was merged from, in ``report.md``. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .ink import Ink

_HEADER = ("part", "opened", "control node", "hosts", "judged here", "vantage points", "key", "SHA-256 of its manifest")


def parts_section(ink: Ink, merged: Mapping[str, Any] | None) -> Iterator[str]:
    """What was merged; nothing for a run of which all was looked at in one."""
    if merged is None:
        return
    parents = merged["parents"]
    number = f"{len(parents)} part{'' if len(parents) == 1 else 's'}"
    yield from ink.heading(3, "Parts")
    yield from ink.paragraph(
        f"Merged from {number} of campaign {ink.code(merged['campaign'])} at {ink.code(merged['merged'])}.",
        "The scope is that of the inventory of the merge; no part says what is expected.",
    )
    if parents:
        yield from ink.table("Parts", _HEADER, (_row(ink, parent) for parent in parents))


def _row(ink: Ink, parent: Mapping[str, Any]) -> tuple[str, ...]:
    code = ink.code
    return (
        code(parent["run_id"]),
        code(parent["started"]),
        code(parent["controller"]),
        str(parent["hosts"]) if parent["inside"] else "",
        str(parent["judged"]) if parent["inside"] else "",
        ink.names(parent["vantages"]) if parent["vantages"] else "",
        code(parent["fingerprint"]) if parent["fingerprint"] else "not signed",
        code(parent["manifest_sha256"]),
    )
