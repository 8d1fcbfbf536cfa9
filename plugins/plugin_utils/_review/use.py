# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which declarations are in use, on which hosts, and since when they are not. Pure.

What is declared alike on many hosts, by the same entry of the same layer, is one row. This module is
private to the collection.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from .._audit.host_view import HostView
from .._inventory.declared import Declaration, PortException
from .._inventory.port_range import DynamicPort, span_of

Row = Mapping[str, Any]


@dataclasses.dataclass
class Use:
    """One declaration over the hosts that have it.

    ``unused`` holds for each host on which nothing uses it the day since when that is known, None when no
    earlier run is. ``unknown`` are hosts that could not be looked at.
    """

    declaration: Declaration
    is_proposal: bool
    in_use: list[str] = dataclasses.field(default_factory=list)
    unused: dict[str, dt.date | None] = dataclasses.field(default_factory=dict)
    unknown: list[str] = dataclasses.field(default_factory=list)
    open_from: set[str] = dataclasses.field(default_factory=set)

    @property
    def hosts(self) -> list[str]:
        return sorted({*self.in_use, *self.unused, *self.unknown})

    def unused_since(self) -> dt.date | None:
        """The day since when nobody uses it anywhere; None when somebody does, or when that is not known."""
        days = list(self.unused.values())
        if self.in_use or self.unknown or not days or None in days:
            return None
        return max(day for day in days if day is not None)

    def may_go(self, today: dt.date, unused_days: int) -> bool:
        """Whether it is proposed for removal: not in use for so many days on any host, and that is known."""
        since = self.unused_since()
        return since is not None and (today - since).days >= unused_days


class Uses:
    """The declarations and exceptions of a run, gathered host by host."""

    def __init__(self) -> None:
        self._uses: dict[tuple[Any, ...], Use] = {}
        self._exceptions: dict[tuple[Any, ...], tuple[PortException, list[str]]] = {}
        self.not_judged: list[str] = []

    def add(self, host: str, view: HostView | None, belief: Row | None) -> None:
        """Takes a host. ``view`` is None where its declarations are not known, ``belief`` what history knew before."""
        if view is None:
            self.not_judged.append(host)
            return
        for exception in view.inventory.exceptions:
            self._exceptions.setdefault(_content(exception), (exception, []))[1].append(host)
        for is_proposal, declarations in ((False, view.inventory.declarations), (True, view.inventory.proposals)):
            for declaration in declarations:
                key = (is_proposal, *_content(declaration))
                use = self._uses.setdefault(key, Use(declaration, is_proposal))
                self._judge(use, declaration, host, view, belief)

    def _judge(self, use: Use, declaration: Declaration, host: str, view: HostView, belief: Row | None) -> None:
        opened = set(_open_from(view, declaration))
        use.open_from |= opened
        if opened or view.listeners_of(declaration):
            use.in_use.append(host)
        elif view.listeners is None or declaration.protocol in view.unlisted:
            use.unknown.append(host)
        else:
            use.unused[host] = _unused_since(declaration, belief, view.today)

    def rows(self) -> list[Use]:
        """Every declaration, in the order of layers and ports."""
        return sorted(
            self._uses.values(), key=lambda use: (use.declaration.place, *span_of(use.declaration.port.subject))
        )

    def exceptions(self) -> list[tuple[PortException, list[str]]]:
        """Every exception with its hosts, in the order in which they expire."""
        return sorted(self._exceptions.values(), key=lambda item: (item[0].expires, item[0].place))


def _content(entry: Declaration | PortException) -> tuple[Any, ...]:
    """What an entry says, by which hosts that have the same entry of a layer are one."""
    return tuple(getattr(entry, field.name) for field in dataclasses.fields(entry))


def _open_from(view: HostView, declaration: Declaration) -> Iterator[str]:
    """Vantage points from which a port of the declaration is open on this host."""
    if declaration.namespace != "host":
        return
    held = {one.port for one in view.listeners_of(declaration)} if isinstance(declaration.port, DynamicPort) else ()
    for target in view.targets:
        for endpoint in target.endpoints:
            if (
                endpoint.state == "open"
                and endpoint.protocol == declaration.protocol
                and (endpoint.port in declaration.port or endpoint.port in held)
            ):
                yield target.vantage


def _unused_since(declaration: Declaration, belief: Row | None, today: dt.date) -> dt.date | None:
    """Since when history knows of no use; the day of the first look at the host when it never saw one."""
    if belief is None or isinstance(declaration.port, DynamicPort):  # history knows ports, not which process had one
        return None
    rows = [
        row
        for row in belief["endpoints"]
        if row["protocol"] == declaration.protocol
        and row["namespace"] == declaration.namespace
        and row["port"] in declaration.port
    ]
    if any(row["open"] for row in rows):
        return today  # the run before this one still saw it
    ended = max((row["since"] for row in rows), default=belief["first_seen"])
    return dt.datetime.fromisoformat(ended).date()
