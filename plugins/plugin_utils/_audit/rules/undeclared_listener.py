# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that each listener is declared.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._evidence.observed import Listener
from ..finding import Finding
from ..host_view import HostView
from ..rule import Rule, severity_rank
from ..ways import by_exception, by_stopping, newly_declared
from ..who import meanwhile, who
from . import controls

#: Every host has sockets of these; the kernels of few have others.
_MAIN_PROTOCOLS = ("tcp", "udp")


def judge(view: HostView) -> Iterator[Finding]:
    """One finding for each listener that no declaration covers, or one pass."""
    if view.listeners is None:
        return
    found = False
    for listener in view.listeners:
        if view.is_declared(listener) or view.is_proposed(listener):
            continue
        found = True
        if listener.ephemeral:
            continue
        near = view.inventory.declarations_for(listener.protocol, listener.port, listener.namespace)
        subject = f"{listener.protocol}/{listener.port} at {listener.where}"
        elsewhere = f"; declared for {near[0].address} only ({near[0].place})" if near else ""
        note = f"{elsewhere}{_stays(listener)}{meanwhile(listener)}"
        yield Finding(
            rule=RULE.id,
            status="fail",
            severity=severity_of_undeclared(listener),
            host=view.host,
            namespace=listener.namespace,
            protocol=listener.protocol,
            port=listener.port,
            address=listener.where,
            vantage=None,
            message=f"{who(listener)} listens on {subject}, undeclared{note}",
            owner=near[0].owner if near else None,
        )
    for (namespace, protocol, text), listeners in sorted(view.ephemeral.items()):
        yield _ephemeral(view, namespace, protocol, text, listeners)
    if not found:
        unlisted = next((gap for protocol, gap in sorted(view.unlisted.items()) if protocol in _MAIN_PROTOCOLS), None)
        yield Finding(
            rule=RULE.id,
            status="not_assessed" if unlisted else "pass",
            severity=RULE.severity,
            host=view.host,
            namespace=None,
            protocol=None,
            port=None,
            address=None,
            vantage=None,
            message=f"{_all_declared(view)}, but not all sockets could be listed" if unlisted else _all_declared(view),
            gap=unlisted,
        )


#: So many ports are written out in a sentence.
_MOST_PORTS = 8


def _ephemeral(view: HostView, namespace: str, protocol: str, subject: str, listeners: list[Listener]) -> Finding:
    """One finding for the ports that the kernel picked for a process: which ones they are is of the moment."""
    whose = sorted({who(listener) for listener in listeners})
    severities = sorted(map(severity_of_undeclared, listeners), key=severity_rank)
    return Finding(
        rule=RULE.id,
        status="fail",
        severity=severities[-1],
        host=view.host,
        namespace=namespace,
        protocol=protocol,
        port=subject,
        address=None,
        vantage=None,
        message=f"{' and '.join(whose)} {'have' if len(whose) > 1 else 'has'} {ephemeral_text(listeners)}, undeclared",
    )


def ephemeral_text(listeners: Sequence[Listener]) -> str:
    """``2 ephemeral udp ports (32801, 40112)``."""
    ports = sorted({listener.port for listener in listeners})
    more = len(ports) - _MOST_PORTS
    listed = ", ".join(map(str, ports[:_MOST_PORTS])) + (f" and {more} more" if more > 0 else "")
    count = "an ephemeral" if len(ports) == 1 else f"{len(ports)} ephemeral"
    return f"{count} {listeners[0].protocol} port{'' if len(ports) == 1 else 's'} ({listed})"


def _stays(listener: Listener) -> str:
    """What to add to a sentence about a port that looks ephemeral, and was the same in an earlier run."""
    if listener.stays_since is None:
        return ""
    return f"; it looks ephemeral, and is none: the same process had it at {listener.stays_since}"


def _all_declared(view: HostView) -> str:
    proposed = sum(not view.is_declared(one) for one in view.listeners or ())
    but = f", {proposed} of them only in proposals" if proposed else ""
    return f"each of {len(view.listeners or ())} listeners is declared{but}"


def severity_of_undeclared(listener: Listener) -> str:
    """How grave it is that this listener is not declared."""
    if listener.loopback_only:
        return "info"
    return "low" if listener.ephemeral else RULE.severity


RULE = Rule(
    id="undeclared-listener",
    title="a listener that no declaration covers",
    severity="medium",
    case="host",
    case_name="nothing listens undeclared",
    when=(
        "A socket takes traffic on the host, and no declaration covers its protocol, port, address and namespace."
        " `info` when only the host itself can reach it, `low` for the UDP ports that the kernel picked for a process,"
        " which are one finding. A port on which an earlier run saw the same process was not picked (audit_history)."
    ),
    remedy="Stop and disable what listens, or declare it with a justification and an owner.",
    controls=controls.INVENTORY,
    needs=frozenset(("inside",)),
    excused="by any",
    declare=newly_declared,
    except_for_a_time=by_exception,
    close=by_stopping,
    judge=judge,
)
