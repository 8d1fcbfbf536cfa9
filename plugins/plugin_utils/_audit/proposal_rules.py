# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule over proposals: what a baseline wrote and nobody has approved. Private to the collection.

A proposal explains a listener or an open port, so that neither is called undeclared. It never makes
anything pass: the port is reported here instead, as gravely as it would have been without the proposal.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._evidence.observed import Listener
from .._inventory.declared import Declaration
from .catalogue import CATALOGUE, severity_rank
from .finding import Finding, about_declaration
from .host_view import HostView, covers
from .listening_rules import severity_of_undeclared, who
from .needed_looks import looked_inside, looked_outside
from .spoken_for import is_approved, speaks_of


def unapproved(view: HostView) -> Iterator[Finding]:
    """unapproved: a fail for each proposal."""
    for proposal in view.inventory.proposals:
        opened = _open_from(view, proposal)
        listeners = [
            one
            for one in view.listeners or ()
            if covers(proposal, one, view.own_addresses) and not view.is_declared(one)
        ]
        severity, why = _gravity(view, proposal, opened, listeners)
        message = f"{proposal.protocol}/{proposal.port} is only proposed, nobody has approved it: {why}"
        yield about_declaration("unapproved", "fail", view.host, proposal, message, severity=severity)


def _gravity(view: HostView, proposal: Declaration, opened: list[str], listeners: list[Listener]) -> tuple[str, str]:
    """How grave a proposal is, and what it stands for."""
    subject = f"{who(listeners[0])} listens on it" if listeners else "nothing was seen to listen on it"
    if opened:
        return CATALOGUE["undeclared-exposure"].severity, f"{subject}; open from {', '.join(opened)}"
    if listeners:
        return max(map(severity_of_undeclared, listeners), key=severity_rank), subject
    if not looked_inside(view, proposal.protocol):
        return CATALOGUE["unapproved"].severity, "whether it listens is not known"
    if proposal.namespace == "host" and not looked_outside(view, proposal.protocol, proposal.port, None):
        return CATALOGUE["unapproved"].severity, f"{subject}; whether it is open from outside is not known"
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
