# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declarations and evidence in, findings out. Pure: no clock, no files, no network.

This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._evidence.observed import Listener, ScannedTarget, address_of, plain_address
from .._evidence.run_directory import RESULTS_SHAPE
from .._inventory.declared import Inventory
from .._inventory.loader import load_inventory
from .._inventory.problem import Problem
from .._plan.outside_addresses import addresses_for
from .approval_rules import overdue_reviews, with_exceptions
from .exposure_rules import blocked_services, exposures, firewall_holes, open_without_listeners
from .finding import Finding, one_for_each_subject
from .gap_rules import assessed, gap, host_gap, inventory_gap, listing_gaps, not_scanned, scan_gaps
from .gate import Gate
from .host_view import HostView
from .listening_rules import missing_listeners, undeclared_listeners, wrong_owners
from .port_table import port_table
from .service_rules import wrong_services

#: Every rule over one host, in the order in which they are asked. Exceptions come after all of them.
_HOST_RULES = (
    undeclared_listeners,
    missing_listeners,
    wrong_owners,
    exposures,
    blocked_services,
    open_without_listeners,
    firewall_holes,
    wrong_services,
    overdue_reviews,
)


def audit(
    run: Mapping[str, Any], hosts: Iterable[tuple[str, Mapping[str, Any] | None]], scans: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The results of a run, as ``schemas/results.schema.json`` describes them.

    ``run`` is what ``evidence/run.json`` holds, ``hosts`` each host in scope with its evidence (None:
    there is none), ``scans`` the evidence of each vantage point. The same arguments give the same value.
    """
    gate = Gate.of(run["settings"]["fail_on"], run["settings"]["accept_gaps"])
    view_from_outside = _Outside(run, scans)
    inventories = _Inventories()
    rows: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for host, evidence in hosts:
        row, found = _audit_host(run, host, evidence, view_from_outside, inventories)
        judged = sorted((gate.judge(finding) for finding in found), key=lambda finding: finding.sort_key)
        rows.append({**row, "assessed": not any(finding.status == "not_assessed" for finding in judged)})
        findings.extend(judged)
    if not rows:
        message = "no host was in scope: the pattern or the limit matches nothing in the inventory"
        findings.append(gate.judge(gap("run:no-hosts", message, host=None)))
    return _results(run, rows, findings, view_from_outside)


class _Inventories:
    """The declared inventories of many hosts; what is declared alike is validated once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Inventory, tuple[Problem, ...]]] = {}

    def of(self, variables: Mapping[str, Any]) -> tuple[Inventory, tuple[Problem, ...]]:
        key = json.dumps(variables, sort_keys=True)
        if key not in self._known:
            self._known[key] = load_inventory(variables)
        return self._known[key]


class _Outside:
    """What was seen from the vantage points, by host."""

    def __init__(self, run: Mapping[str, Any], scans: Iterable[Mapping[str, Any]]) -> None:
        self.vantages: list[str] = [vantage["name"] for vantage in run["vantages"]]
        self.shares: dict[str, list[Mapping[str, Any]]] = {name: [] for name in self.vantages}
        self._targets: dict[tuple[str, str], list[ScannedTarget]] = {}
        self._sent: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = {}
        for scan in scans:
            self.shares.setdefault(scan["vantage"], []).extend(scan["shares"])
            for share in scan["shares"]:
                for row in share["targets"]:
                    target = ScannedTarget.read(scan["vantage"], share["scanner"], row)
                    _keep_best(self._targets.setdefault((target.host, target.vantage), []), target)
                for row in (*share["plan"]["targets"], *share["plan"]["refused"]):
                    sent = self._sent.setdefault((row["host"], scan["vantage"]), {})
                    sent.setdefault(row["address"], []).append(share)

    def of(self, host: str) -> Iterator[tuple[str, tuple[ScannedTarget, ...]]]:
        """Each vantage point with what it saw of the host."""
        for vantage in self.vantages:
            yield vantage, tuple(self._targets.get((host, vantage), ()))

    def unseen(self, host: str, vantage: str, expected: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """Addresses of the host on which no scanner of the vantage point reported, with what is known of that.

        Scanners of one place divide the addresses of a host among them: that one reported says nothing of the other.
        """
        reported = {target.address for target in self._targets.get((host, vantage), ())}
        for address in expected:
            sent = self._sent.get((host, vantage), {}).get(address, [])
            done = [share for share in sent if share["status"] == "scanned"]
            plain = plain_address(address)
            # A name is reported on by the addresses that it resolved to at the scanner.
            if (plain or address) in reported or (plain is None and done and reported):
                continue
            troubles = [f"{share['scanner']}: {share['message'] or share['status']}" for share in sent if not done]
            yield address, "; ".join(troubles) or (None if done else self.why_none(vantage))

    def why_none(self, vantage: str) -> str | None:
        """What is known of a vantage point from which a host was not scanned."""
        troubles = [
            f"{share['scanner']}: {share['message'] or share['status']}"
            for share in self.shares[vantage]
            if share["status"] != "scanned"
        ]
        if troubles:
            return "; ".join(troubles)
        return None if self.shares[vantage] else "no scanner of it reported"


def _keep_best(targets: list[ScannedTarget], new: ScannedTarget) -> None:
    """Of an address that several scanners saw, the fullest look: one took over what another had left."""
    for index, known in enumerate(targets):
        if known.address == new.address:
            if known.status != "complete" and (new.status == "complete" or not known.states):
                targets[index] = new
            return
    targets.append(new)


def _audit_host(
    run: Mapping[str, Any],
    host: str,
    evidence: Mapping[str, Any] | None,
    outside: _Outside,
    inventories: _Inventories,
) -> tuple[dict[str, Any], list[Finding]]:
    if evidence is None:
        why = "it left the play before the audit began (unreachable, or failed at an earlier task)"
        return _host_row(host, "no-evidence", why), [host_gap(host, "no-evidence", why)]
    inventory, problems = inventories.of(evidence["inventory"])
    problems = tuple(Problem(**problem) for problem in evidence["inventory_errors"]) + problems
    if problems:
        finding = inventory_gap(host, problems)
        return _host_row(host, "inventory-invalid", finding.message, evidence), [finding]
    listening = evidence["listening"]
    seen = dict(outside.of(host))
    view = HostView(
        host=host,
        inventory=inventory,
        listeners=None if listening is None else tuple(Listener.read(row) for row in listening["listeners"]),
        own_addresses={}
        if listening is None
        else {address_of(row["address"]): row["interface"] for row in listening["addresses"]},
        # What answers on every port says nothing of any: an untrusted target is a gap, and no ground for a verdict.
        targets=tuple(target for targets in seen.values() for target in targets if target.status != "untrusted"),
        today=dt.date.fromisoformat(run["audit_date"]),
        expiring_days=run["settings"]["expiring_days"],
        depth=run["settings"]["scan_depth"],
    )
    gaps = list(_gaps(view, evidence, seen, outside))
    complete = not any(finding.status == "not_assessed" for finding in gaps)
    ruled = [finding for rule in _HOST_RULES for finding in rule(view)]
    findings = one_for_each_subject([*gaps, *with_exceptions(view, ruled, assessed=complete)])
    return {
        **_host_row(host, evidence["status"], evidence["message"], evidence),
        "ports": port_table(view, findings),
    }, findings


def _gaps(
    view: HostView,
    evidence: Mapping[str, Any],
    seen: Mapping[str, Sequence[ScannedTarget]],
    outside: _Outside,
) -> Iterator[Finding]:
    listening = evidence["listening"]
    if listening is None:
        yield host_gap(view.host, evidence["status"], evidence["message"])
    else:
        protocols = {declaration.protocol for declaration in view.inventory.declarations}
        namespaces = {declaration.namespace for declaration in view.inventory.declarations}
        gaps = list(listing_gaps(view.host, listening["coverage"], protocols, namespaces))
        yield from gaps
        if not gaps:
            yield assessed(view.host, f"{len(listening['listeners'])} listeners were listed on the host")
    for vantage, targets in seen.items():
        yield from scan_gaps(view.host, vantage, targets, outside.why_none(vantage))
        if targets:
            expected = addresses_for(evidence["outside_addresses"], vantage)
            for address, why in outside.unseen(view.host, vantage, expected):
                yield not_scanned(view.host, vantage, why, address)
    declared = {name for declaration in view.inventory.declarations for name in declaration.reachable_from or ()}
    for vantage in sorted(declared - set(seen)):
        why = "a declaration names this vantage point, and nobody stands there (vigil_vantages)"
        yield from scan_gaps(view.host, vantage, (), why)


def _host_row(host: str, status: str, message: str | None, evidence: Mapping[str, Any] | None = None) -> dict[str, Any]:
    listening = (evidence or {}).get("listening")
    return {
        "host": host,
        "status": status,
        "message": message,
        "addresses": (evidence or {}).get("outside_addresses", {}),
        "about": listening["host"] if listening else None,
        "coverage": listening["coverage"] if listening else None,
        "ports": [],
    }


def _results(
    run: Mapping[str, Any], rows: list[dict[str, Any]], findings: list[Finding], outside: _Outside
) -> dict[str, Any]:
    statuses = [finding.status for finding in findings]
    breaking = sum(finding.breaks_gate for finding in findings)
    severities = [finding.severity for finding in findings if finding.status == "fail"]
    return {
        "shape": RESULTS_SHAPE,
        "run": {
            **{key: value for key, value in run.items() if key != "shape"},
            "finished": _finished(run, rows, outside),
        },
        "coverage": {
            "hosts": {"in_scope": len(rows), "assessed": sum(row["assessed"] for row in rows)},
            "left_out": run["left_out"],
            "vantages": [
                {"name": name, "scanners": [_scanner(share) for share in outside.shares[name]]}
                for name in outside.vantages
            ],
            "accepted_gaps": sorted({finding.gap for finding in findings if finding.accepted and finding.gap}),
        },
        "hosts": rows,
        "findings": [finding.as_dict() for finding in findings],
        "counts": {
            "status": {status: statuses.count(status) for status in ("pass", "fail", "excepted", "not_assessed")},
            "severity": {
                severity: severities.count(severity) for severity in ("critical", "high", "medium", "low", "info")
            },
        },
        "gate": {"fail_on": run["settings"]["fail_on"], "breaking": breaking, "passed": not breaking},
    }


def _scanner(share: Mapping[str, Any]) -> dict[str, Any]:
    targets = {(target["host"], target["address"]): target["status"] for target in share["targets"]}
    return {
        "scanner": share["scanner"],
        "instead_of": share["instead_of"],
        "status": share["status"],
        "message": share["message"],
        "targets": len(targets),
        "complete": sum(status == "complete" for status in targets.values()),
        "coverage": share["coverage"],
    }


def _finished(run: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], outside: _Outside) -> str:
    """When the last evidence was taken: what is judged is no newer than that."""
    times: list[str] = [row["coverage"]["finished"] for row in rows if row["coverage"]]
    times += [
        share["coverage"]["finished"] for shares in outside.shares.values() for share in shares if share["coverage"]
    ]
    return max([str(run["started"]), *times])
