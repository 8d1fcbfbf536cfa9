# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules over what listens on a host. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._evidence.observed import Listener
from .._inventory.declared import Declaration
from .catalogue import CATALOGUE, severity_rank
from .finding import Finding, about_declaration
from .host_view import HostView, covers
from .owner_match import (
    Held,
    behind,
    deviations,
    first_of_families,
    only_by_name,
    runners,
    shown_user,
    unknowns,
    waits_for_a_call,
)

#: Every host has sockets of these; the kernels of few have others.
_MAIN_PROTOCOLS = ("tcp", "udp")


def undeclared_listeners(view: HostView) -> Iterator[Finding]:
    """undeclared-listener: one finding for each listener that no declaration covers, or one pass."""
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
            rule="undeclared-listener",
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
            rule="undeclared-listener",
            status="not_assessed" if unlisted else "pass",
            severity=CATALOGUE["undeclared-listener"].severity,
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
        rule="undeclared-listener",
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
    return "low" if listener.ephemeral else CATALOGUE["undeclared-listener"].severity


def missing_listeners(view: HostView) -> Iterator[Finding]:
    """missing-listener: for each required declaration a pass or a fail."""
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
            yield about_declaration("missing-listener", "pass", view.host, declaration, message)
            continue
        unlisted = view.unlisted.get(declaration.protocol)
        if unlisted:
            subject = f"{declaration.protocol}/{declaration.port}"
            message = f"whether {subject} listens is not known: {declaration.protocol} sockets could not all be listed"
            yield about_declaration("missing-listener", "not_assessed", view.host, declaration, message, gap=unlisted)
            continue
        if listeners:
            gone = listeners[0]
            message = f"{who(gone)} listened on {gone.protocol}/{gone.port} at {gone.where}{meanwhile(gone)}"
            yield about_declaration("missing-listener", "fail", view.host, declaration, message)
            continue
        other = next(
            (one for one in view.listeners if one.protocol == declaration.protocol and one.port in declaration.port),
            None,
        )
        elsewhere = f"; at {other.where} in namespace {other.namespace} something does" if other else ""
        message = f"nothing listens on {declaration.protocol}/{declaration.port} at {declaration.address}{elsewhere}"
        yield about_declaration("missing-listener", "fail", view.host, declaration, message)


def wrong_owners(view: HostView) -> Iterator[Finding]:
    """wrong-owner: for each declaration that names one and has a listener; of a range for each port that is wrong."""
    for declaration in view.inventory.declarations:
        covered = view.listeners_of(declaration) if declaration.names_owner else ()
        listeners = [one for one in covered if view.speaks_first(declaration, one.port, one.namespace)]
        by_port: dict[int, list[Listener]] = {}
        for listener in listeners:
            by_port.setdefault(listener.port, []).append(listener)
        wrong = [one for port, some in sorted(by_port.items()) for one in _wrong_owner(view, declaration, port, some)]
        if listeners and not wrong:
            message = f"{who(listeners[0])}, as declared{only_by_name(declaration, listeners[0])}"
            yield about_declaration("wrong-owner", "pass", view.host, declaration, message)
        yield from wrong


def _wrong_owner(view: HostView, declaration: Declaration, port: int, listeners: list[Listener]) -> Iterator[Finding]:
    """What is wrong, or not known, of the owners of one port."""
    wrong = [text for listener in listeners for text in deviations(declaration, listener)]
    unknown = [text for listener in listeners for text in unknowns(declaration, listener)]
    if wrong:
        message, rest = f"{declaration.protocol}/{port}: {wrong[0]}", (*wrong[1:], *_nor(view, declaration, listeners))
        yield about_declaration("wrong-owner", "fail", view.host, declaration, message, port=port, details=rest)
    elif unknown:
        gap = f"{view.host}:owner-unknown:{declaration.protocol}/{port}"
        message = f"{declaration.protocol}/{port}: {unknown[0]}"
        yield about_declaration("wrong-owner", "not_assessed", view.host, declaration, message, port=port, gap=gap)


def _nor(view: HostView, declaration: Declaration, listeners: list[Listener]) -> Iterator[str]:
    """What other declarations of the port, for other processes, have against its listeners."""
    for rival in view.inventory.rivals.get(id(declaration), ()):
        for listener in listeners:
            if covers(rival, listener, view.own_addresses):
                yield from (f"{text} ({rival.place})" for text in deviations(rival, listener))


#: What two listings of a host say of a listener.
_MEANWHILE = {
    "always": "",
    "restarted": " (restarted meanwhile)",
    "before": " (gone when the host was listed again)",
    "since": " (started meanwhile: seen when the host was listed again)",
}


def meanwhile(listener: Listener) -> str:
    """What to add to a sentence about a listener that was not the same in both listings of its host."""
    return _MEANWHILE[listener.seen]


def who(listener: Held) -> str:
    """The owner of a socket in a few words."""
    owners = first_of_families(behind(listener))
    names = [owners[0].name] if len(owners) == 1 else sorted({owner.name for owner in owners})
    process = (
        " and ".join(names)
        if names
        else "a process that is unknown"
        if listener.owners_state != "kernel"
        else "the kernel"
    )
    users = " and ".join(sorted(shown_user(one) for one in runners(listener) if one))
    deleted = " from a deleted executable" if any(owner.executable_deleted for owner in owners) else ""
    started = f", started by {listener.unit}," if waits_for_a_call(listener) else ""
    return f"{process}{f' ({users})' if users else ''}{deleted}{started}"
