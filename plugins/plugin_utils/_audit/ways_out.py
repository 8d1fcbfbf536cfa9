# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be done about a finding that failed. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Sequence

from .._evidence.observed import Listener
from .._inventory.declared import Declaration
from .._inventory.port_range import is_ephemeral
from .finding import Finding
from .host_view import HostView, would_answer
from .rule import Rule
from .rules.registry import CATALOGUE
from .ways import Subject


def with_ways_out(view: HostView, finding: Finding) -> Finding:
    """The finding with its ways out when it failed; any other as it is."""
    if finding.status != "fail":
        return finding
    rule = CATALOGUE[finding.rule]
    declaration = _declaration(view, finding, rule)
    listeners = _listeners(view, finding, declaration)
    subject = Subject(view, rule, finding, declaration, listeners)
    ways = {
        "declare": rule.declare(subject),
        "except": rule.except_for_a_time(subject),
        "close": rule.close(subject),
    }
    return finding._replace(ways_out=ways)


def _declaration(view: HostView, finding: Finding, rule: Rule) -> Declaration | None:
    if finding.place is None or rule.case not in ("declaration", "review", "service"):
        return None
    every = (*view.inventory.declarations, *view.inventory.proposals)
    near = (one for one in every if one.place == finding.place and one.port.subject == finding.declared_port)
    return next(near, None)


def _listeners(view: HostView, finding: Finding, declaration: Declaration | None) -> Sequence[Listener]:
    """What listens where the finding says."""
    if finding.vantage is None and declaration is not None:
        covered = view.listeners_of(declaration)
        return [one for one in covered if finding.port in (one.port, declaration.port.subject)]
    namespace = finding.namespace or "host"
    if is_ephemeral(finding.port):
        return view.ephemeral.get((namespace, str(finding.protocol), str(finding.port)), ())
    if not isinstance(finding.port, int) or finding.protocol is None:
        return ()
    near = [one for one in view.listeners_on(finding.protocol, finding.port) if one.namespace == namespace]
    if finding.vantage is None:
        return [one for one in near if finding.address in (None, one.where)]
    return [one for one in near if would_answer(one, finding.address or "", view.own_addresses) is not False]
