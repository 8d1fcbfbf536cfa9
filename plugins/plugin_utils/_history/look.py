# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run's look at one host: what it saw, and of what it can say that it is not there.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .._audit.needed_looks import needed_to_be_milder, needed_to_resolve
from .._audit.rule import Needs
from .._audit.rules import exception_expired, exception_expiring
from .._evidence.observed import spans_of
from .._inventory.port_range import span_of

Row = Mapping[str, Any]

#: What of an endpoint is followed from run to run. None: not known in this run.
ATTRIBUTES = ("process", "user", "unit", "executable", "file", "version", "declared")

#: What of a finding is followed.
FINDING_KEYS = ("id", "rule", "status", "severity", "namespace", "protocol", "port", "address", "vantage", "owner")


class Place(NamedTuple):
    """Where an endpoint of a host is: its identity. ``vantage`` is None for what was seen on the host itself."""

    vantage: str | None
    namespace: str
    protocol: str
    address: str
    port: int

    @classmethod
    def of(cls, row: Row) -> Place:
        return cls(row["vantage"], row["namespace"], row["protocol"], row["address"], row["port"])

    @property
    def sort_key(self) -> tuple[str, str, str, int, str]:
        return (self.vantage or "", self.namespace, self.protocol, self.port, self.address)


class Look:
    """What a run says of a host. ``state`` is as ``host_state`` makes it, ``ports`` the texts it refers to."""

    def __init__(self, state: Row, ports: Mapping[str, str]) -> None:
        seen = state["seen"]
        self._assessed: bool = state["assessed"]
        self._judged = seen is not None and seen["judged"]
        self._inside = seen["inside"] if seen else None
        self._outside: Sequence[Row] = seen["outside"] if seen else ()
        self._ports = ports
        self.endpoints: dict[Place, Row] = {Place.of(row): row for row in (seen["endpoints"] if seen else ())}
        self.findings: dict[str, Row] = {row["id"]: row for row in state["findings"]}

    def knows(self, place: Place) -> bool:
        """Whether the run can tell that nothing is at the place. Never for what it did not look at."""
        if place.vantage is None:
            return self._knows_inside(place.protocol, place.namespace)
        return self._knows_outside(place.vantage, place.protocol, place.port, place.port, place.address)

    def knows_finding(self, finding: Row) -> bool:
        """Whether the run looked at all that it takes to say that the finding is no longer true."""
        return self._has_looked(needed_to_resolve(finding["rule"]), finding) or self._has_ended(finding)

    def knows_milder(self, finding: Row) -> bool:
        """Whether the run looked at all that it takes to say that the finding is less grave than it was."""
        return self._has_looked(needed_to_be_milder(finding["rule"]), finding)

    def _has_looked(self, needs: Needs, finding: Row) -> bool:
        return all(_LOOKED[need](self, finding) for need in needs)

    def _has_ended(self, finding: Row) -> bool:
        """An exception that was about to expire has: the day says it, whatever was looked at."""
        subject = ("namespace", "protocol", "port", "vantage")
        return finding["rule"] == exception_expiring.RULE.id and any(
            row["rule"] == exception_expired.RULE.id and row["status"] == "fail"
            for row in self.findings.values()
            if all(row[key] == finding[key] for key in subject)
        )

    def _knows_inside(self, protocol: str, namespace: str) -> bool:
        listed = self._inside
        if listed is None or not listed["whole"] or protocol in listed["unlisted"]:
            return False
        return namespace == "host" or (listed["namespaces"] == "all" and namespace not in listed["missed"])

    def _knows_outside(self, vantage: str, protocol: str, first: int, last: int, address: str | None) -> bool:
        targets = [row for row in self._outside if row["vantage"] == vantage]
        if address is not None:
            of_address = [row for row in targets if row["address"] == address]
            # The host has left the address: that takes a run that saw all of it from there.
            if not of_address and targets and self._assessed:
                return True
            targets = of_address
        return bool(targets) and all(self._asked(row, protocol, first, last) for row in targets)

    def _asked(self, target: Row, protocol: str, first: int, last: int) -> bool:
        key = target["known"].get(protocol)
        if key is None:
            return False
        return any(low <= first and last <= high for low, high in spans_of(self._ports[key]))

    def _looked_inside(self, finding: Row) -> bool:
        return self._judged and self._knows_inside(finding["protocol"] or "", finding["namespace"] or "host")

    def _looked_outside(self, finding: Row) -> bool:
        if not self._judged or finding["port"] is None:
            return False
        first, last = span_of(finding["port"])
        if finding["vantage"] is None:  # it speaks of every vantage point
            if (finding["namespace"] or "host") != "host":
                return True
            return self._assessed and all(self._asked(row, finding["protocol"], first, last) for row in self._outside)
        return self._knows_outside(finding["vantage"], finding["protocol"], first, last, finding["address"])

    def _identified(self, finding: Row) -> bool:
        """True when what is open there was identified, or nothing is open."""
        first, last = span_of(finding["port"])
        return all(
            row["process"] is not None
            for place, row in self.endpoints.items()
            if (place.vantage, place.protocol) == (finding["vantage"], finding["protocol"])
            and first <= place.port <= last
        )

    def _looked_again(self, finding: Row) -> bool:
        """False for a gap of a scan when nobody looked from there: a run from inside only closes none."""
        vantage, address = finding["vantage"], finding["address"]
        return (
            vantage is None
            or self._assessed
            or any(row["vantage"] == vantage and address in (None, row["address"]) for row in self._outside)
        )

    def _is_judged(self, _finding: Row) -> bool:
        return self._judged

    def _is_assessed(self, _finding: Row) -> bool:
        return self._assessed


_LOOKED = {
    "inside": Look._looked_inside,
    "outside": Look._looked_outside,
    "service": Look._identified,
    "declared": Look._is_judged,
    "again": Look._looked_again,
    "everything": Look._is_assessed,
}


def host_state(host: Row, findings: Iterable[Row]) -> dict[str, Any]:
    """What history keeps of a host's row and findings in the results: ``assessed``, ``seen`` and ``findings``.

    Findings that passed are left out: that one is not there says the same. So are gaps that were accepted: a run
    from inside only has one for each vantage point, hour after hour.
    """
    kept = [
        {key: row[key] for key in FINDING_KEYS} for row in findings if row["status"] != "pass" and not row["accepted"]
    ]
    return {
        "assessed": host["assessed"],
        "seen": host["seen"],
        "findings": sorted(kept, key=lambda row: str(row["id"])),
    }
