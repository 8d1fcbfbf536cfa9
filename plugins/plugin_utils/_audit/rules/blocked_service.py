# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that what listens and is declared reachable is open from there.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..._evidence.observed import Listener, ScannedTarget
from ..._inventory.declared import Declaration
from ..._inventory.port_range import PortRange
from ..finding import Finding, about_declaration
from ..host_view import HostView, would_answer
from ..open_ports import is_trusted
from ..rule import DECLARATION_CASE, Rule
from ..ways import Subject, by_exception, corrected, not_closed


def judge(view: HostView) -> Iterator[Finding]:
    """A pass or a fail for each declared port, vantage point and address; a gap where nobody can tell."""
    for declaration in view.inventory.declarations:
        if declaration.namespace != "host":
            continue
        listening = {listener.port for listener in view.listeners_of(declaration) if listener.seen != "before"}
        port = declaration.port
        if declaration.forwarded and declaration.required and isinstance(port, PortRange) and port.is_single:
            listening.add(port.first)
        ports = sorted(number for number in listening if view.speaks_first(declaration, number))
        for vantage in sorted({target.vantage for target in view.targets}):
            if declaration.is_reachable_from(vantage):
                targets = [target for target in view.targets if target.vantage == vantage]
                for number in ports:
                    yield from _reach(view, declaration, number, targets)


def _reach(view: HostView, declaration: Declaration, port: int, targets: list[ScannedTarget]) -> Iterator[Finding]:
    """Whether one port that listens is open at the addresses where it would answer."""
    listeners = [one for one in view.listeners_of(declaration) if one.port == port and one.seen != "before"]
    states = {target.address: target.state_of(declaration.protocol, port) for target in targets}
    expected = [
        target
        for target in targets
        if any(would_answer(listener, target.address, view.own_addresses) for listener in listeners)
    ]
    if not expected and "open" not in states.values():
        # It listens where none of the scanned addresses leads to, or nobody can tell: one open address would do.
        expected = sorted(targets, key=lambda target: target.address)[:1]
    vantage = targets[0].vantage
    subject = f"{declaration.protocol}/{port}"
    for target in expected:
        state = states[target.address]
        where: dict[str, Any] = {"port": port, "address": target.address, "vantage": vantage}
        if state == "open":
            message = f"{subject} at {target.address} is open from {vantage}, as declared"
            yield about_declaration(RULE, "pass", view.host, declaration, message, **where)
        elif state == "open|filtered":
            # No answer is all that a UDP scan gets from a service that answers only what it understands.
            # Named by what is declared: which ports of a range were silent differs from run to run.
            gap = f"{view.host}:no-answer:{declaration.protocol}/{declaration.port}@{vantage}"
            message = f"{subject} at {target.address} gave no answer to {vantage}: open or filtered cannot be told"
            yield about_declaration(RULE, "not_assessed", view.host, declaration, message, gap=gap, **where)
        elif state is None and is_trusted(target):
            gap = f"{view.host}:not-asked:{subject}@{vantage}"
            message = f"{subject} is declared reachable from {vantage}, but the scan of {target.address} did not ask it"
            yield about_declaration(RULE, "not_assessed", view.host, declaration, message, gap=gap, **where)
        elif state is not None and all(one.seen == "since" for one in listeners):
            gap = f"{view.host}:started-meanwhile:{subject}@{vantage}"
            message = f"{subject} at {target.address} was {state} from {vantage}, and started only afterwards"
            yield about_declaration(RULE, "not_assessed", view.host, declaration, message, gap=gap, **where)
        elif state is not None:
            places = _places(listeners)
            message = (
                f"{subject} at {target.address} is {state} from {vantage}, declared reachable; it listens on {places}"
                f"{_restarted(listeners)}"
            )
            yield about_declaration(RULE, "fail", view.host, declaration, message, **where)


def _restarted(listeners: Iterable[Listener]) -> str:
    restarted = any(listener.seen == "restarted" for listener in listeners)
    return ", restarted meanwhile: the scan may have met it down" if restarted else ""


def _places(listeners: list[Listener]) -> str:
    return ", ".join(sorted({listener.where for listener in listeners}))


def _if_closed(view: HostView, finding: Finding) -> Iterator[int]:
    """Filtered is no contradiction: a firewall does that, and the listener may well be there."""
    if isinstance(finding.port, int):
        looks = [one for one in view.targets if (one.vantage, one.address) == (finding.vantage, finding.address)]
        if any(target.state_of(str(finding.protocol), finding.port) == "closed" for target in looks):
            yield finding.port


def _not_reachable(subject: Subject, declaration: Declaration) -> dict[str, Any]:
    every = {target.vantage for target in subject.view.targets}
    reach = every if declaration.reachable_from is None else declaration.reachable_from
    return {"reachable_from": sorted(set(reach) - {str(subject.finding.vantage)})}


RULE = Rule(
    id="blocked-service",
    title="declared reachable and listening, but not open from there",
    severity="medium",
    case="declaration",
    case_name=DECLARATION_CASE,
    when="`reachable_from` holds the vantage point and a listener is there, but the scan does not find the port open.",
    remedy=(
        "Open the firewall for this vantage point, make the service listen on the right address,"
        " or take the vantage point from `reachable_from`."
    ),
    controls=("NIST SP 800-53 CP-10", "ISO 27001:2022 A.8.14"),
    needs=frozenset(("inside", "outside")),
    excused="by any",
    declare=corrected(_not_reachable),
    except_for_a_time=by_exception,
    close=not_closed("it is to be open"),
    judge=judge,
    disagreeing=_if_closed,
)
