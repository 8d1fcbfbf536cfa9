# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision: does this run pass? This module is private to the collection."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from .catalogue import severity_rank
from .finding import Finding

#: With ``never`` the exit status is 0, but reports still show every finding from here on as a breach.
_NEVER_REPORTS_FROM = "low"


@dataclasses.dataclass(frozen=True, slots=True)
class Gate:
    """``fail_on``: the least severity that breaks the gate, or ``never``. ``accepted``: gaps by name."""

    fail_on: str
    accepted: frozenset[str]

    @classmethod
    def of(cls, fail_on: str, accepted: Collection[str]) -> Gate:
        return cls(fail_on, frozenset(accepted))

    def judge(self, finding: Finding) -> Finding:
        """The finding with its gap accepted or not, and whether it breaks the gate."""
        if finding.status == "not_assessed":
            accepted = finding.gap in self.accepted
            return dataclasses.replace(finding, accepted=accepted, breaks_gate=not accepted)
        least = _NEVER_REPORTS_FROM if self.fail_on == "never" else self.fail_on
        breaks = finding.status == "fail" and severity_rank(finding.severity) >= severity_rank(least)
        return dataclasses.replace(finding, breaks_gate=breaks)
