# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results in which hostile text stands wherever text from outside can stand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ansible_collections.vigil.ports.tests.unit.hostile.corpus import FAMILIES
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import strategies as st

Json = dict[str, Any]

#: Some of each family: here each stands in every place at once, which takes its time.
PAYLOADS = [text for texts in FAMILIES.values() for text in texts[:3]]

#: Any text that JSON can carry, lone surrogates too.
anything = st.text(st.characters(exclude_categories=()), min_size=1, max_size=80)

#: What the collection itself writes there; everything else in results may be somebody's text.
_OURS = frozenset(
    (
        "shape",
        "rule",
        "status",
        "severity",
        "audit_date",
        "started",
        "finished",
        "scan_depth",
        "fail_on",
        "id",
        "kind",
        "history",
    )
)
_OURS_TOO = frozenset(("remedy", "controls", "expires", "port", "declared_port"))


def results() -> Json:
    """Results in which every rule, every status and every part of a report is."""
    declared = [
        build.declared(443, reachable_from=["internet"], service="https", process="apache2", review_by="2026-01-01"),
        build.declared("8000-8010", namespace="netns/blue", process="nginx", required=False),
        build.declared(25, reachable_from=["internet"]),
        build.declared(22, reachable_from=[]),
    ]
    excused = [
        build.exception(8080, change="CHG-1", approved_by="netsec", expires=build.days_from_today(3)),
        build.exception(9, expires=build.days_from_today(-1)),
        build.exception(10),
    ]
    heard = [
        build.listener(443),
        build.listener(25),
        build.listener(22),
        build.listener(8080),
        build.listener(9000, owners=[build.owner(executable_deleted=True)]),
        build.unowned(8005, namespace="netns/blue"),
        build.listener(631, "127.0.0.1"),
    ]
    opened = [22, 443, 7000, 8080]
    seen = build.target(
        opened,
        states=build.states(opened, "1-1000,7000-7000,8080-8080", "filtered"),
        endpoints=[
            build.endpoint(port, service=build.service("ssh", product="OpenSSH", version="9.2")) for port in opened
        ],
    )
    seen["states"][1]["ports"] = "1-19,21,23-442,444-1000"
    seen["states"].append({"protocol": "tcp", "state": "closed", "reason": "reset", "ports": "20"})
    host = build.host_evidence(
        declared,
        exceptions=excused,
        listening=build.listening(
            heard,
            namespaces={"asked": "all", "seen": ["host"], "missed": [{"namespace": "net:[7]", "reason": "EPERM"}]},
            not_looked_at=[{"what": "raw", "reason": "no"}],
            owners={"asked": "all", "complete": False, "unknown": 1},
            problems=[{"code": "refused", "message": "no"}],
        ),
    )
    cut = {**build.target(), "host": "web3", "status": "partial", "reason": "timeout"}
    cut["unknown"] = [{"protocol": "tcp", "ports": "1001-2000"}]
    host.inventory["vigil_ports__proposed"] = [build.declared(8081)]
    share = build.share([seen, cut], coverage=build.scan_coverage(problems=[{"code": "slow", "message": "lossy"}]))
    failed = build.share([], "two", status="failed", message="no nmap", coverage=None)
    scan = build.scan_by([share, failed], "internet")
    about = build.run(
        ["web1", "web2", "web3"],
        label="nightly",
        limit="web*",
        left_out=["web9"],
        accept_gaps=["web3:scan-partial@internet"],
        inventory={"commit": "abc", "dirty": True},
        vantages=[{"name": "internet", "scanners": ["control1", "two"]}, {"name": "office", "scanners": ["three"]}],
    )
    hosts = [("web1", host), ("web2", None), ("web3", build.host_evidence(host="web3"))]
    made = build.audit(about, hosts, [scan], _before())
    whole = build.judged(build.host_evidence(exceptions=[build.exception(10)]))
    made["findings"][:0] = build.of_rule(whole, "exception-unused")
    whole = build.judged(build.host_evidence(), [], build.run(accept_gaps=["web9:unreachable"]))
    made["findings"][:0] = build.of_rule(whole, "acceptance-unused")
    build.validator("results").validate(made)
    return made


def _before() -> build.Remembered:
    """An earlier run that passed and one after it, so that each kind of change is there."""
    heard = [build.listener(22, owners=[build.owner(name="dropbear")]), build.listener(7777), build.listener(631)]
    first = build.judged(build.host_evidence(listeners=heard), about=build.run(fail_on="never"))
    first["gate"]["passed"] = True
    second = build.judged(build.host_evidence(listeners=[*heard, build.listener(7778)]), about=build.run(run_id="2"))
    before = build.Remembered(first, second)
    counts = {"hosts": 1, "assessed": 1, "passed": False, "severity": {"high": 1}, "not_assessed": 0}
    before.head |= {"trend": [{"run_id": "2", "started": build.TIME, **counts}], "imported": 1, "unrecorded": 2}
    return before


def poisoned(payload: str, among: Json | None = None) -> Json:
    """The results with ``payload`` in the place of every text, and of every key, that came from outside."""
    made: Json = _replaced(copy.deepcopy(among if among is not None else results()), lambda _text: payload)
    for row in made["hosts"]:
        if row["coverage"]:
            row["coverage"]["sources"] = {payload: payload}
            row["coverage"]["owners"]["unknown"] = payload
    for vantage in made["coverage"]["vantages"]:
        for scanner in vantage["scanners"]:
            if scanner["coverage"]:
                scanner["coverage"]["asked"] = {payload: payload}
    made["run"]["versions"] = {payload: payload}
    return made


def _replaced(value: Any, change: Callable[[str], str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _replaced(entry, change, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [_replaced(entry, change, key) for entry in value]
    if isinstance(value, str) and key not in _OURS | _OURS_TOO:
        return change(value)
    return value
