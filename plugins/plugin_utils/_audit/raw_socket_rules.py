# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule over packet and raw sockets, which take packets without a port. This module is private to the collection.

A sniffer has one, a DHCP client has one, and a backdoor that waits for a certain packet has nothing else. They are
known by who holds them: those of one process are one finding, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._evidence.raw_sockets import KINDS, RawSocket
from .._inventory.declared import RawDeclaration
from .._inventory.port_range import held_by
from .catalogue import CATALOGUE
from .finding import Finding, Status
from .host_view import HostView
from .listening_rules import who
from .owner_match import behind, deviations, first_of_families, is_match, unknowns

RULE = "undeclared-raw-socket"


def undeclared_raw_sockets(view: HostView) -> Iterator[Finding]:
    """undeclared-raw-socket: one finding for each process that takes packets undeclared, or one pass."""
    if view.raw_sockets is None:
        return
    by_subject: dict[tuple[str, str, str], list[RawSocket]] = {}
    receiving = [one for one in view.raw_sockets if one.receives]
    for one in receiving:
        if not is_declared(view, one):
            by_subject.setdefault((one.namespace, one.kind, subject_of(one)), []).append(one)
    for (namespace, kind, subject), sockets in sorted(by_subject.items()):
        yield _undeclared(view, namespace, kind, subject, sockets)
    if not by_subject:
        unlisted = next((view.unlisted[kind] for kind in KINDS if kind in view.unlisted), None)
        message = f"each of {len(receiving)} packet and raw sockets is declared" if receiving else "nothing has one"
        but = ", but not all packet and raw sockets could be listed" if unlisted else ""
        yield _finding(view, "not_assessed" if unlisted else "pass", message + but, gap=unlisted)


def is_declared(view: HostView, one: RawSocket) -> bool:
    """True when some declaration is for the socket, and all who hold it are known to be declared."""
    return bool(declared_by(view, one))


def declared_by(view: HostView, one: RawSocket) -> list[RawDeclaration]:
    """The declarations that are for the socket."""
    return [entry for entry in _near(view.inventory.raw_sockets, one) if is_match(entry, one)]


def subject_of(one: RawSocket) -> str:
    """As findings name the socket: ``held-by:dhclient``; by its unit, or else its user, where no process is known."""
    names = sorted({owner.name for owner in first_of_families(behind(one))})
    return held_by(names or [one.unit or f"user {one.user or one.uid}"])


def sockets_of(view: HostView, finding: Finding) -> Sequence[RawSocket]:
    """The sockets that a finding of the rule is about."""
    subject = (finding.namespace, finding.protocol, finding.port)
    return [
        one
        for one in view.raw_sockets or ()
        if one.receives and (one.namespace, one.kind, subject_of(one)) == subject and not is_declared(view, one)
    ]


def _near(declarations: Sequence[RawDeclaration], one: RawSocket) -> Iterator[RawDeclaration]:
    return (each for each in declarations if one.kind in each.kinds and each.is_in(one.namespace))


def _undeclared(view: HostView, namespace: str, kind: str, subject: str, sockets: Sequence[RawSocket]) -> Finding:
    first, number = sockets[0], sum(one.sockets for one in sockets)
    takes = ", ".join(sorted({f"{one.takes}{f' on {one.where}' if one.where else ''}" for one in sockets}))
    has = f"a {kind} socket" if number == 1 else f"{number} {kind} sockets"
    message = f"{who(first)} has {has} ({takes})"
    near = list(_near(view.inventory.raw_sockets, first))
    may_be = next((one for one in near if not any(deviations(one, first))), None)
    if may_be is not None:
        untold = next(unknowns(may_be, first), "not all who hold it are known")
        gap = f"{view.host}:owner-unknown:{kind}/{subject}"
        text = f"{message}; whether it is the one declared at {may_be.place} is not known: {untold}"
        return _finding(view, "not_assessed", text, namespace, kind, subject, gap=gap, place=may_be.place)
    proposed = next((one for one in _near(view.inventory.proposed_raw_sockets, first) if is_match(one, first)), None)
    only = f"; only proposed ({proposed.place})" if proposed else ""
    details = tuple(f"{one.place}: {'; '.join(deviations(one, first))}" for one in near)
    return _finding(view, "fail", f"{message}, undeclared{only}", namespace, kind, subject, details=details)


def _finding(
    view: HostView,
    status: Status,
    message: str,
    namespace: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    *,
    details: tuple[str, ...] = (),
    gap: str | None = None,
    place: str | None = None,
) -> Finding:
    return Finding(
        rule=RULE,
        status=status,
        severity=CATALOGUE[RULE].severity,
        host=view.host,
        namespace=namespace,
        protocol=kind,
        port=subject,
        address=None,
        vantage=None,
        message=message,
        details=details,
        gap=gap,
        place=place,
    )
