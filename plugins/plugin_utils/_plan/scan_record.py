# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the calls of one scanner add up to. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

from .scan_plan import ScanPlan
from .slices import Slice

#: Counts of a coverage that add up over calls; None in one of them means that the sum is not known.
_SUMMED = ("sent", "answered", "timed_out")


#: What a call about services says of an endpoint.
_OF_SERVICES = ("service", "scripts", "identification")


class _Target:
    """One address over several calls. What an earlier call said of a port stands."""

    def __init__(self, host: str, address: str) -> None:
        self.host = host
        self.address = address
        self.statuses: list[str] = []
        self.reason: str | None = None
        self._states: dict[tuple[str, str, str], PortSet] = {}
        self._seen: dict[str, PortSet] = {}
        self._unknown: dict[str, PortSet] = {}
        self.endpoints: dict[tuple[str, int], Mapping[str, Any]] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        self.statuses.append(row["status"])
        self.reason = self.reason or row["reason"]
        before = dict(self._seen)
        for state in row["states"]:
            protocol = state["protocol"]
            fresh = PortSet.parse([state["ports"]], lowest=0) - before.get(protocol, PortSet())
            key = (protocol, state["state"], state["reason"])
            self._states[key] = self._states.get(key, PortSet()) | fresh
            self._seen[protocol] = self._seen.get(protocol, PortSet()) | fresh
        for gap in row["unknown"]:
            self.add_unknown(gap["protocol"], PortSet.parse([gap["ports"]], lowest=0))
        for endpoint in row["endpoints"]:
            if endpoint["port"] not in before.get(endpoint["protocol"], PortSet()):
                self.endpoints[endpoint["protocol"], endpoint["port"]] = endpoint

    def add_unknown(self, protocol: str, ports: PortSet) -> None:
        self._unknown[protocol] = self._unknown.get(protocol, PortSet()) | ports

    def services_to_ask(self) -> dict[str, list[int]]:
        """The open ports by protocol; none where nothing can be learnt, as where every port answers open."""
        found: dict[str, list[int]] = {"tcp": [], "udp": []}
        for (protocol, port), endpoint in sorted(self.endpoints.items()):
            if endpoint["state"] == "open" and self.is_worth_asking and protocol in found:
                found[protocol].append(port)
        return found

    def add_services(self, endpoints: Iterable[Mapping[str, Any]]) -> None:
        """What answers on ports that are open; of others nothing is taken."""
        for told in endpoints:
            key = (told["protocol"], told["port"])
            if key in self.endpoints and self.endpoints[key]["state"] == "open":
                self.endpoints[key] = {**self.endpoints[key], **{name: told[name] for name in _OF_SERVICES}}

    @property
    def status(self) -> str:
        kinds = set(self.statuses)
        if len(kinds) == 1:
            return self.statuses[0]
        if "untrusted" in kinds:
            return "untrusted"
        return "partial" if self._seen else "failed"

    @property
    def is_worth_asking(self) -> bool:
        """False once it is known that nothing more can be learnt: nobody there, refused, or it lies."""
        return self.status in ("complete", "partial")

    def as_dict(self) -> dict[str, Any]:
        unknown = {key: ports - self._seen.get(key, PortSet()) for key, ports in self._unknown.items()}
        return {
            "host": self.host,
            "address": self.address,
            "status": self.status,
            "reason": self.reason,
            "states": [
                {"protocol": protocol, "state": state, "reason": reason, "ports": str(ports)}
                for (protocol, state, reason), ports in sorted(self._states.items())
                if ports
            ],
            "unknown": [{"protocol": key, "ports": str(ports)} for key, ports in sorted(unknown.items()) if ports],
            "endpoints": [self.endpoints[key] for key in sorted(self.endpoints)],
        }


class ScanRecord:
    """A scanner's share of the evidence, growing call by call."""

    def __init__(
        self,
        scanner: str,
        plan: ScanPlan,
        instead_of: Iterable[str] = (),
        known_as: Mapping[str, Any] | None = None,
    ) -> None:
        self._scanner = scanner
        self._plan = plan
        self._instead_of = sorted(instead_of)
        self._targets: dict[tuple[str, str], _Target] = {}
        self._asked_as: dict[tuple[str, str], list[_Target]] = {}
        self._coverage: dict[str, Any] | None = None
        self._known_as = known_as
        self._machines: list[Mapping[str, Any]] = []
        for row in plan.refused:
            nothing: dict[str, Any] = {"status": "refused", "states": [], "unknown": [], "endpoints": []}
            self._target(row["host"], row["address"]).add({**row, **nothing})

    def _target(self, host: str, address: str) -> _Target:
        return self._targets.setdefault((host, address), _Target(host, address))

    def add(self, part: Slice, result: Mapping[str, Any]) -> None:
        """Takes in the result of one call. A name gives a row for each address that it resolved to."""
        if result["machine"] not in self._machines:
            self._machines.append(result["machine"])
        for row in result["targets"]:
            self._target(row["host"], row["address"]).add(row)
        for asked in part.targets:
            mine = [target for target in self._targets.values() if target.host == asked["host"]]
            named = [target for target in mine if target.address == asked["address"]]
            self._asked_as[asked["host"], asked["address"]] = named or mine
        self._coverage = _joined(self._coverage, result["coverage"])

    def worth_asking(self, part: Slice) -> Slice | None:
        """The call without the targets of which nothing more can be learnt; None when none is left."""
        rows = tuple(row for row in part.targets if self._is_worth_asking(row))
        return Slice(rows, part.ports, part.udp_ports, part.top_ports, part.first) if rows else None

    def _is_worth_asking(self, row: Mapping[str, Any]) -> bool:
        known = self._asked_as.get((row["host"], row["address"]))
        return known is None or any(target.is_worth_asking for target in known)

    def cut_short(self, rest: Iterable[Slice], why: str) -> None:
        """Marks what the calls that are not made would have asked as not known."""
        for part in rest:
            for asked in part.targets:
                known = self._asked_as.get((asked["host"], asked["address"]))
                for target in known or [self._target(asked["host"], asked["address"])]:
                    target.statuses.append("partial" if target.statuses else "failed")
                    target.reason = target.reason or why
                    for protocol, ports in (("tcp", part.ports), ("udp", part.udp_ports)):
                        if ports:
                            target.add_unknown(protocol, ports)

    def services_to_ask(self) -> list[dict[str, Any]]:
        """Targets with the open ports that are to be asked what answers, as scan_info takes them."""
        rows = []
        for key in sorted(self._targets):
            ports = self._targets[key].services_to_ask()
            if ports["tcp"] or ports["udp"]:
                rows.append({"host": key[0], "address": key[1], "open": ports["tcp"], "open_udp": ports["udp"]})
        return rows

    def add_services(self, result: Mapping[str, Any]) -> None:
        """Takes in the result of a call about services. It changes no state of a port and no target's status."""
        for row in result["targets"]:
            known = self._targets.get((row["host"], row["address"]))
            if known is not None:
                known.add_services(row["endpoints"])
        if self._coverage is not None:
            new = {**result["coverage"], "why": self._coverage["why"]}
            self._coverage = _joined(self._coverage, new)

    def services_left(self, why: str) -> None:
        """Marks what was to be asked and was not: nothing answered in the time there was."""
        left = [target for target in self._targets.values() if any(target.services_to_ask().values())]
        unasked = 0
        for target in left:
            for protocol, ports in target.services_to_ask().items():
                for port in ports:
                    endpoint = target.endpoints[protocol, port]
                    if endpoint.get("identification", "not-asked") == "not-asked":
                        target.endpoints[protocol, port] = {**endpoint, "identification": "timed-out"}
                        unasked += 1
        if unasked and self._coverage is not None:
            message = f"{unasked} open ports were not asked what answers there: {why}"
            problem = {"code": "versions-incomplete", "message": message}
            problems = [*self._coverage["problems"], problem]
            self._coverage = {**self._coverage, "problems": problems, "complete": False}

    @property
    def opened(self) -> int:
        """Endpoints seen open so far."""
        rows = (endpoint for target in self._targets.values() for endpoint in target.endpoints.values())
        return sum(row["state"] == "open" for row in rows)

    def as_dict(self, status: str, message: str | None) -> dict[str, Any]:
        """The share as ``evidence/scans`` holds it."""
        coverage = self._coverage
        whole = status == "scanned" and all(target.status == "complete" for target in self._targets.values())
        return {
            "scanner": self._scanner,
            "instead_of": self._instead_of,
            "machines": self._machines,
            "known_as": self._known_as,
            "plan": self._plan.as_dict(),
            "status": status,
            "message": message,
            "targets": [self._targets[key].as_dict() for key in sorted(self._targets)],
            "coverage": coverage and {**coverage, "complete": coverage["complete"] and whole},
        }


def _joined(before: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """The coverage of several calls as one."""
    if before is None:
        return dict(new)
    sums = {key: None if before[key] is None or new[key] is None else before[key] + new[key] for key in _SUMMED}
    asked = {key: _both(before["asked"][key], new["asked"][key]) for key in new["asked"]}
    problems = [*before["problems"], *(one for one in new["problems"] if one not in before["problems"])]
    return {
        **new,
        **sums,
        "canaries": _both(before["canaries"], new["canaries"]),
        "confirm_rate": new["confirm_rate"] if before["confirm_rate"] is None else before["confirm_rate"],
        "started": min(before["started"], new["started"]),
        "finished": max(before["finished"], new["finished"]),
        "why": before["why"],
        "asked": asked,
        "commands": [*before["commands"], *new["commands"]],
        "complete": before["complete"] and new["complete"],
        "problems": problems,
    }


def _both(one: str, other: str) -> str:
    """The ports of two texts as one text."""
    return str(PortSet.parse([text for text in (one, other) if text], lowest=0))
