# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan held against the looks before and after a change. Pure. This module is private to the collection.

What a look does not know is never called unchanged: it is ``not known``, and not green.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .as_planned import check_planned
from .plan import Planned
from .side import AFTER, BEFORE, KINDS, Outcome, Side
from .unplanned import unplanned


def outcomes(
    plan: Sequence[Planned] | None, before: Side | None, after: Side | None, vantages: Sequence[str]
) -> list[Outcome]:
    """What came of the change on one host, the gravest first.

    ``plan`` is None where what is declared was not valid. A side is None where the host was not looked at.
    ``vantages`` are the places from which the run after the change looked; none when it looked from inside only.
    """
    found = [*_gaps(before, BEFORE), *_gaps(after, AFTER)]
    if plan is None:
        told = "what is declared was not valid when the window was opened"
        found.append(Outcome("not-known", "the plan is known", told))
    found.extend(check_planned(item, before, after, vantages) for item in plan or ())
    if before is not None and after is not None:
        found.extend(unplanned(plan or (), before, after))
    return sorted(found, key=lambda one: KINDS.index(one.kind))


def _gaps(side: Side | None, case: str) -> Iterator[Outcome]:
    when = case.removeprefix("assessed ")
    if side is None:
        yield Outcome("not-known", case, f"{when} the host was not looked at: it was left out of the run")
        return
    for row in side.gaps:
        yield Outcome("not-known", case, f"{when}: {row['message']} (gap {row['gap']})")
