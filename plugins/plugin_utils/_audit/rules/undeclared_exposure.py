# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that each port that is open from outside is declared.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._evidence.observed import Endpoint, ScannedTarget
from ..finding import Finding
from ..host_view import HostView
from ..open_ports import about_target, endpoint_text, is_trusted, open_at
from ..rule import Rule
from ..spoken_for import speaks_of, spoken_for
from ..ways import by_exception, by_stopping, newly_declared
from . import controls


def judge(view: HostView) -> Iterator[Finding]:
    """One finding for each open port that no declaration is for; a pass for each address without one."""
    for target in view.targets:
        undeclared = 0
        for endpoint in open_at(target):
            if all(spoken_for(view, endpoint.protocol, endpoint.port, target.address)):
                continue
            if _is_proposed(endpoint, target, view):
                continue
            undeclared += 1
            message = f"{endpoint_text(endpoint)} at {target.address} is open from {target.vantage}, undeclared"
            yield about_target(RULE, "fail", view, target, message, endpoint.protocol, endpoint.port)
        if not undeclared and is_trusted(target):
            how = "declared or proposed" if view.inventory.proposals else "declared"
            message = f"every port found open at {target.address} from {target.vantage} is {how}"
            yield about_target(RULE, "pass", view, target, message)


def _is_proposed(endpoint: Endpoint, target: ScannedTarget, view: HostView) -> bool:
    """Whether a proposal is for the open port, from there: then the rule about proposals speaks of it."""
    near = view.inventory.proposals_for(endpoint.protocol, endpoint.port, "host")
    return any(one.is_reachable_from(target.vantage) and speaks_of(one, target.address, view) for one in near)


RULE = Rule(
    id="undeclared-exposure",
    title="open from a vantage point without a declaration",
    severity="high",
    case="vantage",
    case_name="nothing is open undeclared{from_vantage}",
    when="A scan finds the port open, and no declaration of the host has that protocol and port.",
    remedy="Close it at the firewall or stop the service, or declare it with `reachable_from`.",
    controls=controls.BOUNDARY,
    needs=frozenset(("outside",)),
    excused="by any",
    declare=newly_declared,
    except_for_a_time=by_exception,
    close=by_stopping,
    judge=judge,
)
