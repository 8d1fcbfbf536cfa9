# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule over proposals: what a baseline wrote and nobody has approved. Private to the collection.

A proposal explains a listener or an open port, so that neither is called undeclared. It never makes
anything pass: the port is reported here instead, as gravely as it would have been without the proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._evidence.observed import Listener
from ..._inventory.declared import Declaration
from ..finding import Finding, about_declaration
from ..host_view import HostView, covers
from ..looked import looked_inside, looked_outside
from ..rule import DECLARATION_CASE, Rule, severity_rank
from ..spoken_for import is_approved, speaks_of
from ..ways import MOVE, Subject, by_exception, by_stopping, way
from ..who import who
from . import controls, undeclared_exposure
from .undeclared_listener import severity_of_undeclared


def judge(view: HostView) -> Iterator[Finding]:
    """A fail for each proposal."""
    for proposal in view.inventory.proposals:
        opened = _open_from(view, proposal)
        listeners = [
            one
            for one in view.listeners or ()
            if covers(proposal, one, view.own_addresses) and not view.is_declared(one)
        ]
        severity, why = _gravity(view, proposal, opened, listeners)
        message = f"{proposal.protocol}/{proposal.port} is only proposed, nobody has approved it: {why}"
        yield about_declaration(RULE, "fail", view.host, proposal, message, severity=severity)


def _gravity(view: HostView, proposal: Declaration, opened: list[str], listeners: list[Listener]) -> tuple[str, str]:
    """How grave a proposal is, and what it stands for."""
    subject = f"{who(listeners[0])} listens on it" if listeners else "nothing was seen to listen on it"
    if opened:
        return undeclared_exposure.RULE.severity, f"{subject}; open from {', '.join(opened)}"
    if listeners:
        return max(map(severity_of_undeclared, listeners), key=severity_rank), subject
    if not looked_inside(view, proposal.protocol):
        return RULE.severity, "whether it listens is not known"
    if proposal.namespace == "host" and not looked_outside(view, proposal.protocol, proposal.port, None):
        return RULE.severity, f"{subject}; whether it is open from outside is not known"
    return "low", "nothing needs it: nothing undeclared listens there"


def _open_from(view: HostView, proposal: Declaration) -> list[str]:
    """The vantage points from which a port of the proposal is open that no declaration is for."""
    return sorted(
        {
            target.vantage
            for target in view.targets
            for endpoint in target.endpoints
            if endpoint.state == "open"
            and endpoint.protocol == proposal.protocol
            and endpoint.port in proposal.port
            and proposal.namespace == "host"
            and speaks_of(proposal, target.address, view)
            and not is_approved(view, endpoint.protocol, endpoint.port, target.address, target.vantage)
        }
    )


def _proposed_already(subject: Subject) -> dict[str, Any]:
    return way(None, None, f"it is proposed already at {subject.finding.place}: {MOVE}")


RULE = Rule(
    id="unapproved",
    title="a port rests on a proposal that nobody has approved",
    severity="medium",
    case="declaration",
    case_name=DECLARATION_CASE,
    when=(
        "An entry is in a layer `vigil_ports__proposed` or `vigil_ports__proposed_GROUP`. As grave as what it"
        " stands in for: `high` when the port is open from a vantage point, `info` when only the host itself can reach"
        " it, `low` when nothing needs the proposal."
    ),
    remedy=(
        "Fill in justification and owner, have it approved, and move the entry to a layer of another name; or close the"
        " port and delete the entry."
    ),
    controls=controls.INVENTORY,
    needs=frozenset(("declared",)),
    excused="by any",
    declare=_proposed_already,
    except_for_a_time=by_exception,
    close=by_stopping,
    judge=judge,
    needs_to_be_milder=frozenset(("inside", "outside")),
)
