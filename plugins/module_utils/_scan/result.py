# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what an engine saw to the result: every port asked for is in one state, or unknown.

This module is private to the collection.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Dict, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._scan.canaries import distrust
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    SILENT,
    Endpoint,
    Outcome,
    Problem,
    Seen,
    StateRow,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import Target

Json = Dict[str, Any]


def partition(seen: Seen, asked: dict[str, PortSet]) -> tuple[list[StateRow], dict[str, PortSet]]:
    """Rows that share no port and hold only what was asked, and what is left unknown, by protocol.

    A port that an engine puts in two states is in the first of them.
    """
    unknown = dict(asked)
    rows = []
    for row in seen.rows:
        ports = row.ports & unknown.get(row.protocol, PortSet())
        if ports:
            unknown[row.protocol] = unknown[row.protocol] - ports
            rows.append(StateRow(row.protocol, row.state, row.reason, ports))
    return rows, unknown


def result(targets: Sequence[Target], outcome: Outcome, why: str, started: str, finished: str) -> Json:
    """The module's result: ``targets`` and ``coverage`` as plain data. Times are ISO 8601 texts."""
    asked = {"tcp": outcome.tcp, "udp": outcome.udp}
    rows = [row for target in targets for row in _target_rows(target, outcome, asked)]
    counts = [_counts(partition(seen, asked)[0]) for seen in outcome.seen.values()]
    return _with_coverage(targets, rows, counts, outcome, why, started, finished)


def services_result(targets: Sequence[Target], outcome: Outcome, why: str, started: str, finished: str) -> Json:
    """The result of a call that asked what answers on ports known to be open: endpoints, and no states."""
    rows = []
    for target in targets:
        if target.addresses:
            seen = [(address, outcome.seen.get(address, Seen())) for address in target.addresses]
            rows += [{**_services_row(target.host, address, one), "given": target.given} for address, one in seen]
        else:
            rows += _target_rows(target, outcome, {})
    return _with_coverage(targets, rows, [], outcome, why, started, finished)


def _services_row(host: str, address: str, seen: Seen) -> Json:
    endpoints = [_endpoint(endpoint) for endpoint in sorted(seen.endpoints, key=lambda one: (one.protocol, one.port))]
    nothing: Json = {"reason": None, "states": [], "unknown": []}
    return {"host": host, "address": address, "status": "complete", **nothing, "endpoints": endpoints}


def _with_coverage(
    targets: Sequence[Target],
    rows: Sequence[Json],
    counts: Sequence[tuple[int, int]],
    outcome: Outcome,
    why: str,
    started: str,
    finished: str,
) -> Json:
    named = [
        Problem("name-resolved", f"{target.given} was scanned as {', '.join(target.addresses)}")
        for target in targets
        if target.addresses and target.given not in target.addresses
    ]
    return {
        "targets": rows,
        "coverage": {
            "started": started,
            "finished": finished,
            "engine": outcome.engine,
            "engine_version": outcome.engine_version,
            "why": why,
            "technique": outcome.technique,
            "privileged": outcome.privileged,
            "rate": outcome.rate,
            "target_rate": outcome.target_rate,
            "retries": outcome.retries,
            "confirm_rate": outcome.confirm_rate,
            "canaries": str(outcome.canaries),
            "asked": {"tcp": str(outcome.tcp), "udp": str(outcome.udp)},
            "sent": outcome.sent,
            "answered": sum(answered for answered, _silent in counts),
            "timed_out": sum(silent for _answered, silent in counts),
            "commands": [list(command) for command in outcome.commands],
            "complete": outcome.whole and bool(rows) and all(row["status"] == "complete" for row in rows),
            "problems": [asdict(problem) for problem in (*named, *outcome.problems)],
        },
    }


def _target_rows(target: Target, outcome: Outcome, asked: dict[str, PortSet]) -> list[Json]:
    if not target.addresses:
        status = "refused" if target.refused else "failed"
        rows = [_row(target.host, target.given, status, target.refused or target.failed, Seen(), [], asked)]
    else:
        rows = [
            {
                **_address_row(target.host, address, outcome, asked),
                "canaries": _canaries(outcome.seen.get(address, Seen()), outcome.canaries),
            }
            for address in target.addresses
        ]
    return [{**row, "given": target.given} for row in rows]


def _canaries(seen: Seen, asked: PortSet) -> list[Json]:
    """What the ports that nobody uses answered, by state: it tells what the address does with any other port."""
    rows, _unknown = partition(seen, {"tcp": asked})
    states: dict[str, PortSet] = {}
    for row in rows:
        states[row.state] = states.get(row.state, PortSet()) | row.ports
    return [{"state": state, "ports": str(ports)} for state, ports in sorted(states.items())]


def _address_row(host: str, address: str, outcome: Outcome, asked: dict[str, PortSet]) -> Json:
    seen = outcome.seen.get(address, Seen())
    rows, unknown = partition(seen, asked)
    doubt = distrust(seen, outcome.canaries)
    if doubt:
        return _row(host, address, "untrusted", doubt, seen, rows, unknown)
    missing = {protocol: ports for protocol, ports in unknown.items() if ports}
    if not missing and rows:
        status = "partial" if seen.unconfirmed else "complete"
        return _row(host, address, status, seen.unconfirmed, seen, rows, unknown)
    told = seen.reason or "; ".join(problem.message for problem in outcome.problems if "unknown" in problem.message)
    reason = told or "nothing is known of some of the ports that were asked for"
    return _row(host, address, "partial" if rows else "failed", reason, seen, rows, unknown)


def _row(
    host: str,
    address: str,
    status: str,
    reason: str | None,
    seen: Seen,
    rows: Sequence[StateRow],
    unknown: dict[str, PortSet],
) -> Json:
    shown: dict[tuple[str, str], PortSet] = {}
    for row in rows:
        shown[row.protocol, row.state] = shown.get((row.protocol, row.state), PortSet()) | row.ports
    return {
        "host": host,
        "address": address,
        "status": status,
        "reason": reason,
        "states": [
            {"protocol": row.protocol, "state": row.state, "reason": row.reason, "ports": str(row.ports)}
            for row in sorted(rows, key=lambda row: (row.protocol, row.state, row.reason))
        ],
        "unknown": [{"protocol": name, "ports": str(ports)} for name, ports in unknown.items() if ports],
        "endpoints": [
            _endpoint(endpoint)
            for endpoint in sorted(seen.endpoints, key=lambda endpoint: (endpoint.protocol, endpoint.port))
            if endpoint.port in shown.get((endpoint.protocol, endpoint.state), PortSet())
        ],
    }


def _endpoint(endpoint: Endpoint) -> Json:
    values = asdict(endpoint)
    if endpoint.service is not None:
        values["service"]["cpes"] = list(endpoint.service.cpes)
    values["scripts"] = list(values["scripts"])
    return values


def _counts(rows: Sequence[StateRow]) -> tuple[int, int]:
    silent = sum(len(row.ports) for row in rows if row.reason == SILENT)
    return sum(len(row.ports) for row in rows) - silent, silent
