# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second listing of a host, taken after the scans where they disagree with the first. Private to the collection."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .codec import UNSET
from .observed import Listener, PortSpans, spans_count, spans_hold, spans_of
from .records.host import RelistedEvidence
from .records.listening import Listening

#: A problem of a listing after which a socket that is not in it may be there all the same.
_MAY_LACK = "dump-interrupted"


class BindRow(NamedTuple):
    """Ports of which bind() told the same, as listeners_info documents it."""

    namespace: str
    protocol: str
    state: str
    reason: str | None
    ports: PortSpans


@dataclasses.dataclass(frozen=True)
class Relisted:
    """What a host said when it was listed again.

    ``asked`` are the ports, by protocol, for which it was. ``trouble`` says why the listing cannot say
    that a listener is gone; None when it can. ``bind`` is None when no port was tried.
    """

    asked: Mapping[str, PortSpans]
    trouble: str | None
    listening: Listening | None
    bind: tuple[BindRow, ...] | None
    bound_are_listed: bool

    @classmethod
    def of(cls, row: RelistedEvidence, first: Listening) -> Relisted:
        """``first`` is the first listing."""
        bind = row.listening.bind if row.listening else UNSET
        return cls(
            asked={"tcp": spans_of(row.asked.tcp), "udp": spans_of(row.asked.udp)},
            trouble=_trouble(row, first),
            listening=row.listening,
            bind=None
            if bind is UNSET
            else tuple(
                BindRow(one.namespace, one.protocol, one.state, one.reason, spans_of(one.ports)) for one in bind.ports
            ),
            bound_are_listed=bind is not UNSET and bind.bound_are_listed,
        )

    def told_by_bind(self, protocol: str, port: int) -> BindRow | None:
        """What bind() told of a port in the host's own network namespace; None where it was not tried."""
        for row in self.bind or ():
            if (row.namespace, row.protocol) == ("host", protocol) and spans_hold(row.ports, port):
                return row
        return None

    def untold(self) -> Iterator[tuple[str, str, str]]:
        """Protocol, ports and reason of what bind() could not tell: a port that was asked for and not tried is one."""
        for protocol, spans in self.asked.items():
            rows = [row for row in self.bind or () if (row.namespace, row.protocol) == ("host", protocol)]
            if sum(spans_count(row.ports) for row in rows) < spans_count(spans):
                yield protocol, "some ports", "the host did not tell of each port that it was asked for"
        for row in self.bind or ():
            if row.state == "unknown":
                where = "" if row.namespace == "host" else f" in {row.namespace}"
                yield row.protocol, spans_text(row.ports) + where, row.reason or "no reason given"


def _trouble(row: RelistedEvidence, first: Listening) -> str | None:
    """Why the second listing cannot be held against the first: there is none, or it lacks what that one had."""
    if row.listening is None:
        return row.message or row.status
    again, before = row.listening.coverage, first.coverage
    for problem in again.problems:
        if problem.code == _MAY_LACK:
            return problem.message
    if again.sources != before.sources:
        return "other sockets could be listed than at first"
    # Of what was not looked at the names, as the reasons count.
    if sorted(one.what for one in again.not_looked_at) != sorted(one.what for one in before.not_looked_at):
        return "other kinds of sockets could be listed than at first"
    if again.namespaces.missed != before.namespaces.missed:
        return "other network namespaces could be entered than at first"
    return None


def spans_text(spans: PortSpans) -> str:
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def both_listings(first: Iterable[Listener], again: Iterable[Listener], *, can_be_gone: bool) -> tuple[Listener, ...]:
    """The listeners of two listings; ``seen`` of each says in which.

    One that has the same owners in both, processes of the same kind, is one. With other owners it is
    two: each is held against the declarations. ``can_be_gone`` is false when the second listing may lack some.
    """
    later: dict[tuple[Any, ...], list[Listener]] = {}
    for listener in again:
        later.setdefault(_endpoint(listener), []).append(listener)
    found: list[Listener] = []
    for listener in first:
        same = later.pop(_endpoint(listener), None)
        if same is None:
            found.append(listener._replace(seen="before") if can_be_gone else listener)
            continue
        restarted = any(_is_restarted(listener, one) for one in same)
        found.append(listener._replace(seen="restarted") if restarted else listener)
        found.extend(one for one in same if _owners(one) != _owners(listener))
    found.extend(one._replace(seen="since") for rest in later.values() for one in rest)
    return tuple(found)


def _endpoint(listener: Listener) -> tuple[Any, ...]:
    return (
        listener.namespace,
        listener.protocol,
        listener.address,
        listener.port,
        listener.interface,
        listener.v6only,
    )


def _owners(listener: Listener) -> tuple[Any, ...]:
    """Who is behind a listener, whatever the processes' numbers and the version of their package."""
    processes = frozenset(owner._replace(pid=0, package=None, child_of=None) for owner in listener.owners)
    unit = (listener.unit, listener.activates, listener.activated)
    return (listener.user, listener.uid, unit, listener.owners_state, processes)


def _is_restarted(one: Listener, other: Listener) -> bool:
    """No process of the one is among those of the other."""
    before, after = ({owner.pid for owner in listener.owners} for listener in (one, other))
    return bool(before and after and not before & after)
