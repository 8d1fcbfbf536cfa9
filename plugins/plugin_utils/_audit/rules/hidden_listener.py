# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule over what bind() finds held and no listing shows.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..._evidence.observed import ScannedTarget
from ..._evidence.relisted import BindRow
from ..finding import Finding, Status
from ..host_view import HostView
from ..rule import EVERYTHING, Rule
from ..second_look import UNLISTED
from ..ways import no_entry, not_closed, not_declared


def judge_hidden(view: HostView, disagree: bool) -> Iterator[Finding]:
    """What bind() found held and no listing shows; a pass when it found nothing.

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
    held = [row for row in again.bind if row.state == UNLISTED]
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
        rule=RULE.id,
        status=status,
        severity=RULE.severity,
        host=view.host,
        namespace=None,
        protocol=None,
        port=None,
        address=None,
        vantage=None,
        message=message,
    )


RULE = Rule(
    id="hidden-listener",
    title="something holds the port, and the host lists no socket for it",
    severity="critical",
    case="host",
    case_name="no listener is hidden",
    when=(
        "`bind()` is refused because the port is in use, and neither listing of the host shows a socket that holds it."
        " Which ports are tried is set by `audit_verify_bind`. Only an exception that names this rule excuses it."
    ),
    remedy="Treat the host as compromised: isolate it, and look at it from a system that it did not start.",
    controls=(
        "PCI DSS 4.0.1 11.5.1",
        "PCI DSS 4.0.1 12.10.5",
        "NIST SP 800-53 SI-4",
        "NIST SP 800-53 SI-7",
        "ISO 27001:2022 A.8.16",
    ),
    needs=EVERYTHING,
    excused="by name",
    declare=not_declared,
    except_for_a_time=no_entry("who hides a listener is to be found out, not excused"),
    close=not_closed("the host does not show what holds the port: isolate the host"),
    judge_hidden=judge_hidden,
)
