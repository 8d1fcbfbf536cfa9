# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must have been looked at to judge a rule, as data. History and the rules over exceptions read the same table.

A run that looked at less says nothing: it resolves no finding, calls no exception unused and makes no finding milder.
This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._inventory.port_range import Ports, span_of
from .host_view import HostView
from .what_was_seen import known_from

Needs = frozenset[str]

#: All of the host, as the run was asked to look at it, was assessed.
EVERYTHING: Needs = frozenset(("everything",))

#: What must have been looked at before a finding that is no longer there is resolved, by its rule: ``inside`` is the
#: host's own listing of the protocol and namespace, ``outside`` the ports from the finding's vantage point (from every
#: one where it names none), ``service`` what answers there, ``declared`` the declarations, ``again`` what could not be
#: told, ``ended`` the exception itself, which has expired. Of a rule that is not named here: everything.
_RESOLVED: Mapping[str, Needs] = {
    "undeclared-listener": frozenset(("inside",)),
    "missing-listener": frozenset(("inside",)),
    "wrong-owner": frozenset(("inside",)),
    "undeclared-raw-socket": frozenset(("inside",)),
    "undeclared-exposure": frozenset(("outside",)),
    "forbidden-exposure": frozenset(("outside",)),
    "blocked-service": frozenset(("inside", "outside")),
    "open-without-listener": frozenset(("inside", "outside")),
    "firewall-hole": frozenset(("inside", "outside")),
    "wrong-service": frozenset(("outside", "service")),
    "exception-expired": frozenset(("declared",)),
    "exception-expiring": frozenset(("inside", "outside")),
    "exception-unused": frozenset(("inside", "outside")),
    "review-overdue": frozenset(("declared",)),
    "unapproved": frozenset(("declared",)),
    "too-broad": frozenset(("declared",)),
    "not-assessed": frozenset(("declared", "again")),
}

#: The same before a finding that is still there is milder than it was, where that takes more.
_MILDER: Mapping[str, Needs] = {"unapproved": frozenset(("inside", "outside"))}


def needed_to_resolve(rule: str) -> Needs:
    return _RESOLVED.get(rule, EVERYTHING)


def needed_to_be_milder(rule: str) -> Needs:
    return _MILDER.get(rule, needed_to_resolve(rule))


def looked_inside(view: HostView, protocol: str) -> bool:
    """Whether the host listed its listeners of the protocol."""
    return view.listeners is not None and protocol not in view.unlisted


def looked_outside(view: HostView, protocol: str, port: Ports, vantage: str | None) -> bool:
    """Whether the state of each of the ports is known from the vantage point, or from each one, on every address."""
    targets = [one for one in view.targets if vantage in (None, one.vantage)]
    if view.depth == "none" or (vantage is not None and not targets):
        return False
    return all(known_from(one, protocol, *span_of(port.subject)) for one in targets)


def looked_for(
    view: HostView, rules: Iterable[str], protocol: str, port: Ports, namespace: str, vantage: str | None
) -> bool:
    """Whether the run looked at all that it takes to say that none of the rules fails for the ports."""
    needs: set[str] = set().union(*map(needed_to_resolve, rules))
    if not looked_inside(view, protocol) and needs & {"inside", "everything"}:
        return False
    # What is in another namespace is not what a scan of the host's addresses reaches.
    is_outside = namespace == "host" and bool(needs & {"outside", "everything"})
    return not is_outside or looked_outside(view, protocol, port, vantage)
