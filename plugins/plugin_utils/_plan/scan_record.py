# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the calls of one scanner add up to. This module is private to the collection."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.top_ports import COMMON

from .._evidence.codec import plain
from .._evidence.observed import plain_address
from .._evidence.records.values import Machine
from .scan_plan import ScanPlan
from .slices import Slice

#: Counts of a coverage that add up over calls; None in one of them means that the sum is not known.
_SUMMED = ("sent", "answered", "timed_out")


#: What a call about services says of an endpoint.
_OF_SERVICES = ("service", "scripts", "identification")


class _Target:
    """One address over several calls. What an earlier call said of a port stands."""

    def __init__(self, host: str, address: str, given: str) -> None:
        self.host = host
        self.address = address
        self.given = given
        self.statuses: list[str] = []
        self.reason: str | None = None
        self._states: dict[tuple[str, str, str], PortSet] = {}
        self._seen: dict[str, PortSet] = {}
        self._asked: dict[str, PortSet] = {}
        self.endpoints: dict[tuple[str, int], Mapping[str, Any]] = {}
        self._canaries: dict[str, PortSet] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        self.statuses.append(row["status"])
        self.reason = self.reason or row["reason"]
        before = dict(self._seen)
        for answered in row.get("canaries", ()):
            ports = PortSet.parse([answered["ports"]])
            self._canaries[answered["state"]] = self._canaries.get(answered["state"], PortSet()) | ports
        for state in row["states"]:
            protocol = state["protocol"]
            fresh = PortSet.parse([state["ports"]], lowest=0) - before.get(protocol, PortSet())
            key = (protocol, state["state"], state["reason"])
            self._states[key] = self._states.get(key, PortSet()) | fresh
            self._seen[protocol] = self._seen.get(protocol, PortSet()) | fresh
        for endpoint in row["endpoints"]:
            if endpoint["port"] not in before.get(endpoint["protocol"], PortSet()):
                self.endpoints[endpoint["protocol"], endpoint["port"]] = endpoint

    def ask(self, asked: Mapping[str, PortSet]) -> None:
        """What the plan asks of it, which the scanner has no say in."""
        for protocol, ports in asked.items():
            if ports:
                self._asked[protocol] = self._asked.get(protocol, PortSet()) | ports

    def lacks(self, why: str) -> None:
        """Something was not done for it, and why."""
        self.statuses.append("partial" if self._seen else "failed")
        self.reason = self.reason or why

    @property
    def _unknown(self) -> dict[str, PortSet]:
        left = {protocol: ports - self._seen.get(protocol, PortSet()) for protocol, ports in self._asked.items()}
        return {protocol: ports for protocol, ports in left.items() if ports}

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
        """Computed from what was asked and what is known; of what the scanner says only the worse counts."""
        kinds = set(self.statuses)
        if "untrusted" in kinds:
            return "untrusted"
        if kinds in ({"refused"}, {"failed"}):
            return next(iter(kinds))
        if not any(self._seen.values()):
            return "failed"
        return "complete" if kinds == {"complete"} and not self._unknown else "partial"

    @property
    def is_worth_asking(self) -> bool:
        """False once it is known that nothing more can be learnt: nobody there, refused, or it lies."""
        return self.status in ("complete", "partial")

    def as_dict(self) -> dict[str, Any]:
        unknown = self._unknown
        silent = "the scanner gave no answer for some of the ports that it was asked" if unknown else None
        return {
            "host": self.host,
            "address": self.address,
            "given": self.given,
            "status": self.status,
            "reason": self.reason or silent,
            "states": [
                {"protocol": protocol, "state": state, "reason": reason, "ports": str(ports)}
                for (protocol, state, reason), ports in sorted(self._states.items())
                if ports
            ],
            "unknown": [{"protocol": key, "ports": str(ports)} for key, ports in sorted(unknown.items())],
            "canaries": [{"state": state, "ports": str(ports)} for state, ports in sorted(self._canaries.items())],
            "endpoints": [self.endpoints[key] for key in sorted(self.endpoints)],
        }


class ScanRecord:
    """A scanner's share of the evidence, growing call by call."""

    def __init__(
        self,
        scanner: str,
        plan: ScanPlan,
        instead_of: Iterable[str] = (),
        known_as: Machine | None = None,
    ) -> None:
        self._scanner = scanner
        self._plan = plan
        self._instead_of = sorted(instead_of)
        self._targets: dict[tuple[str, str], _Target] = {}
        self._asked_as: dict[tuple[str, str], list[_Target]] = {}
        self._coverage: dict[str, Any] | None = None
        self._known_as = known_as
        #: By host and address: the name that it came from.
        self._given: dict[tuple[str, str], str] = {}
        self._machines: list[Mapping[str, Any]] = []
        for row in plan.refused:
            nothing: dict[str, Any] = {"status": "refused", "states": [], "unknown": [], "endpoints": []}
            self._target(row["host"], row["address"], row["address"]).add({**row, **nothing})

    def _target(self, host: str, address: str, given: str) -> _Target:
        if (host, address) not in self._targets:
            self._targets[host, address] = _Target(host, address, given)
        return self._targets[host, address]

    def add(self, part: Slice, result: Mapping[str, Any]) -> None:
        """Takes in the result of one call: only rows of what was asked. A name gives one for each of its addresses.

        What was asked is known from the call, so a scanner that leaves something out, or calls complete what is not, is
        found out.
        """
        if result["machine"] not in self._machines:
            self._machines.append(result["machine"])
        told: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for row in result["targets"]:
            told.setdefault((row["host"], row.get("given", row["address"])), []).append(row)
        asked = {"tcp": part.ports | _top_ports(part, result), "udp": part.udp_ports}
        for target in part.targets:
            key = (target["host"], target["address"])
            rows = [row for row in told.get(key, ()) if _answers(target, row)]
            for row in rows:
                one = self._target(row["host"], row["address"], self._given.get(key, target["address"]))
                one.add(row)
            mine = [self._targets[row["host"], row["address"]] for row in rows]
            if not mine:
                mine = [self._target(*key, self._given.get(key, target["address"]))]
                mine[0].lacks("the scanner said nothing about it")
            for one in dict.fromkeys(mine):
                one.ask(asked)
                if target.get("left_out"):
                    one.ask({"tcp": PortSet.parse([target["left_out"]])})
                if part.top_ports and len(asked["tcp"]) < min(part.top_ports, len(COMMON)):
                    one.lacks(f"the scanner asked {len(asked['tcp'])} of the {part.top_ports} most frequent ports")
            if key not in self._given:  # a literal address that a name gave is known by the name
                self._asked_as.setdefault(key, []).extend(one for one in mine if one not in self._asked_as.get(key, ()))
        self._coverage = _joined(self._coverage, result["coverage"])

    def worth_asking(self, part: Slice) -> Slice | None:
        """The call without the targets of which nothing more can be learnt; None when none is left.

        A name is resolved by the first call alone: later ones ask each of the addresses that it gave then.
        """
        rows: list[Mapping[str, Any]] = []
        for row in part.targets:
            key = (row["host"], row["address"])
            known = self._asked_as.get(key)
            if known is None:
                rows.append(row)
            for target in known or ():
                if target.is_worth_asking:
                    rows.append({**row, "address": target.address})
                    if target.address != row["address"]:
                        self._given.setdefault((row["host"], target.address), row["address"])
        return dataclasses.replace(part, targets=tuple(rows)) if rows else None

    def cut_short(self, rest: Iterable[Slice], why: str) -> None:
        """Marks what the calls that are not made would have asked as not known."""
        for part in rest:
            for asked in part.targets:
                key = (asked["host"], asked["address"])
                for target in self._asked_as.get(key) or [self._target(*key, asked["address"])]:
                    target.lacks(why)
                    target.ask({"tcp": part.ports, "udp": part.udp_ports})

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
            "known_as": plain(self._known_as),
            "plan": self._plan.as_dict(),
            "status": status,
            "message": message,
            "targets": [self._targets[key].as_dict() for key in sorted(self._targets)],
            "coverage": coverage and {**coverage, "complete": coverage["complete"] and whole},
        }


def _answers(target: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a row may stand for a target: a literal address for itself, a name for an address of its host."""
    literal = plain_address(target["address"])
    if literal is not None:
        return row["address"] in (literal, target["address"])
    own = target.get("own_addresses")
    return own is None or row["address"] in own or not row["states"]


def _top_ports(part: Slice, result: Mapping[str, Any]) -> PortSet:
    """The most frequent ports that a call asked. Whose list they are from only the scanner knows."""
    if not part.top_ports:
        return PortSet()
    asked = result["coverage"]["asked"]["tcp"]
    return PortSet.parse([asked] if asked else [])


def _joined(before: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """The coverage of several calls as one."""
    if before is None:
        return dict(new)
    sums = {key: None if before[key] is None or new[key] is None else before[key] + new[key] for key in _SUMMED}
    asked = {key: _both(before["asked"][key], new["asked"][key]) for key in new["asked"]}
    problems = {(one["code"], one["message"]): one for one in (*before["problems"], *new["problems"])}
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
        "problems": list(problems.values()),
    }


def _both(one: str, other: str) -> str:
    """The ports of two texts as one text."""
    return str(PortSet.parse([text for text in (one, other) if text], lowest=0))
