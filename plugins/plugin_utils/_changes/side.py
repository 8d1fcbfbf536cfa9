# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run before or after a change has of a host, and what is said of it. Private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .._history.look import Look, Place, host_state

Row = Mapping[str, Any]

#: Every kind of outcome, the gravest first.
KINDS = ("not-planned", "not-done", "not-known", "as-planned", "note")
FAILING = frozenset(("not-planned", "not-done", "not-known"))

#: Cases that every host has.
BEFORE, AFTER, NOTHING_ELSE = "assessed before the change", "assessed after the change", "nothing else changed"


class Outcome(NamedTuple):
    """One line of what came of the change on a host. ``case`` names what had to hold, ``text`` says how it is."""

    kind: str
    case: str
    text: str


class Side(NamedTuple):
    """A host as one run has it. ``findings`` are its notable ones."""

    row: Row
    look: Look
    findings: tuple[Row, ...]

    @classmethod
    def of(cls, row: Row, findings: Iterable[Row], ports: Mapping[str, str]) -> Side:
        kept = tuple(findings)
        return cls(row, Look(host_state(row, kept), ports), kept)

    @property
    def gaps(self) -> Iterator[Row]:
        """What could not be told, and was not accepted by name."""
        return (row for row in self.findings if row["status"] == "not_assessed" and not row["accepted"])

    @property
    def was_listed(self) -> bool:
        return self.row["seen"] is not None and self.row["seen"]["inside"] is not None

    def finding(self, rule: str, status: str, place: Place) -> Row | None:
        """The finding of a rule about a port, from the place's vantage point; None when there is none."""
        wanted = (rule, status, place.protocol, place.port, place.vantage)
        about = ("rule", "status", "protocol", "port", "vantage")
        return next((row for row in self.findings if tuple(row[key] for key in about) == wanted), None)
