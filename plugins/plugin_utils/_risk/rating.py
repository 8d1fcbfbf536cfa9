# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How grave a vulnerability is on one host, and why: each input of the table, its value and where it comes from. This
module is private to the collection.

What is not known is taken for the worst, and says so (assumed). Only whether it is in KEV is not assumed: without that
feed nothing would be below the strictest bands, and the missing feed is a gap of its own.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

from .advisory import Assessed, Exploited, Likely
from .cvss import UnreadableVector, Vector, vector_of
from .severity_table import BOD_26_04, Case, Impact, Outcome, Severity, Table


class Inputs(NamedTuple):
    """What is known of one vulnerability on one host."""

    exposed: bool | None
    """Whether it is open from a vantage point that is named public; None where nobody looked."""
    exposed_at: str
    """Those vantage points, or why it is not known: internet, not looked at."""
    kev_read: bool
    """Whether the advisories have KEV at all."""
    exploited: Exploited | None = None
    """Its entry in KEV."""
    assessed: Assessed | None = None
    """CISA's assessment."""
    likely: Likely | None = None
    """Its EPSS score."""
    cvss: str | None = None
    """The CVSS vector that the distribution's feed has."""
    open_access: bool = False
    """Whether the service was seen to need no login."""


class Input(NamedTuple):
    """One input, as it is printed."""

    name: str
    value: str
    source: str
    assumed: bool = False
    """It is not known, and taken for the worst."""

    def __str__(self) -> str:
        return f"{self.name}={self.value}({self.source})"


class Rating(NamedTuple):
    """How grave it is, by when it is to be fixed, and why."""

    severity: Severity
    days: int | None
    """Days from the first sight; None for the next upgrade."""
    investigate: bool
    """Whether the host must be searched for traces of an attack."""
    inputs: tuple[Input, ...]
    raised_by_epss: bool
    table: str
    """The name of the table."""
    line: str
    """All of it, as exposed=yes(internet) kev=yes(2023-10-10) ... -> 3 days -> critical."""

    def due(self, first_seen: datetime.date) -> datetime.date | None:
        """By when it is to be fixed; None for the next upgrade."""
        return None if self.days is None else first_seen + datetime.timedelta(days=self.days)


def rate(inputs: Inputs, table: Table = BOD_26_04) -> Rating:
    """How grave it is by the table."""
    vector, unreadable = _vector(inputs)
    exposed = Input(
        "exposed",
        _yes(inputs.exposed is not False),
        inputs.exposed_at if inputs.exposed is not None else f"assumed: {inputs.exposed_at}",
        inputs.exposed is None,
    )
    kev = _kev(inputs)
    automatable = _automatable(inputs, vector, unreadable)
    impact = _impact(inputs, vector, unreadable)
    total: Impact = "total" if impact.value == "total" else "partial"
    case = Case(inputs.exploited is not None, inputs.exposed is not False, automatable.value == "yes", total)
    outcome = table.outcomes[case]
    shown = [exposed, kev, automatable, impact]
    raised = outcome
    if inputs.likely is not None:
        shown.append(_epss(inputs.likely))
        if not case.kev and table.epss_above is not None and inputs.likely.score > table.epss_above:
            raised = table.raised(outcome)
    return Rating(
        severity=raised.severity,
        days=raised.days,
        investigate=raised.investigate,
        inputs=tuple(shown),
        raised_by_epss=raised != outcome,
        table=table.name,
        line=f"{' '.join(map(str, shown))} -> {_bands(outcome, raised, table)} -> {raised.severity}",
    )


def _vector(inputs: Inputs) -> tuple[Vector | None, str]:
    """The first vector that can be read, and why one cannot."""
    unreadable = "no vector"
    for text in (inputs.cvss, inputs.assessed.cvss if inputs.assessed else None):
        try:
            if text is not None:
                return vector_of(text), ""
        except UnreadableVector:
            unreadable = "unreadable vector"
    return None, unreadable


def _kev(inputs: Inputs) -> Input:
    if inputs.exploited is not None:
        return Input("kev", "yes", inputs.exploited.added)
    if inputs.kev_read:
        return Input("kev", "no", "not in the catalogue")
    return Input("kev", "unknown", "no feed, counts as no")


def _automatable(inputs: Inputs, vector: Vector | None, unreadable: str) -> Input:
    if inputs.open_access and vector and vector.automatable_with_access and not vector.automatable:
        return Input("automatable", "yes", f"cvss {vector.version}, PR:L is PR:N by open access")
    if inputs.assessed is not None and inputs.assessed.automatable is not None:
        return Input("automatable", _yes(inputs.assessed.automatable), "vulnrichment")
    if vector is not None:
        return Input("automatable", _yes(vector.automatable), f"cvss {vector.version}")
    return Input("automatable", "yes", f"assumed: {unreadable}", assumed=True)


def _impact(inputs: Inputs, vector: Vector | None, unreadable: str) -> Input:
    if inputs.assessed is not None and inputs.assessed.technical_impact is not None:
        return Input("impact", inputs.assessed.technical_impact, "vulnrichment")
    if vector is not None:
        return Input("impact", "total" if vector.total else "partial", f"cvss {vector.version}")
    return Input("impact", "total", f"assumed: {unreadable}", assumed=True)


def _epss(likely: Likely) -> Input:
    score = f"{likely.score:.5f}".rstrip("0").rstrip(".")
    return Input("epss", score, f"{likely.date}, {likely.model_version or 'model unknown'}")


def _bands(outcome: Outcome, raised: Outcome, table: Table) -> str:
    if raised == outcome:
        return outcome.band
    return f"{outcome.band} -> raised to {raised.band} by EPSS above {table.epss_above:g}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
