# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where host and scans disagree, and the rule over what a second look and bind() made of it.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._evidence.observed import ScannedTarget, spans_hold, spans_of
from .._evidence.relisted import BindRow
from .._inventory.port_range import is_by_owner
from .catalogue import CATALOGUE
from .finding import Finding, Status
from .host_view import HostView

_UNLISTED = "held_by_unlisted"


def disagreements(view: HostView, findings: Iterable[Finding]) -> set[tuple[str, int]]:
    """Protocols and ports of which host and scans say different things, from the findings on one listing.

    Open without a listener; listening, and closed where it should be reached; missing, and open. A host
    is listed again for these before they are reported.
    """
    found: set[tuple[str, int]] = set()
    for finding in findings:
        if finding.status == "fail" and finding.protocol is not None:
            ports = {
                "open-without-listener": _port_itself,
                "blocked-service": _port_if_closed,
                "missing-listener": _ports_if_open,
            }.get(finding.rule, _no_ports)(view, finding)
            found |= {(finding.protocol, port) for port in ports}
    return found


def _no_ports(_view: HostView, _finding: Finding) -> Iterable[int]:
    return ()


def _port_itself(_view: HostView, finding: Finding) -> Iterable[int]:
    return [finding.port] if isinstance(finding.port, int) else ()


def _port_if_closed(view: HostView, finding: Finding) -> Iterator[int]:
    """Filtered is no contradiction: a firewall does that, and the listener may well be there."""
    if isinstance(finding.port, int):
        looks = [one for one in view.targets if (one.vantage, one.address) == (finding.vantage, finding.address)]
        if any(target.state_of(str(finding.protocol), finding.port) == "closed" for target in looks):
            yield finding.port


def _ports_if_open(view: HostView, finding: Finding) -> Iterator[int]:
    if finding.namespace == "host" and not is_by_owner(finding.port):
        spans = spans_of(str(finding.port))
        for endpoint in (one for target in view.targets for one in target.endpoints):
            is_open = (endpoint.protocol, endpoint.state) == (finding.protocol, "open")
            if is_open and spans_hold(spans, endpoint.port):
                yield endpoint.port


def is_hidden(view: HostView, protocol: str, port: int) -> bool:
    """Whether bind() finds the port held, and no listing shows by what."""
    told = view.relisted.told_by_bind(protocol, port) if view.relisted else None
    return told is not None and told.state == _UNLISTED


def second_look(view: HostView, protocol: str, port: int) -> str:
    """What came of listing the host again, to add to a sentence about an open port without a listener."""
    again = view.relisted
    if again is None:
        return "; it was not listed again"
    if again.listening is None:
        return f"; it could not be listed again: {again.trouble}"
    part = f", as far as it could be listed ({again.trouble})" if again.trouble else ""
    told = again.told_by_bind(protocol, port)
    return f", also when it was listed again{part}{_by_bind(told)}"


def _by_bind(told: BindRow | None) -> str:
    if told is None:
        return ""
    if told.state == "free":
        return "; bind() finds the port free, so the packets go elsewhere (address translation, a proxy)"
    if told.state == "held_by_listed":
        return f"; bind() finds the port held by {told.reason} that the host does list"
    return f"; bind() could not tell who holds it: {told.reason}"


def hidden_listeners(view: HostView, disagree: bool) -> Iterator[Finding]:
    """hidden-listener: what bind() found held and no listing shows; a pass when it found nothing.

    ``disagree`` says that host and scans did when the host had been listed once.
    """
    again = view.relisted
    if view.listeners is None or view.verify_bind == "never":
        return
    if again is None and not disagree and view.verify_bind == "disagreements":
        # Only where every port was asked, host and scans can agree.
        whole = all(target.status == "complete" and not target.unknown for target in view.targets)
        if view.targets and whole and view.depth == "full":
            message = f"host and scans agree, so no port was tried with bind() (scan depth {view.depth})"
            yield _finding(view, "pass", message)
        return
    if again is None or again.bind is None:
        why = "it was not listed again" if again is None else again.trouble or "it did not say what bind() told"
        message = f"whether it hides a listener is not known: {why}"
        yield _finding(view, "not_assessed", message)._replace(gap=f"{view.host}:not-relisted")
        return
    held = [row for row in again.bind if row.state == _UNLISTED]
    for row in held:
        for first, last in row.ports:
            for port in range(first, last + 1):
                yield _hidden(view, row, port)
    untold = [f"{protocol} {ports}: {reason}" for protocol, ports, reason in again.untold()]
    if untold:
        message = f"bind() could not tell who holds {untold[0]}"
        finding = _finding(view, "not_assessed", message)
        yield finding._replace(gap=f"{view.host}:bind-unknown", details=tuple(untold[1:]))
    elif not held:
        yield _finding(view, "pass", "bind() found no port held by a socket that the host does not list")


def _hidden(view: HostView, row: BindRow, port: int) -> Finding:
    """One port that somebody holds. Where the kernel lists less than it knows, only an open one is proof."""
    opened = _open_from(view.targets, row, port)
    seen = f"open from {opened}" if opened else "not seen open from outside"
    shown = view.listeners_on(row.protocol, port)
    lists = "no longer lists" if any(one.namespace == row.namespace for one in shown) else "never listed"
    message = (
        f"{row.protocol}/{port} is held by something that the host {lists}; bind(), three times: {row.reason};"
        f" scans: {seen}; listed twice: no socket that would explain it"
    )
    finding = _finding(view, "fail", message)._replace(namespace=row.namespace, protocol=row.protocol, port=port)
    if opened or row.protocol != "tcp" or (view.relisted and view.relisted.bound_are_listed):
        return finding
    unsure = f"{message}; it may be a socket that is bound and does not listen, which this host's kernel does not list"
    gap = f"{view.host}:bind-unexplained:{row.protocol}/{port}"
    return finding._replace(status="not_assessed", message=unsure, gap=gap)


def _open_from(targets: Iterable[ScannedTarget], row: BindRow, port: int) -> str:
    if row.namespace != "host":
        return ""
    found = {
        f"{target.vantage} at {target.address}" for target in targets if target.state_of(row.protocol, port) == "open"
    }
    return ", ".join(sorted(found))


def _finding(view: HostView, status: Status, message: str) -> Finding:
    return Finding(
        rule="hidden-listener",
        status=status,
        severity=CATALOGUE["hidden-listener"].severity,
        host=view.host,
        namespace=None,
        protocol=None,
        port=None,
        address=None,
        vantage=None,
        message=message,
    )
