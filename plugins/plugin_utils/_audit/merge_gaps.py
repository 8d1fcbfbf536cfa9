# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a merge says of hosts and parts, as findings. Pure. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._evidence.codec import plain
from .._evidence.records.merged import MergeEvidence, MergeGap
from .finding import Finding
from .rules.not_assessed import gap

_NO_PART = "no part of the campaign that could be used has listed it: find the job that should have, and run it again"


class OfParts:
    """The gaps of a merge, by host. Of a run that was not merged there are none."""

    def __init__(self, merged: MergeEvidence | None) -> None:
        self._merged = merged
        self._without = frozenset(merged.without_part) if merged else frozenset()
        self._of_host: dict[str, list[MergeGap]] = {}
        self._of_run: list[MergeGap] = []
        for one in merged.gaps if merged else ():
            (self._of_run if one.host is None else self._of_host.setdefault(one.host, [])).append(one)

    def why_none(self, host: str) -> str | None:
        """Why there is no listing of a host, where that is because no part has one."""
        return _NO_PART if host in self._without else None

    def of_host(self, host: str) -> Iterator[Finding]:
        """What the parts leave open of a host."""
        return map(_finding, self._of_host.get(host, ()))

    def of_run(self) -> Iterator[Finding]:
        """What they leave open besides."""
        return map(_finding, self._of_run)

    def about(self) -> dict[str, Any]:
        """What the head of the results says of the merge."""
        if self._merged is None:
            return {}
        row = plain(self._merged)
        return {"merged": {key: row[key] for key in ("campaign", "inventory", "max_age", "merged", "parents")}}

    def scanners(self) -> Mapping[str, Any]:
        """How the parts reached their scanners."""
        return plain(self._merged)["scanners"] if self._merged else {}


def _finding(one: MergeGap) -> Finding:
    return gap(one.gap, one.message, host=one.host, details=one.details)
