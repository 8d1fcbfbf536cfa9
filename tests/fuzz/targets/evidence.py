# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host or a scanner sends back: refused with a reason, or evidence that the audit can judge to the last row."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._audit.reconcile import audit
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import (
    ShapeError,
    changed,
    converted,
    decoded,
    encoded,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.listening import Listening
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import scan_problem
from ansible_collections.vigil.ports.tests.fuzz.corpus_files import saved
from ansible_collections.vigil.ports.tests.fuzz.targets.pieces import edited
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

WEB = [build.declared(443, reachable_from=["internet"]), build.declared("8000-8010", required=False)]

GOOD = [json.loads(saved("evidence")[name]) for name in ("listing", "scan")]


def target(data: bytes) -> None:
    """JSON, or else a script of changes to a good listing or scan (see :func:`edited`)."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = edited(GOOD[data[:1] < b"\x80"], data[1:])
    if isinstance(value, dict) and "targets" in value:
        check_scan(value)
    elif isinstance(value, dict):
        check_listing(value)


def check_listing(listening: dict[str, Any]) -> None:
    try:
        record = converted(Listening, listening, "listening")
    except ShapeError as error:
        problem = str(error)
    else:
        problem = ""
    assert not problem or problem.startswith("listening"), problem
    if problem:
        return
    evidence = changed(build.host_evidence(WEB), listening=record)
    assert decoded(HostEvidence, encoded(evidence), "host") == evidence
    results = audit(build.run(), [("web1", evidence)], [])
    json.dumps(results, allow_nan=False)
    (host,) = results["hosts"]
    shown = {(row["namespace"], row["protocol"], row["port"]) for row in host["ports"] if row["listening"]}
    for row in record.listeners:
        assert (row.namespace, row.protocol, row.port) in shown, "a listener is lost"


def check_scan(result: dict[str, Any]) -> None:
    result = {key: result.get(key) for key in ("targets", "coverage", "machine")}
    if scan_problem(result) is not None:
        return
    share = build.share(result["targets"], coverage=result["coverage"], machines=[result["machine"]])
    scan = build.scan_by([share], "internet")
    results = audit(build.run(), [("web1", build.host_evidence(WEB, [build.listener(443)]))], [scan])
    json.dumps(results, allow_nan=False)
