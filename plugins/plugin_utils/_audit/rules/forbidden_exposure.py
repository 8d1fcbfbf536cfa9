# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that a declared port is open from declared vantage points only.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._inventory.declared import Declaration
from ..finding import Finding, about_declaration
from ..host_view import HostView
from ..open_ports import endpoint_text, open_at
from ..rule import DECLARATION_CASE, Rule
from ..spoken_for import spoken_for
from ..ways import Subject, by_exception, by_stopping, corrected
from . import controls


def judge(view: HostView) -> Iterator[Finding]:
    """One finding for each declared port that is open from a vantage point that it is not declared for."""
    for target in view.targets:
        for endpoint in open_at(target):
            declared = spoken_for(view, endpoint.protocol, endpoint.port, target.address)
            forbidding = (some for some in declared if not any(one.is_reachable_from(target.vantage) for one in some))
            if not all(declared) or (some := next(forbidding, None)) is None:
                continue
            first = some[0]
            reach = ", ".join(sorted(first.reachable_from or ())) or "no vantage point"
            message = (
                f"{endpoint_text(endpoint)} at {target.address} is open from {target.vantage},"
                f" but declared reachable from {reach}"
            )
            yield about_declaration(
                RULE,
                "fail",
                view.host,
                first,
                message,
                port=endpoint.port,
                address=target.address,
                vantage=target.vantage,
            )


def _reachable(subject: Subject, declaration: Declaration) -> dict[str, Any]:
    return {"reachable_from": sorted({*(declaration.reachable_from or ()), str(subject.finding.vantage)})}


RULE = Rule(
    id="forbidden-exposure",
    title="open from a vantage point for which it is not declared",
    severity="high",
    case="declaration",
    case_name=DECLARATION_CASE,
    when="A scan finds the port open; it is declared, but `reachable_from` does not hold this vantage point.",
    remedy="Close it at the firewall for this vantage point, or add the vantage point to `reachable_from`.",
    controls=controls.BOUNDARY,
    needs=frozenset(("outside",)),
    excused="by any",
    declare=corrected(_reachable),
    except_for_a_time=by_exception,
    close=by_stopping,
    judge=judge,
)
