# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was planned, held against the look after the change. Pure. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from .._audit.rules import blocked_service, wrong_owner
from .._history.changes import owner_text
from .._history.look import Place
from .plan import Planned
from .side import Outcome, Side


def check_planned(item: Planned, before: Side | None, after: Side | None, vantages: Sequence[str]) -> Outcome:
    """What came of one planned opening or closing.

    ``vantages`` are the places from which the run after the change looked; none when it looked from inside only.
    """
    return _CHECKS[item.action](item, before, after, vantages)


def _opening(item: Planned, before: Side | None, after: Side | None, vantages: Sequence[str]) -> Outcome:
    case = f"{item.name} is open as planned"
    places = [] if after is None else [place for place in after.look.endpoints if item.holds(place)]
    here = [place for place in places if place.vantage is None]
    if after is None or not here:
        return Outcome(*_absence(item, after, case))
    owners = {f"{place.address} ({owner_text(after.look.endpoints[place])})" for place in here}
    text = f"{item.name} listens on {', '.join(sorted(owners))}"
    for place in here:
        wrong = after.finding(wrong_owner.RULE.id, "fail", place)
        if wrong is not None:
            return Outcome("not-done", case, f"{text}, but {wrong['message']}")
    told = []
    for kind, words in _reach(item, after, here, vantages):
        if kind is not None:
            return Outcome(kind, case, f"{text}, but {words}")
        told.append(words)
    text = ", ".join((text, *dict.fromkeys(told)))
    wanted = [place for place in places if place.vantage is None or item.is_reachable_from(place.vantage)]
    if before is not None and all(place in before.look.endpoints for place in wanted):
        text += "; it was so before the change"
    return Outcome("as-planned", case, text)


def _absence(item: Planned, after: Side | None, case: str) -> tuple[str, str, str]:
    """Of a planned port on which nothing was seen to listen."""
    if after is None or not after.look.knows(Place(None, item.namespace, item.protocol, "", item.port.first)):
        return "not-known", case, f"{item.name}: whether it listens is not known"
    if not item.required:
        return "as-planned", case, f"{item.name} may be open, and is not"
    return "not-done", case, f"{item.name} does not listen"


def _reach(
    item: Planned, after: Side, here: Sequence[Place], vantages: Sequence[str]
) -> Iterator[tuple[str | None, str]]:
    """For each port that listens and each vantage point that is to reach it: None and words, or what is wrong."""
    if item.namespace != "host" or not item.required:
        return
    for vantage in filter(item.is_reachable_from, vantages):
        for port in sorted({place.port for place in here}):
            if any((one.vantage, one.port) == (vantage, port) and item.holds(one) for one in after.look.endpoints):
                yield None, f"open from {vantage}"
                continue
            asked = Place(vantage, "host", item.protocol, "", port)
            failed = after.finding(blocked_service.RULE.id, "fail", asked)
            untold = after.finding(blocked_service.RULE.id, "not_assessed", asked)
            if failed is not None:
                yield "not-done", f"it is not open from {vantage}: {failed['message']}"
            elif untold is not None and untold["accepted"]:
                yield None, f"not known to be open from {vantage}, which was accepted by name"
            else:
                yield "not-known", f"whether it is open from {vantage} is not known"


def _closing(item: Planned, before: Side | None, after: Side | None, _vantages: Sequence[str]) -> Outcome:
    case = f"{item.name} is closed as planned"
    still = [] if after is None else [place for place in after.look.endpoints if item.holds(place)]
    if still:
        told = sorted({f"open from {place.vantage}" if place.vantage else f"on {place.address}" for place in still})
        return Outcome("not-done", case, f"{item.name} is still there: {', '.join(told)}")
    inside = Place(None, item.namespace, item.protocol, "", item.port.first)
    was = [] if before is None else [place for place in before.look.endpoints if item.holds(place)]
    if after is None or not all(after.look.knows(place) for place in (inside, *was)):
        return Outcome("not-known", case, f"{item.name}: whether it is closed is not known")
    return Outcome("as-planned", case, f"{item.name} is closed{'' if was else '; it was so before the change'}")


_CHECKS: Mapping[str, Callable[[Planned, Side | None, Side | None, Sequence[str]], Outcome]] = {
    "open": _opening,
    "close": _closing,
}
