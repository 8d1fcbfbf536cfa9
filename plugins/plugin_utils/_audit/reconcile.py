# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declarations and evidence in, findings out. Pure: no clock, no files, no network.

This module is private to the collection.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._evidence.codec import plain
from .._evidence.records.host import HostEvidence, RelistedEvidence
from .._evidence.records.merged import MergeEvidence
from .._evidence.records.reachable import ScanEvidence, Share
from .._evidence.results_file import is_notable
from .._evidence.run_directory import RESULTS_SHAPE, DamagedScan
from .._history.comparison import Before, Comparison, NothingBefore
from .._inventory.declared import Inventory
from .._inventory.loader import load_inventory
from .._inventory.problem import Problem
from .acceptance import unused
from .disagreements import disagreements
from .exceptions import with_exceptions
from .finding import Finding, one_for_each_subject
from .gaps import host_gap, inventory_gap, unmatched_gaps
from .gaps_of_host import gaps_of_host
from .gate import Gate
from .host_view import HostView
from .leg import Evidence, Looked
from .legs.listening import LEG as LISTENING
from .legs.reachable import unscanned_rows
from .legs.registry import LEGS
from .legs.relisted import LEG as RELISTED
from .may_disagree import may_disagree
from .merge_gaps import OfParts
from .port_table import port_table
from .rules.acceptance_unused import acceptances
from .rules.not_assessed import gap
from .rules.registry import RULES
from .same_machine import Machines
from .seen_from_outside import SeenFromOutside
from .totals import Totals
from .view_of_host import view_of_host
from .ways_out import with_ways_out
from .what_was_seen import KnownPorts, declared_digest, what_was_seen

#: The checks over one host, in the order in which they are asked. Exceptions come after all of them.
_CHECKS = tuple(rule.judge for rule in RULES if rule.judge)
_CHECKS_FOR_HIDDEN = tuple(rule.judge_hidden for rule in RULES if rule.judge_hidden)


def audit(
    run: Mapping[str, Any],
    hosts: Iterable[tuple[str, HostEvidence | None]],
    scans: Iterable[ScanEvidence | DamagedScan],
    before: Before | None = None,
    relisted: Mapping[str, RelistedEvidence] | None = None,
) -> dict[str, Any]:
    """The results of a run, as ``schemas/results.schema.json`` describes them, all in memory.

    ``run`` is what ``evidence/run.json`` holds, ``hosts`` each host in scope with its evidence (None:
    there is none), ``scans`` the evidence of each vantage point, ``before`` what history knew, and
    ``relisted`` the second listings of hosts. The same arguments give the same value.
    """
    audited = Audit(run, scans, before)
    rows: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    for host, evidence in hosts:
        row, found = audited.of_host(host, evidence_of(evidence, (relisted or {}).get(host)))
        rows.append(row)
        findings.extend(found)
    findings.extend(audited.of_run())
    findings.sort(key=lambda finding: not is_notable(finding))
    return {**audited.head(), "hosts": rows, "findings": findings}


class Audit:
    """The judging of a run, host by host: of a large one nothing is kept but totals.

    ``run`` is what ``evidence/run.json`` holds, ``scans`` the evidence of each vantage point, ``before``
    what ``evidence/history.json`` holds, ``merged`` what ``evidence/merge.json`` does.
    """

    def __init__(
        self,
        run: Mapping[str, Any],
        scans: Iterable[ScanEvidence | DamagedScan],
        before: Before | None = None,
        merged: MergeEvidence | None = None,
    ) -> None:
        self._parts = OfParts(merged)
        run = {**run, "scanners": {**run["scanners"], **self._parts.scanners()}} if merged else run
        self._run = run
        self._gate = Gate.of(run["settings"])
        self._outside = SeenFromOutside(run, scans)
        self._inventories = _Inventories()
        self._machines = Machines()
        self._totals = Totals()
        self._known_ports = KnownPorts()
        self._comparison = Comparison(before or NothingBefore(), run["started"], self._known_ports.texts)

    def of_host(self, host: str, found: Evidence) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """One host's row and findings, from its evidence by leg."""
        known = self._comparison.known_of(host)
        if why := self._parts.why_none(host):
            return self._judged(_host_row(host, "no-part", why), [host_gap(host, "no-part", why)], known)
        of_parts = list(self._parts.of_host(host))
        evidence = LISTENING.of(found)
        if evidence is None:
            why = "it left no evidence: it did not answer in time (audit_answer_timeout), or failed at an earlier task"
            return self._judged(
                _host_row(host, "no-evidence", why), [*of_parts, host_gap(host, "no-evidence", why)], known
            )
        row, findings = self._of_evidence(host, evidence, found, known)
        return self._judged(row, self._machines.once(host, evidence, [*of_parts, *findings]), known)

    def _of_evidence(
        self, host: str, evidence: HostEvidence, found: Evidence, known: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], list[Finding]]:
        """``known`` is what history believed of the host."""
        inventory, problems, digest = self._inventories.of(evidence.inventory)
        errors = (Problem(one.place, one.value, one.message, one.allowed) for one in evidence.inventory_errors)
        problems = (*errors, *problems)
        view = view_of_host(self._run, host, found, self._outside, inventory, known)
        if problems:
            finding = inventory_gap(host, problems)
            row = _host_row(host, "inventory-invalid", finding.message, evidence)
            seen = what_was_seen(view, evidence, digest, self._known_ports, declarations=False)
            return {**row, "seen": seen}, [finding]
        looked = Looked(view, found, self._outside)
        gaps = list(gaps_of_host(self._run, looked))
        complete = not any(finding.status == "not_assessed" for finding in gaps)
        ruled = [finding for check in _CHECKS for finding in check(view)]
        disagree = bool(disagreements(view, ruled))
        ruled.extend(finding for check in _CHECKS_FOR_HIDDEN for finding in check(view, disagree))
        findings = one_for_each_subject([*gaps, *with_exceptions(view, ruled, assessed=complete)])
        findings = [with_ways_out(view, finding) for finding in findings]
        findings.sort(key=lambda finding: finding.sort_key)
        self._totals.add_legs(leg.name for leg in LEGS if leg.told(looked))
        return {
            **_host_row(host, evidence.status, evidence.message, evidence),
            "relisted": _relisted_row(RELISTED.of(found)),
            "ports": port_table(view, findings, self._outside.vantages),
            "seen": what_was_seen(view, evidence, digest, self._known_ports),
            "unscanned": unscanned_rows(evidence, self._outside.of(host, evidence)),
        }, findings

    def of_damaged_host(self, host: str, damage: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The row and findings of a host whose evidence cannot be used, for the reason that ``damage`` says."""
        message = f"the evidence of the host cannot be used: {damage}"
        finding = gap(f"{host}:evidence-damaged", message, host=host)
        known = self._comparison.known_of(host)
        return self._judged(_host_row(host, "evidence-damaged", damage), [finding], known)

    def _judged(
        self, row: dict[str, Any], found: Iterable[Finding], known: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        judged = [self._gate.judge(finding) for finding in found]
        row["assessed"] = not any(finding["status"] == "not_assessed" for finding in judged)
        self._totals.add(row, judged)
        self._comparison.add(row, judged, known)
        return row, judged

    def view(self, host: str, found: Evidence) -> HostView | None:
        """What is declared and what was seen of a host; None where nothing is known of what is declared."""
        evidence = LISTENING.of(found)
        if evidence is None or evidence.inventory_errors:
            return None
        inventory, problems, _digest = self._inventories.of(evidence.inventory)
        return None if problems else view_of_host(self._run, host, found, self._outside, inventory)

    def may_disagree(self, host: str, found: Evidence) -> bool:
        """False only for a host without ``disagreements``."""
        evidence = LISTENING.of(found)
        if evidence is None or evidence.listening is None or evidence.inventory_errors:
            return False
        targets = (target for _vantage, targets in self._outside.of(host, evidence) for target in targets)
        inventory = self._inventories.of(evidence.inventory).inventory
        return may_disagree(inventory, evidence.listening.listeners, targets)

    def disagreements(self, host: str, found: Evidence) -> set[tuple[str, int]]:
        """Protocols and ports of which host and scans say different things; none of a host that has no verdicts.

        Only the first listing counts.
        """
        view = self.view(host, {name: one for name, one in found.items() if name != RELISTED.name})
        if view is None or view.listeners is None:
            return set()
        return disagreements(view, (finding for check in _CHECKS for finding in check(view)))

    def of_run(self) -> list[dict[str, Any]]:
        """What is to say of the run as a whole, after all hosts."""
        gaps = [*unmatched_gaps(self._run.get("unmatched", ())), *self._parts.of_run()]
        if not self._totals.in_scope:
            message = "no host was in scope: the pattern or the limit matches nothing in the inventory"
            gaps.append(gap("run:no-hosts", message, host=None))
        judged = [self._gate.judge(one) for one in gaps]
        self._totals.add(None, judged)
        judged += self._of_acceptances()
        return [{**finding, "first_seen": None, "open_since": None} for finding in judged]

    def _of_acceptances(self) -> list[dict[str, Any]]:
        """Whether each accepted gap is there; a run that left hosts out cannot tell."""
        accepted, run = self._run["settings"]["accept_gaps"], self._run
        if not accepted or run["limit"] is not None or run["left_out"]:
            return []
        judged = [self._gate.judge(acceptances(unused(accepted, self._totals.accepted_gaps)))]
        self._totals.add(None, judged)
        return judged

    def head(self) -> dict[str, Any]:
        """Everything of the results but hosts and findings, after all of these."""
        run, outside, totals = self._run, self._outside, self._totals
        scans = [share.coverage.finished for rows in outside.shares.values() for share in rows if share.coverage]
        vantages = [
            {"name": name, "scanners": [_scanner(share) for share in outside.shares[name]]} for name in outside.vantages
        ]
        return {
            "shape": RESULTS_SHAPE,
            # What is judged is no newer than the last evidence.
            "run": {
                **{key: value for key, value in run.items() if key != "shape"},
                "finished": max([str(run["started"]), totals.finished, *scans]),
                **self._parts.about(),
            },
            "coverage": {
                "hosts": {"in_scope": totals.in_scope, "assessed": totals.assessed},
                "looked_at": {"listed": totals.listed, "every_namespace": totals.listed_everywhere},
                "legs": [{"leg": leg.name, "title": leg.title, "hosts": totals.legs.get(leg.name, 0)} for leg in LEGS],
                "left_out": run["left_out"],
                "vantages": vantages,
                "accepted_gaps": sorted(totals.accepted_gaps),
            },
            "known_ports": self._known_ports.texts,
            "changes": self._comparison.head(),
            "counts": {"status": totals.status, "severity": totals.severity},
            "gate": {
                "fail_on": run["settings"]["fail_on"],
                "breaking": totals.breaches + totals.untold,
                "untold": totals.untold,
                "passed": not totals.breaches + totals.untold,
            },
        }


class _Declared(NamedTuple):
    """What a host declares: without problems, or an empty inventory with all of them; and a digest of the variables."""

    inventory: Inventory
    problems: tuple[Problem, ...]
    digest: str


class _Inventories:
    """The declared inventories of many hosts; what is declared alike is validated once."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Declared] = {}

    def of(self, variables: Mapping[str, Any]) -> _Declared:
        key = marshal.dumps(dict(variables), 2)  # version 2: the same for equal values, whatever refers to them
        if key not in self._known:
            self._known[key] = _Declared(*load_inventory(variables), declared_digest(variables))
        return self._known[key]


def evidence_of(host: HostEvidence | None, relisted: RelistedEvidence | None = None) -> Evidence:
    """The evidence of one host by leg, from its two listings."""
    found = {LISTENING.name: host, RELISTED.name: relisted}
    return {name: record for name, record in found.items() if record is not None}


def _relisted_row(relisted: RelistedEvidence | None) -> dict[str, Any] | None:
    """Why and when a host was listed again, and what came of it."""
    if relisted is None:
        return None
    listening = relisted.listening
    return {
        "status": relisted.status,
        "message": relisted.message,
        "asked": plain(relisted.asked),
        "finished": listening.coverage.finished if listening else None,
        "bind_tried": bool(listening and listening.bind),
    }


def _host_row(host: str, status: str, message: str | None, evidence: HostEvidence | None = None) -> dict[str, Any]:
    listening = evidence.listening if evidence else None
    return {
        "host": host,
        "status": status,
        "message": message,
        "addresses": plain(evidence.outside_addresses) if evidence else {},
        "about": plain(listening.host) if listening else None,
        "coverage": plain(listening.coverage) if listening else None,
        "relisted": None,
        "ports": [],
        "seen": None,
        "unscanned": [],
    }


def _scanner(share: Share) -> dict[str, Any]:
    targets = {(target.host, target.address): target.status for target in share.targets}
    return {
        "scanner": share.scanner,
        "instead_of": list(share.instead_of),
        "status": share.status,
        "message": share.message,
        "targets": len(targets),
        "complete": sum(status == "complete" for status in targets.values()),
        "coverage": plain(share.coverage),
    }
