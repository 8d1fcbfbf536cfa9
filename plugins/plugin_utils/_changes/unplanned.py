# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed on a host and no part of the plan covers. Pure. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._history.changes import Change, fold
from .._history.look import Place
from .plan import Planned
from .side import NOTHING_ELSE, Outcome, Side

#: Changes of an endpoint that a change does or does not plan; of the others a note is made.
_DEEDS = frozenset(("opened", "reopened", "closed", "owner-changed"))
_NOTED = frozenset(("version-changed", "declared", "undeclared"))


def unplanned(plan: Sequence[Planned], before: Side, after: Side) -> Iterator[Outcome]:
    """What else changed, and what else may have: nothing is called new that was not looked for before."""
    belief, _all_new = fold(None, before.look, "")
    _belief, changes = fold(belief, after.look, "")
    deeds = [change for change in changes if change.kind in _DEEDS]
    lasting = [change for change in deeds if not _is_ephemeral(change, after)]
    yield from _rest([one for one in lasting if not any(_covers(item, one) for item in plan)], before)
    for change in changes:
        if change.kind in _NOTED:
            yield Outcome("note", NOTHING_ELSE, _said(change))
    if len(lasting) < len(deeds):
        told = "ports that the kernel picked (ephemeral) came or went, and are left out"
        yield Outcome("note", NOTHING_ELSE, f"{len(deeds) - len(lasting)} {told}")


def _rest(changes: Sequence[Change], before: Side) -> Iterator[Outcome]:
    """Changes that nobody planned."""
    new = [one for one in changes if one.kind == "opened" and not before.look.knows(_place(one))]
    inside = [one for one in changes if one not in new and one.vantage is None and one.kind == "opened"]
    began = {(one.protocol, one.port) for one in inside}
    unlisted = 0
    for change in changes:
        if change not in new or (change.vantage is not None and (change.protocol, change.port) in began):
            yield Outcome("not-planned", NOTHING_ELSE, _said(change))
        elif change.vantage is not None:
            told = "it was not asked before the change, so what opened it is not known"
            yield Outcome("not-known", NOTHING_ELSE, f"{_said(change)}; {told}")
        else:
            unlisted += 1
    if unlisted:
        told = f"{unlisted} listeners are there now; whether they were before the change is not known"
        yield Outcome("not-known", NOTHING_ELSE, told)


def _is_ephemeral(change: Change, after: Side) -> bool:
    return bool((change.entry or after.look.endpoints[_place(change)])["ephemeral"])


def _covers(item: Planned, change: Change) -> bool:
    """Whether a change of an endpoint is part of what is planned for its port."""
    place = _place(change)
    if not item.holds(place):
        return False
    if item.action == "close":
        return change.kind == "closed"
    reaches = place.vantage is None or item.is_reachable_from(place.vantage)
    if change.kind != "closed":
        return reaches
    # A service that listens on other addresses now has left the old ones; one that is gone is told as not done.
    return place.vantage is None or not item.required or not reaches


def _place(change: Change) -> Place:
    return Place(*(getattr(change, field) for field in Place._fields))


def _said(change: Change) -> str:
    """``tcp/31337 opened at 0.0.0.0: nc as root; not declared``."""
    inside = f" in {change.namespace}" if change.namespace not in (None, "host") else ""
    seen = f" from {change.vantage}" if change.vantage else ""
    texts = " -> ".join(filter(None, (change.before, change.after)))
    about = f": {texts}" if texts else ""
    return f"{change.protocol}/{change.port} {change.kind}{seen} at {change.address}{inside}{about}"
