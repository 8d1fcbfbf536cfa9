# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first sentence of every report for people. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def verdict(results: Mapping[str, Any]) -> str:
    """One plain sentence: passed or not, and why; and another one where this is not the state, or not of all.

    It holds no text from outside.
    """
    return " ".join([_decision(results), looked_at(results), *_restrictions(results["run"])])


_OUTSIDE = {
    "none": "From outside nothing was asked",
    "known": "From outside only TCP and UDP ports were asked that are declared or were seen listening",
    "common": "From outside only TCP and UDP ports were asked that are declared or were seen listening, and the most"
    " frequent of TCP",
    "full": "From outside every TCP port was asked, and UDP ports that are declared or were seen listening",
}


def looked_at(results: Mapping[str, Any]) -> str:
    """What the verdict rests on: depth, protocols and network namespaces. It stands in every format, word for word."""
    return f"{_OUTSIDE[results['run']['settings']['scan_depth']]}; inside, {_inside(results['coverage'])}."


def _inside(coverage: Mapping[str, Any]) -> str:
    told = coverage.get("looked_at")
    if told is None:
        return "which network namespaces were listed is not recorded in a run of 0.2"
    listed, everywhere = told["listed"], told["every_namespace"]
    if not listed:
        return "no host was listed"
    if everywhere == listed:
        where = "every network namespace"
    elif everywhere:
        where = f"every network namespace of {counted(everywhere, 'host')} and the own one of {listed - everywhere}"
    else:
        where = "each host's own network namespace, and no other"
    return f"TCP, UDP, packet and raw sockets of {where}; sockets of other kinds are counted, not listed"


def _restrictions(run: Mapping[str, Any]) -> Iterator[str]:
    if run.get("what_if"):
        yield f"A what-if run as of {run['audit_date']}: it is not recorded and tells nobody."
    if merged := run.get("merged"):
        yield f"Merged from {counted(len(merged['parents']), 'part')} of a campaign."
    if absent := run.get("absent_scanners"):
        yield f"A part of an inventory: {counted(len(absent), 'scanner')} of the vantage points missing from it."


def _decision(results: Mapping[str, Any]) -> str:
    gate, counts, hosts = results["gate"], results["counts"], results["coverage"]["hosts"]
    untold = gate["untold"]
    breaches = gate["breaking"] - untold
    scope = f"{hosts['assessed']} of {counted(hosts['in_scope'], 'host')} fully assessed"
    if results["run"]["settings"]["scan_depth"] == "none":
        scope = f"{counted(hosts['in_scope'], 'host')}, looked at from inside only"
    if gate["passed"]:
        rest = counts["status"]["fail"]
        below = f"; {counted(rest, 'finding')} below the gate's severity" if rest else ""
        return f"PASSED: {scope}, nothing breaks the gate{below}."
    reasons = []
    if breaches:
        reasons.append(f"{counted(breaches, 'finding')} at or above the gate's severity")
    if untold:
        reasons.append(f"{counted(untold, 'thing')} could not be told")
    ending = " (audit_fail_on is never: the exit status stays 0)" if gate["fail_on"] == "never" else ""
    return f"FAILED: {scope}; {' and '.join(reasons)}{ending}."


def severity_counts(results: Mapping[str, Any]) -> str:
    """``high 2, medium 1``: failed findings by severity, gravest first, with what else there is."""
    severity, status = results["counts"]["severity"], results["counts"]["status"]
    parts = [f"{name} {count}" for name, count in severity.items() if count]
    parts += [
        f"{label} {status[key]}"
        for key, label in (("not_assessed", "not assessed"), ("excepted", "excepted"), ("pass", "passed"))
        if status[key]
    ]
    return ", ".join(parts) or "nothing was checked"


def gravity(row: Mapping[str, Any]) -> str:
    """How grave a finding is, in one word or two: its severity, or that it could not be told."""
    return "not assessed" if row["status"] == "not_assessed" else str(row["severity"])


def counted(number: int, what: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{number} {what}{'' if number == 1 else 's'}"
