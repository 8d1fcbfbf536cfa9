# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table that says by when a vulnerability is to be fixed, and how grave it is. This module is private to the
collection.

The default is that of CISA's Binding Operational Directive 26-04: 16 rows, one for each combination of four inputs. An
operator may bring another one as data (``audit_risk_table``), in the same form.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Literal, NamedTuple

Severity = Literal["critical", "high", "medium", "low", "info"]
Impact = Literal["partial", "total"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")


class Case(NamedTuple):
    """A combination of inputs."""

    kev: bool
    """It is in the catalogue of known exploited vulnerabilities."""
    exposed: bool
    """Everybody on a public network can reach it."""
    automatable: bool
    """An attack can be automated."""
    impact: Impact
    """What an attacker gets."""

    def __str__(self) -> str:
        words = (f"{name}={'yes' if getattr(self, name) else 'no'}" for name in ("kev", "exposed", "automatable"))
        return f"{' '.join(words)} impact={self.impact}"


class Outcome(NamedTuple):
    """What is to be done about it."""

    days: int | None
    """Within how many days from the first sight it is to be fixed; None for the next upgrade."""
    severity: Severity
    investigate: bool = False
    """Whether the host must be searched for traces of an attack."""

    @property
    def band(self) -> str:
        """As 3 days, or next upgrade."""
        when = "next upgrade" if self.days is None else "1 day" if self.days == 1 else f"{self.days} days"
        return f"{when} and forensic investigation" if self.investigate else when


class Table(NamedTuple):
    """All rows, and what raises a row."""

    name: str
    outcomes: Mapping[Case, Outcome]
    """One for each of the 16 cases."""
    epss_above: float | None
    """EPSS scores above it raise a case by one band; None for never."""

    def raised(self, outcome: Outcome) -> Outcome:
        """The next stricter outcome that the table has; the same where there is none."""
        stricter = {
            Outcome(other.days, other.severity) for other in self.outcomes.values() if _order(other) < _order(outcome)
        }
        return max(stricter, key=_order)._replace(investigate=outcome.investigate) if stricter else outcome


def _order(outcome: Outcome) -> tuple[float, int]:
    """The strictest first."""
    return float("inf") if outcome.days is None else outcome.days, SEVERITIES.index(outcome.severity)


_NEXT = Outcome(None, "low")
_60 = Outcome(60, "medium")
_14 = Outcome(14, "high")
_3 = Outcome(3, "critical")
_3_AND_SEARCH = Outcome(3, "critical", investigate=True)

#: CISA Binding Operational Directive 26-04, remediation timelines 1.0.0. Its bands have no severities: those are ours.
BOD_26_04 = Table(
    "BOD 26-04",
    {
        Case(kev=False, exposed=False, automatable=False, impact="partial"): _NEXT,
        Case(kev=True, exposed=False, automatable=False, impact="partial"): _14,
        Case(kev=False, exposed=True, automatable=False, impact="partial"): _60,
        Case(kev=False, exposed=False, automatable=True, impact="partial"): _60,
        Case(kev=False, exposed=False, automatable=False, impact="total"): _NEXT,
        Case(kev=True, exposed=True, automatable=False, impact="partial"): _14,
        Case(kev=True, exposed=False, automatable=True, impact="partial"): _14,
        Case(kev=False, exposed=True, automatable=True, impact="partial"): _14,
        Case(kev=True, exposed=False, automatable=False, impact="total"): _14,
        Case(kev=False, exposed=True, automatable=False, impact="total"): _14,
        Case(kev=False, exposed=False, automatable=True, impact="total"): _60,
        Case(kev=True, exposed=True, automatable=True, impact="partial"): _3,
        Case(kev=True, exposed=True, automatable=False, impact="total"): _3_AND_SEARCH,
        Case(kev=True, exposed=False, automatable=True, impact="total"): _3_AND_SEARCH,
        Case(kev=False, exposed=True, automatable=True, impact="total"): _3,
        Case(kev=True, exposed=True, automatable=True, impact="total"): _3_AND_SEARCH,
    },
    epss_above=0.1,
)

ALL_CASES = tuple(
    Case(kev, exposed, automatable, impact)
    for kev, exposed, automatable in itertools.product((False, True), repeat=3)
    for impact in ("partial", "total")
)
