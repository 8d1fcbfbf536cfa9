# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run held against what history knew before it. Pure: what history knew is evidence of the run.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

from .changes import Belief, Change, fold
from .look import Look, host_state

Json = dict[str, Any]
Row = Mapping[str, Any]


class Before(Protocol):
    """What ``evidence/history.json`` says. ``head`` is all of it but the hosts."""

    @property
    def head(self) -> Row: ...

    def of(self, host: str) -> Row | None:
        """What was believed of a host; None when no run looked at it. Asked in the order of the run's hosts."""


class NothingBefore:
    """A run that did not ask: it was made without the stage vigil.ports.history."""

    head: ClassVar[Row] = {
        "state": "off",
        "message": None,
        "imported": 0,
        "unrecorded": 0,
        "last": None,
        "green": None,
        "trend": [],
    }

    def of(self, _host: str) -> Row | None:
        return None


class Comparison:
    """What a run changed, gathered host by host while it is judged."""

    def __init__(self, before: Before, at: str, ports: Mapping[str, str]) -> None:
        self._before, self._at, self._ports = before, at, ports
        self._is_told = before.head["state"] == "ok"
        self._since: dict[str, list[Json]] = {"last": [], "green": []}

    def known_of(self, host: str) -> Row | None:
        """What was believed of a host. Asked once for each host, in the order of the run's."""
        return self._before.of(host) if self._is_told else None

    def add(self, host: Row, findings: Iterable[Json], known: Row | None) -> None:
        """Takes a host's row and findings with what was ``known_of`` it, and writes into the findings since when they
        are known."""
        rows = list(findings)
        for row in rows:
            row["first_seen"] = row["open_since"] = None
        if not self._is_told:
            return
        look = Look(host_state(host, rows), self._ports)
        belief, changes = fold(None if known is None else Belief.read(known["now"]), look, self._at)
        self._keep("last", host, changes)
        for row in rows:
            entry = belief.findings.get(row["id"])
            if row["status"] != "pass" and entry is not None:
                row["first_seen"], row["open_since"] = entry["first_seen"], entry["open_since"]
        if known is not None and known["green"] is not None:
            at_green = known["at_green"]
            if at_green is not None:
                _belief, changes = fold(Belief.read(at_green), look, self._at)
            self._keep("green", host, changes)

    def _keep(self, since: str, host: Row, changes: Iterable[Change]) -> None:
        self._since[since].extend(change.as_dict(host["host"]) for change in changes)

    def head(self) -> Json:
        """``changes`` of the results, after all hosts."""
        head = self._before.head
        message = f": {head['message']}" if head["message"] else ""
        return {
            "history": f"{head['state']}{message}",
            "last": head["last"],
            "green": head["green"],
            "since_last": self._since["last"],
            "since_green": self._since["green"],
            "trend": head["trend"],
            "imported": head["imported"],
            "unrecorded": head["unrecorded"],
        }
