# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that what is declared and required listens.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._evidence.observed import spans_hold, spans_of
from ..._inventory.port_range import is_by_owner
from ..finding import Finding, about_declaration
from ..host_view import HostView
from ..rule import DECLARATION_CASE, Rule
from ..ways import by_exception, corrected, not_closed
from ..who import meanwhile, who


def judge(view: HostView) -> Iterator[Finding]:
    """For each required declaration a pass or a fail."""
    if view.listeners is None:
        return
    for declaration in view.inventory.declarations:
        if not declaration.required or declaration.forwarded:
            continue
        listeners = view.listeners_of(declaration)
        there = [one for one in listeners if one.seen != "before"]
        if there:
            found = there[0]
            message = f"{who(found)} listens on {found.protocol}/{found.port} at {found.where}{meanwhile(found)}"
            yield about_declaration(RULE, "pass", view.host, declaration, message)
            continue
        unlisted = view.unlisted.get(declaration.protocol)
        if unlisted:
            subject = f"{declaration.protocol}/{declaration.port}"
            message = f"whether {subject} listens is not known: {declaration.protocol} sockets could not all be listed"
            yield about_declaration(RULE, "not_assessed", view.host, declaration, message, gap=unlisted)
            continue
        if listeners:
            gone = listeners[0]
            message = f"{who(gone)} listened on {gone.protocol}/{gone.port} at {gone.where}{meanwhile(gone)}"
            yield about_declaration(RULE, "fail", view.host, declaration, message)
            continue
        other = next(
            (one for one in view.listeners if one.protocol == declaration.protocol and one.port in declaration.port),
            None,
        )
        elsewhere = f"; at {other.where} in namespace {other.namespace} something does" if other else ""
        message = f"nothing listens on {declaration.protocol}/{declaration.port} at {declaration.address}{elsewhere}"
        yield about_declaration(RULE, "fail", view.host, declaration, message)


def _if_open(view: HostView, finding: Finding) -> Iterator[int]:
    if finding.namespace == "host" and not is_by_owner(finding.port):
        spans = spans_of(str(finding.port))
        for endpoint in (one for target in view.targets for one in target.endpoints):
            is_open = (endpoint.protocol, endpoint.state) == (finding.protocol, "open")
            if is_open and spans_hold(spans, endpoint.port):
                yield endpoint.port


RULE = Rule(
    id="missing-listener",
    title="declared and required, but nothing listens",
    severity="medium",
    case="declaration",
    case_name=DECLARATION_CASE,
    when="A declaration with `required: true` has no listener. Of a range one port is enough, of a list each is meant.",
    remedy="Start the service, or set `required: false`, or remove the declaration.",
    controls=("NIST SP 800-53 CM-2", "ISO 27001:2022 A.8.9"),
    needs=frozenset(("inside",)),
    excused="by any",
    declare=corrected(lambda _subject, _declaration: {"required": False}),
    except_for_a_time=by_exception,
    close=not_closed("nothing listens there"),
    judge=judge,
    disagreeing=_if_open,
)
