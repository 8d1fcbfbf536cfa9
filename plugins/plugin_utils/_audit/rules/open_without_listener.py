# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that each open port has a listener that would answer there.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..._evidence.observed import Endpoint, ScannedTarget
from ..finding import Finding, Status
from ..host_view import HostView
from ..open_ports import about_target, answering, endpoint_text, is_trusted, open_at
from ..rule import Rule
from ..second_look import is_hidden, second_look
from ..spoken_for import speaks_of
from ..ways import by_exception, not_closed, not_declared
from . import controls


def judge(view: HostView) -> Iterator[Finding]:
    """Every open port has a listener that would answer there."""
    if view.listeners is None:
        return
    for target in view.targets:
        orphans = [
            one
            for one in open_at(target)
            if not _may_answer(view, target, one.protocol, one.port) and not _is_forwarded(view, target, one)
        ]
        for endpoint in orphans:
            if is_hidden(view, endpoint.protocol, endpoint.port):
                continue  # hidden-listener says it, with what each witness saw
            open_port = f"{endpoint_text(endpoint)} at {target.address} is open from {target.vantage}"
            unlisted = view.unlisted.get(endpoint.protocol)
            if unlisted:
                told = f"what listens there is not known: {endpoint.protocol} sockets could not all be listed"
            else:
                again = second_look(view, endpoint.protocol, endpoint.port)
                told = f"but no listener of the host answers there{again} (scan depth {view.depth})"
            status: Status = "not_assessed" if unlisted else "fail"
            yield about_target(
                RULE, status, view, target, f"{open_port}, {told}", endpoint.protocol, endpoint.port
            )._replace(gap=unlisted)
        if not orphans and is_trusted(target):
            found = f"every port found open at {target.address} from {target.vantage}"
            message = f"{found} has its listener{_started(view, target)} (scan depth {view.depth})"
            yield about_target(RULE, "pass", view, target, message)


def _is_forwarded(view: HostView, target: ScannedTarget, endpoint: Endpoint) -> bool:
    """Whether a declaration says that nothing listens there, as the port leads elsewhere."""
    near = view.declarations_for(endpoint.protocol, endpoint.port)
    return any(one.forwarded and speaks_of(one, target.address, view) for one in near)


def _may_answer(view: HostView, target: ScannedTarget, protocol: str, port: int) -> bool:
    return any(True for _one in answering(view, target, protocol, port))


def _started(view: HostView, target: ScannedTarget) -> str:
    """Open ports whose listener was only seen when the host was listed again."""
    started = [
        f"{one.protocol}/{one.port}"
        for one in open_at(target)
        if all(listener.seen == "since" for listener in answering(view, target, one.protocol, one.port))
    ]
    return f"; started meanwhile, and seen when the host was listed again: {', '.join(started)}" if started else ""


def _port_itself(_view: HostView, finding: Finding) -> Iterable[int]:
    return [finding.port] if isinstance(finding.port, int) else ()


RULE = Rule(
    id="open-without-listener",
    title="open outside, but the host shows no listener for it",
    severity="high",
    case="vantage",
    case_name="every open port has its listener{from_vantage}",
    when=(
        "A scan finds the port open, and nothing that the host lists would answer there, also when it is listed again:"
        " a forwarded port, a proxy, or a host that hides a listener. Where `bind()` finds the port free, the packets"
        " go elsewhere; where it finds it held, `hidden-listener` says so instead."
    ),
    remedy="Look for address translation and proxies in front of the host; without one, treat the host as compromised.",
    controls=(*controls.BOUNDARY, "NIST SP 800-53 SI-4"),
    needs=frozenset(("inside", "outside")),
    excused="by any",
    declare=not_declared,
    except_for_a_time=by_exception,
    close=not_closed("nothing that the host lists answers there: look for what forwards the port"),
    judge=judge,
    disagreeing=_port_itself,
)
