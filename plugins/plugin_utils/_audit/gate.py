# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision: does this run pass? This module is private to the collection."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

from .acceptance import accepts
from .finding import Finding
from .rule import SEVERITIES, severity_rank
from .rules.not_assessed import is_not_scanned
from .rules.registry import CATALOGUE

#: With ``never`` the exit status is 0, but reports still show every finding from here on as a breach.
_NEVER_REPORTS_FROM = "low"


@dataclasses.dataclass(frozen=True)
class Gate:
    """``fail_on``: the least severity that breaks the gate, or ``never``. ``accepted``: gaps by name.

    ``inside_only``: the operator asked for no scan, and so accepted that there is none.
    """

    fail_on: str
    accepted: frozenset[str]
    inside_only: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Gate:
        """The gate that a run was opened with."""
        return cls(settings["fail_on"], frozenset(settings["accept_gaps"]), settings["scan_depth"] == "none")

    def judge(self, finding: Finding) -> dict[str, Any]:
        """The finding as results hold it: whether its gap was accepted, and whether it breaks the gate."""
        row = finding.as_dict(CATALOGUE[finding.rule])
        if finding.status == "not_assessed":
            by_name = finding.gap is not None and accepts(self.accepted, finding.gap)
            row["accepted"] = by_name or (self.inside_only and is_not_scanned(finding))
            row["breaks_gate"] = not row["accepted"]
        else:
            row["accepted"] = False
            row["breaks_gate"] = finding.status == "fail" and finding.severity in self._breaking
        return row

    @functools.cached_property
    def _breaking(self) -> frozenset[str]:
        """The severities from the gate's on."""
        least = severity_rank(_NEVER_REPORTS_FROM if self.fail_on == "never" else self.fail_on)
        return frozenset(severity for severity in SEVERITIES if severity_rank(severity) >= least)
