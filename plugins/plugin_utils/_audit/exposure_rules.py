# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules over what can be reached from outside. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .._evidence.observed import Endpoint, Listener, ScannedTarget, spans_count
from .._inventory.declared import Declaration
from .._inventory.port_range import PortRange
from .catalogue import CATALOGUE
from .finding import Finding, Status, about_declaration
from .hidden_rules import is_hidden, second_look
from .host_view import HostView, would_answer
from .spoken_for import speaks_of, spoken_for


def exposures(view: HostView) -> Iterator[Finding]:
    """undeclared-exposure and forbidden-exposure: every open port is declared, and for this vantage point."""
    for target in view.targets:
        undeclared = 0
        for endpoint in _open(target):
            declared = spoken_for(view, endpoint.protocol, endpoint.port, target.address)
            forbidding = (some for some in declared if not any(one.is_reachable_from(target.vantage) for one in some))
            if not all(declared):
                if _is_proposed(endpoint, target, view):
                    continue
                undeclared += 1
                message = f"{_endpoint(endpoint)} at {target.address} is open from {target.vantage}, undeclared"
                yield _about_target(
                    "undeclared-exposure", "fail", view, target, message, endpoint.protocol, endpoint.port
                )
            elif (some := next(forbidding, None)) is not None:
                first = some[0]
                reach = ", ".join(sorted(first.reachable_from or ())) or "no vantage point"
                message = (
                    f"{_endpoint(endpoint)} at {target.address} is open from {target.vantage},"
                    f" but declared reachable from {reach}"
                )
                yield about_declaration(
                    "forbidden-exposure",
                    "fail",
                    view.host,
                    first,
                    message,
                    port=endpoint.port,
                    address=target.address,
                    vantage=target.vantage,
                )
        if not undeclared and _trusted(target):
            how = "declared or proposed" if view.inventory.proposals else "declared"
            message = f"every port found open at {target.address} from {target.vantage} is {how}"
            yield _about_target("undeclared-exposure", "pass", view, target, message)


def _is_proposed(endpoint: Endpoint, target: ScannedTarget, view: HostView) -> bool:
    """Whether a proposal is for the open port, from there: then the rule about proposals speaks of it."""
    near = view.inventory.proposals_for(endpoint.protocol, endpoint.port, "host")
    return any(one.is_reachable_from(target.vantage) and speaks_of(one, target.address, view) for one in near)


def blocked_services(view: HostView) -> Iterator[Finding]:
    """blocked-service: what listens and is declared reachable is open from there."""
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
            yield about_declaration("blocked-service", "pass", view.host, declaration, message, **where)
        elif state == "open|filtered":
            # No answer is all that a UDP scan gets from a service that answers only what it understands.
            # Named by what is declared: which ports of a range were silent differs from run to run.
            gap = f"{view.host}:no-answer:{declaration.protocol}/{declaration.port}@{vantage}"
            message = f"{subject} at {target.address} gave no answer to {vantage}: open or filtered cannot be told"
            yield about_declaration(
                "blocked-service", "not_assessed", view.host, declaration, message, gap=gap, **where
            )
        elif state is None and _trusted(target):
            gap = f"{view.host}:not-asked:{subject}@{vantage}"
            message = f"{subject} is declared reachable from {vantage}, but the scan of {target.address} did not ask it"
            yield about_declaration(
                "blocked-service", "not_assessed", view.host, declaration, message, gap=gap, **where
            )
        elif state is not None and all(one.seen == "since" for one in listeners):
            gap = f"{view.host}:started-meanwhile:{subject}@{vantage}"
            message = f"{subject} at {target.address} was {state} from {vantage}, and started only afterwards"
            yield about_declaration(
                "blocked-service", "not_assessed", view.host, declaration, message, gap=gap, **where
            )
        elif state is not None:
            places = _places(listeners)
            message = (
                f"{subject} at {target.address} is {state} from {vantage}, declared reachable; it listens on {places}"
                f"{_restarted(listeners)}"
            )
            yield about_declaration("blocked-service", "fail", view.host, declaration, message, **where)


def open_without_listeners(view: HostView) -> Iterator[Finding]:
    """open-without-listener: every open port has a listener that would answer there."""
    if view.listeners is None:
        return
    for target in view.targets:
        orphans = [
            one
            for one in _open(target)
            if not _may_answer(view, target, one.protocol, one.port) and not _is_forwarded(view, target, one)
        ]
        for endpoint in orphans:
            if is_hidden(view, endpoint.protocol, endpoint.port):
                continue  # hidden-listener says it, with what each witness saw
            open_port = f"{_endpoint(endpoint)} at {target.address} is open from {target.vantage}"
            unlisted = view.unlisted.get(endpoint.protocol)
            if unlisted:
                told = f"what listens there is not known: {endpoint.protocol} sockets could not all be listed"
            else:
                again = second_look(view, endpoint.protocol, endpoint.port)
                told = f"but no listener of the host answers there{again} (scan depth {view.depth})"
            status: Status = "not_assessed" if unlisted else "fail"
            yield _about_target(
                "open-without-listener", status, view, target, f"{open_port}, {told}", endpoint.protocol, endpoint.port
            )._replace(gap=unlisted)
        if not orphans and _trusted(target):
            found = f"every port found open at {target.address} from {target.vantage}"
            message = f"{found} has its listener{_started(view, target)} (scan depth {view.depth})"
            yield _about_target("open-without-listener", "pass", view, target, message)


def firewall_holes(view: HostView) -> Iterator[Finding]:
    """firewall-hole: a closed answer where most ports of the address are filtered, and nothing is meant to be there."""
    for target in view.targets:
        holes: list[int] = []
        if _filters_by_default(view, target):
            spans = [
                span for row in target.states if (row.protocol, row.state) == ("tcp", "closed") for span in row.ports
            ]
            holes = [port for first, last in spans for port in range(first, last + 1) if _is_hole(view, target, port)]
        for port in holes:
            subject = f"tcp/{port} at {target.address} answers closed to {target.vantage}"
            message = f"{subject}; other ports that nobody uses there are filtered (scan depth {view.depth})"
            yield _about_target("firewall-hole", "fail", view, target, message, "tcp", port)
        if not holes and _trusted(target):
            subject = f"no port at {target.address} stands out from the others as seen from {target.vantage}"
            message = f"{subject} (scan depth {view.depth})"
            yield _about_target("firewall-hole", "pass", view, target, message)


def _filters_by_default(view: HostView, target: ScannedTarget) -> bool:
    """Whether the address drops what is sent to a port that nobody means.

    Which ports a scan asks depends on what hosts declare and where they listen, and a site that drops what it declares
    looks like one that drops all. The canaries are chosen by chance, at every depth. Without them (evidence of 0.2, an
    import) the ports count that are neither declared nor in use.
    """
    if target.canaries:
        return spans_count(target.canaries.get("filtered", ())) > spans_count(target.canaries.get("closed", ()))
    filtered, closed = (len(target.ports_in("tcp", state) - view.meant_tcp) for state in ("filtered", "closed"))
    return filtered > closed


def _is_hole(view: HostView, target: ScannedTarget, port: int) -> bool:
    if any(declaration.is_reachable_from(target.vantage) for declaration in view.declarations_for("tcp", port)):
        return False
    # What stopped or started meanwhile did not listen all the time: the firewall let the scan through to nothing.
    return not any(one.seen in ("always", "restarted") for one in _answering(view, target, "tcp", port))


def _is_forwarded(view: HostView, target: ScannedTarget, endpoint: Endpoint) -> bool:
    """Whether a declaration says that nothing listens there, as the port leads elsewhere."""
    near = view.declarations_for(endpoint.protocol, endpoint.port)
    return any(one.forwarded and speaks_of(one, target.address, view) for one in near)


def _may_answer(view: HostView, target: ScannedTarget, protocol: str, port: int) -> bool:
    return any(True for _one in _answering(view, target, protocol, port))


def _answering(view: HostView, target: ScannedTarget, protocol: str, port: int) -> Iterator[Listener]:
    """The listeners of a port that answer at the scanned address, or may."""
    for listener in view.listeners_on(protocol, port):
        if would_answer(listener, target.address, view.own_addresses) is not False:
            yield listener


def _started(view: HostView, target: ScannedTarget) -> str:
    """Open ports whose listener was only seen when the host was listed again."""
    started = [
        f"{one.protocol}/{one.port}"
        for one in _open(target)
        if all(listener.seen == "since" for listener in _answering(view, target, one.protocol, one.port))
    ]
    return f"; started meanwhile, and seen when the host was listed again: {', '.join(started)}" if started else ""


def _restarted(listeners: Iterable[Listener]) -> str:
    restarted = any(listener.seen == "restarted" for listener in listeners)
    return ", restarted meanwhile: the scan may have met it down" if restarted else ""


def _open(target: ScannedTarget) -> Iterator[Endpoint]:
    for endpoint in target.endpoints:
        if endpoint.state == "open":
            yield endpoint


def _trusted(target: ScannedTarget) -> bool:
    """True when the scan looked at all it was asked to, so that finding nothing means something."""
    return target.status == "complete" and not target.unknown


def _endpoint(endpoint: Endpoint) -> str:
    service = endpoint.service
    name = " ".join(filter(None, (service.product, service.version))) if service else ""
    return f"{endpoint.protocol}/{endpoint.port}{f' ({name})' if name else ''}"


def _places(listeners: list[Listener]) -> str:
    return ", ".join(sorted({listener.where for listener in listeners}))


def _about_target(
    rule: str,
    status: Status,
    view: HostView,
    target: ScannedTarget,
    message: str,
    protocol: str | None = None,
    port: int | None = None,
) -> Finding:
    return Finding(
        rule=rule,
        status=status,
        severity=CATALOGUE[rule].severity,
        host=view.host,
        namespace=None,
        protocol=protocol,
        port=port,
        address=target.address,
        vantage=target.vantage,
        message=message,
    )
