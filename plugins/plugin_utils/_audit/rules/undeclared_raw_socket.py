# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule over packet and raw sockets, which take packets without a port. This module is private to the collection.

A sniffer has one, a DHCP client has one, and a backdoor that waits for a certain packet has nothing else. They are
known by who holds them: those of one process are one finding, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..._evidence.raw_sockets import KINDS, RawSocket
from ..._inventory.placeholder import PROPOSED_RAW
from ..as_seen import proposed_raw_entry
from ..finding import Finding, Status
from ..host_view import HostView, near_raw
from ..owner_match import deviations, is_match, unknowns
from ..rule import Rule
from ..ways import MOVE, Subject, by_exception, by_stopping, way
from ..who import who
from . import controls


def judge(view: HostView) -> Iterator[Finding]:
    """One finding for each process that takes packets undeclared, or one pass."""
    if view.raw_sockets is None:
        return
    undeclared = view.undeclared_raw_sockets
    number = sum(one.receives for one in view.raw_sockets)
    for (namespace, kind, subject), sockets in sorted(undeclared.items()):
        yield _undeclared(view, namespace, kind, subject, sockets)
    if not undeclared:
        unlisted = next((view.unlisted[kind] for kind in KINDS if kind in view.unlisted), None)
        message = f"each of {number} packet and raw sockets is declared" if number else "nothing has one"
        but = ", but not all packet and raw sockets could be listed" if unlisted else ""
        yield _finding(view, "not_assessed" if unlisted else "pass", message + but, gap=unlisted)


def _undeclared(view: HostView, namespace: str, kind: str, subject: str, sockets: Sequence[RawSocket]) -> Finding:
    first, number = sockets[0], sum(one.sockets for one in sockets)
    takes = ", ".join(sorted({f"{one.takes}{f' on {one.where}' if one.where else ''}" for one in sockets}))
    has = f"a {kind} socket" if number == 1 else f"{number} {kind} sockets"
    message = f"{who(first)} has {has} ({takes})"
    may_be = [_may_be(view, one) for one in sockets]
    if all(may_be):  # of one that is surely another, it is no matter what the others are
        place, untold = next(filter(None, may_be))
        gap = f"{view.host}:owner-unknown:{kind}/{subject}"
        text = f"{message}; whether it is the one declared at {place} is not known: {untold}"
        return _finding(view, "not_assessed", text, namespace, kind, subject, gap=gap, place=place)
    first = sockets[may_be.index(None)]
    proposed = next((one for one in near_raw(view.inventory.proposed_raw_sockets, first) if is_match(one, first)), None)
    only = f"; only proposed ({proposed.place})" if proposed else ""
    near = near_raw(view.inventory.raw_sockets, first)
    details = tuple(f"{one.place}: {'; '.join(deviations(one, first))}" for one in near)
    return _finding(view, "fail", f"{message}, undeclared{only}", namespace, kind, subject, details=details)


def _may_be(view: HostView, one: RawSocket) -> tuple[str, str] | None:
    """The place of a declaration that a socket may be for, and what would have to be known; None when it is another."""
    for entry in near_raw(view.inventory.raw_sockets, one):
        if not any(deviations(entry, one)):
            return entry.place, next(unknowns(entry, one), "not all who hold it are known")
    return None


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
        rule=RULE.id,
        status=status,
        severity=RULE.severity,
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


def _raw_declared(subject: Subject) -> dict[str, Any]:
    finding = subject.finding
    entry = proposed_raw_entry(str(finding.protocol), finding.namespace or "host", subject.raw_sockets)
    if entry is None:
        return way(None, None, "who holds it is not known, or has no name that may be pasted: declare it by hand")
    return way(PROPOSED_RAW, entry, MOVE)


RULE = Rule(
    id="undeclared-raw-socket",
    title="a process takes packets without a port, undeclared",
    severity="medium",
    case="packets",
    case_name="nothing takes packets undeclared",
    when=(
        "A packet or raw socket of the host receives, and no entry of `vigil_raw_sockets` is for the process or unit"
        " that holds it. No scan finds it: a sniffer has one, a DHCP client has one, and a backdoor that waits for a"
        " certain packet has nothing else. Those of one process are one finding."
    ),
    remedy="Find out what the process is for. Stop it, or declare it in `vigil_raw_sockets`.",
    controls=(*controls.OWNER, "NIST SP 800-53 SI-4"),
    needs=frozenset(("inside",)),
    excused="never",
    declare=_raw_declared,
    except_for_a_time=by_exception,
    close=by_stopping,
    judge=judge,
)
