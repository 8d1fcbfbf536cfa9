# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Approvals that are too wide to mean anything: whatever opens next is covered before anybody asked for it.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

from ..._inventory.declared import Declaration, PortException
from ..._inventory.port_range import PortRange
from ..finding import Finding, about_declaration, about_exception
from ..host_view import HostView
from ..rule import Rule
from ..ways import no_entry, not_closed, not_declared
from . import controls

Entry = TypeVar("Entry", Declaration, PortException)


def judge(view: HostView) -> Iterator[Finding]:
    """What is declared reachable from anywhere, and what is excepted, is of few ports, and for a time.

    The ports of all entries count together: a range that is cut into pieces is as wide as before. Runs of 0.2 had no
    limits, and are not judged by any.
    """
    if view.too_broad is None:
        return
    ports, days = view.too_broad
    active = [one for one in view.inventory.exceptions if one.is_active(view.today)]
    open_to_all = [one for one in view.inventory.declarations if _is_reachable_anywhere(view, one)]
    found = [
        *(
            about_declaration(RULE, "fail", view.host, widest, f"declared reachable from any vantage point: {told}")
            for widest, told in _too_many(view, open_to_all, ports)
        ),
        *(
            about_exception(RULE, "fail", view.host, widest, f"excepted: {told}")
            for widest, told in _too_many(view, active, ports)
        ),
        *_too_long(view, active, days),
    ]
    yield from found
    if not found:
        message = f"no more than {ports} ports of a protocol are approved for all, none for more than {days} days"
        yield _pass(view, message)


def _is_reachable_anywhere(view: HostView, declaration: Declaration) -> bool:
    """From every vantage point, said by ``any`` or by naming each; what stays on the loopback device is from none."""
    if declaration.address.text == "loopback":
        return False
    reach = declaration.reachable_from
    return reach is None or bool(view.vantages and view.vantages <= reach)


def _too_many(view: HostView, entries: Sequence[Entry], limit: int) -> Iterator[tuple[Entry, str]]:
    """The widest entry of each protocol whose entries cover too many ports together, and what is to be said of them."""
    for protocol in sorted({one.protocol for one in entries}):
        mine = [one for one in entries if one.protocol == protocol]
        covered = PortSet.of_ranges(span for one in mine for span in _spans(view, one))
        if len(covered) > limit:
            places = {one.place.split("]", 1)[0] for one in mine}
            where = f" in {len(places)} entries" if len(places) > 1 else ""
            told = f"{len(covered)} ports of {protocol}{where}; the limit is {limit} (audit_too_broad_ports)"
            yield max(mine, key=lambda one: len(PortSet.of_ranges(_spans(view, one)))), told


def _spans(view: HostView, entry: Declaration | PortException) -> list[tuple[int, int]]:
    """The ports that an entry is for; of a dynamic one those that its listeners have."""
    if isinstance(entry.port, PortRange):
        return [(entry.port.first, entry.port.last)]
    return [(one.port, one.port) for one in view.listeners_of(entry)] if isinstance(entry, Declaration) else []


def _too_long(view: HostView, active: Sequence[PortException], limit: int) -> Iterator[Finding]:
    for one in active:
        days = (one.expires - view.today).days
        if days > limit:
            subject = f"the exception for {one.protocol}/{one.port} holds to {one.expires}, for {days} days"
            message = f"{subject}; the limit is {limit} (audit_too_broad_days)"
            yield about_exception(RULE, "fail", view.host, one, message)


def _pass(view: HostView, message: str) -> Finding:
    return Finding(
        rule=RULE.id,
        status="pass",
        severity=RULE.severity,
        host=view.host,
        namespace=None,
        protocol=None,
        port=None,
        address=None,
        vantage=None,
        message=message,
    )


RULE = Rule(
    id="too-broad",
    title="an approval covers more ports, or holds longer, than anybody can have meant",
    severity="medium",
    case="breadth",
    case_name="no approval is too broad",
    when=(
        "The ports of a protocol that a host declares reachable from any vantage point, or those of its exceptions, are"
        " more than `audit_too_broad_ports` (all entries together); or an exception holds for more than"
        " `audit_too_broad_days`. No exception excuses it."
    ),
    remedy="Narrow the range, the `reachable_from` or the time to what is needed, or set the limit for the site.",
    controls=controls.REVIEW,
    needs=frozenset(("declared",)),
    excused="never",
    declare=not_declared,
    except_for_a_time=no_entry("narrow {place}: no exception excuses what is too wide"),
    close=not_closed("it is the approval that is to be narrowed"),
    judge=judge,
)
