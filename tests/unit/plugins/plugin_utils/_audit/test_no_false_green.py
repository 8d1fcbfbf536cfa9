# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No false green: whatever could not be looked at is named, and breaks the gate until it is accepted by that name."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.reconcile import audit
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.reachable import ScanEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.verdict import verdict
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]

WEB = build.declared(443, reachable_from=["internet"])
HEALTHY = build.host_evidence([WEB], [build.listener(443)])
SEEN = build.target([443])
PARTIAL = f"web1:scan-partial@internet:{build.ADDRESS}"
UNKNOWN = [{"protocol": "tcp", "ports": "900-1000"}]


def gaps(results: Json) -> list[str]:
    return [row["gap"] for row in results["findings"] if row["status"] == "not_assessed"]


def without(evidence: Json, *path: str | int) -> Json:
    made = copy.deepcopy(evidence)
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return made


LISTENING_FAULTS: list[tuple[HostEvidence | None, str]] = [
    (None, "web1:no-evidence"),
    (build.changed(HEALTHY, status="unreachable", message="no route", listening=None), "web1:unreachable"),
    (build.changed(HEALTHY, status="failed", message="no python", listening=None), "web1:failed"),
    (build.changed(HEALTHY, inventory={"vigil_ports": "443"}), "web1:inventory-invalid"),
    (
        build.changed(
            HEALTHY,
            inventory_errors=[{"place": "vigil_ports", "value": "a secret", "message": "no key", "allowed": "a list"}],
        ),
        "web1:inventory-invalid",
    ),
    (
        build.host_evidence(
            [WEB],
            listening=build.listening(
                [build.listener(443)],
                sources={"tcp_ipv4": "netlink", "tcp_ipv6": "absent", "udp_ipv4": "failed", "udp_ipv6": "absent"},
                problems=[{"code": "refused", "message": "seccomp"}],
            ),
        ),
        "web1:not-listed:udp_ipv4",
    ),
    (
        build.host_evidence([WEB], listening=build.listening([build.listener(443)], sources={"tcp_ipv4": "netlink"})),
        "web1:not-listed:udp_ipv4",
    ),
    (
        build.host_evidence(
            [WEB],
            listening=build.listening(
                [build.listener(443)], sources={**build.listing_coverage()["sources"], "packet": "failed"}
            ),
        ),
        "web1:not-listed:packet",
    ),
    (
        build.host_evidence([WEB], listening=build.listening([build.listener(443)], sources={})),
        "web1:not-listed:raw_ipv6",
    ),
    (
        build.host_evidence([WEB], listening=build.listening([build.listener(443)], sources={})),
        "web1:not-listed:tcp_ipv4",
    ),
    (
        build.host_evidence(
            [WEB, build.declared(3868, protocol="sctp", required=False)],
            listening=build.listening([build.listener(443)], not_looked_at=[{"what": "sctp", "reason": "no module"}]),
        ),
        "web1:not-listed:sctp",
    ),
    *(
        (
            build.host_evidence(
                [WEB],
                listening=build.listening(
                    [build.listener(443)], not_looked_at=[{"what": what, "reason": "no port", "in_use": 2}]
                ),
            ),
            gap,
        )
        for what, gap in (
            ("sctp", "web1:not-listed:sctp"),
            ("dccp", "web1:not-listed:dccp"),
            ("tipc", "web1:not-listed:tipc"),
            ("packet", "web1:not-listed:packet:2"),
            ("raw", "web1:not-listed:raw:2"),
        )
    ),
    (
        build.host_evidence(
            [WEB],
            listening=build.listening(
                [build.listener(443)], problems=[{"code": "protocols-unreadable", "message": "/proc/net/protocols"}]
            ),
        ),
        "web1:protocols-unreadable",
    ),
    (
        build.host_evidence(
            [WEB],
            listening=build.listening(
                [build.listener(443)],
                namespaces={"asked": "all", "seen": ["host"], "missed": [{"namespace": "net:[7]", "reason": "EPERM"}]},
            ),
        ),
        "web1:namespace-missed:net:[7]",
    ),
    (
        build.host_evidence([WEB, build.declared(80, namespace="netns/blue", required=False)], [build.listener(443)]),
        "web1:namespace-missed:netns/blue",
    ),
    (
        build.host_evidence(
            [WEB],
            listening=build.listening(
                [build.listener(443)],
                namespaces={"asked": "host", "seen": ["host"], "missed": [], "left_out": ["container/db", "netns/x"]},
            ),
        ),
        "web1:namespaces-not-listed:2",
    ),
]


@pytest.mark.parametrize(("evidence", "gap"), LISTENING_FAULTS, ids=[gap for _evidence, gap in LISTENING_FAULTS])
def test_a_host_that_could_not_be_listed_is_named_and_not_green(evidence: HostEvidence | None, gap: str) -> None:
    results = build.judged(evidence, [build.scan([SEEN])])
    assert gap in gaps(results)
    assert results["gate"]["passed"] is False
    assert results["coverage"]["hosts"] == {"in_scope": 1, "assessed": 0}
    accepted = build.judged(evidence, [build.scan([SEEN])], build.run(accept_gaps=gaps(results)))
    assert accepted["coverage"]["accepted_gaps"] == sorted(set(gaps(results)))
    assert not [row for row in accepted["findings"] if row["status"] == "not_assessed" and row["breaks_gate"]]


def test_who_accepted_two_packet_sockets_has_not_accepted_a_third() -> None:
    def host(in_use: int) -> HostEvidence:
        row = {"what": "packet", "reason": "no port", "in_use": in_use}
        return build.host_evidence([WEB], listening=build.listening([build.listener(443)], not_looked_at=[row]))

    run = build.run(accept_gaps=["web1:not-listed:packet:2"])
    assert build.judged(host(2), [build.scan([SEEN])], run)["gate"]["passed"] is True
    assert build.judged(host(3), [build.scan([SEEN])], run)["gate"]["passed"] is False
    any_number = build.run(accept_gaps=["*:not-listed:packet:*"])
    assert build.judged(host(3), [build.scan([SEEN])], any_number)["gate"]["passed"] is True


@pytest.mark.parametrize("row", [{"in_use": 0}, {"in_use": None}, {}], ids=["none", "not counted", "of 0.2"])
def test_a_kind_of_which_no_socket_is_counted_is_no_gap(row: Json) -> None:
    unlisted = [{"what": what, "reason": "no port", **row} for what in ("packet", "raw")]
    sources = dict.fromkeys(("tcp_ipv4", "tcp_ipv6", "udp_ipv4", "udp_ipv6"), "netlink")
    listening = build.listening([build.listener(443)], not_looked_at=unlisted, sources=sources)
    del listening["raw_sockets"]
    assert gaps(build.judged(build.host_evidence([WEB], listening=listening), [build.scan([SEEN])])) == []


SCAN_FAULTS: list[tuple[str, list[Json], str]] = [
    ("no evidence of a scan", [], "web1:not-scanned@internet"),
    ("another vantage point only", [build.scan([SEEN], "office")], "web1:not-scanned@internet"),
    ("another host only", [build.scan([{**SEEN, "host": "web2"}])], "web1:not-scanned@internet"),
    ("scanner failed", [build.scan([], status="failed", message="no nmap")], "web1:not-scanned@internet"),
    ("scanner unreachable", [build.scan([], status="unreachable", message="ssh")], "web1:not-scanned@internet"),
    (
        "partial",
        [build.scan([{**SEEN, "status": "partial", "unknown": UNKNOWN}])],
        f"{PARTIAL}:tcp/900-1000",
    ),
    (
        "unknown left",
        [build.scan([{**SEEN, "unknown": UNKNOWN}])],
        f"{PARTIAL}:tcp/900-1000",
    ),
    (
        "partial, nothing named",
        [build.scan([{**SEEN, "status": "partial"}])],
        PARTIAL,
    ),
    (
        "failed",
        [build.scan([{**build.target(), "status": "failed", "reason": "died", "states": []}])],
        f"web1:scan-failed@internet:{build.ADDRESS}",
    ),
    (
        "a name that does not resolve",
        [
            build.scan(
                [{**build.target(), "address": "db.example", "status": "failed", "reason": "no name", "states": []}]
            )
        ],
        "web1:scan-failed@internet:db.example",
    ),
    (
        "an option for a target",
        [
            build.scan(
                [{**build.target(), "address": "-oN /etc/passwd", "status": "refused", "reason": "x", "states": []}]
            )
        ],
        "web1:scan-failed@internet:-oN /etc/passwd",
    ),
]


@pytest.mark.parametrize(
    ("scans", "gap"), [fault[1:] for fault in SCAN_FAULTS], ids=[fault[0] for fault in SCAN_FAULTS]
)
def test_a_host_that_was_not_seen_in_full_from_outside_is_named_and_not_green(scans: list[Json], gap: str) -> None:
    addresses = {row.address for scan in scans for share in scan.shares for row in share.targets}
    evidence = build.changed(HEALTHY, outside_addresses={"default": sorted(addresses) or [build.ADDRESS]})
    results = build.judged(evidence, scans)
    assert set(gaps(results)) == {gap}
    assert results["gate"]["passed"] is False
    assert results["hosts"][0]["assessed"] is False


ADDRESSES = [build.ADDRESS, "192.0.2.11"]
TWO = build.host_evidence(
    [WEB],
    outside_addresses={"default": ADDRESSES},
    listening=build.listening([build.listener(443)], map(build.own_address, ADDRESSES)),
)
TWO_SCANNERS = build.run(vantages=[{"name": "internet", "scanners": ["one", "two"]}])


def shares(second: Json | None) -> list[ScanEvidence]:
    """The first scanner has seen its address; the second is as given."""
    first = build.share([build.target([443], address=ADDRESSES[0])], "one")
    return [build.scan_by([first, *([second] if second else [])])]


def test_two_scanners_that_saw_their_addresses_pass() -> None:
    results = build.judged(TWO, shares(build.share([build.target([443], address=ADDRESSES[1])], "two")), TWO_SCANNERS)
    assert build.failures(results) == set()


@pytest.mark.parametrize("status", ["failed", "unreachable", "scanned"])
def test_an_address_whose_scanner_did_not_report_on_it_is_a_gap_though_the_other_address_was_seen(status: str) -> None:
    plan = build.share([build.target([443], address=ADDRESSES[1])])["plan"]
    second = build.share([], "two", status=status, message="ssh: no route", plan=plan, coverage=None)
    results = build.judged(TWO, shares(second), TWO_SCANNERS)
    assert [(row["gap"], row["address"]) for row in results["findings"] if row["status"] == "not_assessed"] == [
        ("web1:not-scanned@internet", ADDRESSES[1])
    ]
    assert results["gate"]["passed"] is False


def test_an_address_whose_scanner_never_wrote_anything_is_a_gap() -> None:
    results = build.judged(TWO, shares(None), TWO_SCANNERS)
    assert gaps(results) == ["web1:not-scanned@internet"]
    assert results["gate"]["passed"] is False


def test_an_address_given_by_name_is_seen_when_what_it_resolves_to_was() -> None:
    given = {**TWO.inventory, "vigil_addresses": ["web.example"]}
    named = build.changed(TWO, inventory=given, outside_addresses={"default": ["web.example"]})
    plan = build.plan([{"host": "web1", "address": "web.example"}])
    seen = build.share([build.target([443])], plan=plan)
    scan = build.scan_by([seen], "internet")
    assert build.failures(build.judged(named, [scan])) == set()


def test_an_address_written_in_another_way_is_the_same_address() -> None:
    evidence = build.host_evidence(
        [WEB],
        outside_addresses={"default": ["2001:DB8:0::10"]},
        listening=build.listening([build.listener(443, "::")], [build.own_address("2001:db8::10")]),
    )
    seen = build.share([build.target([443], address="2001:db8::10")])
    seen["plan"]["targets"] = [{"host": "web1", "address": "2001:DB8:0::10"}]
    scan = build.scan_by([seen], "internet")
    assert build.failures(build.judged(evidence, [scan])) == set()


def test_a_scanner_that_failed_first_and_then_reported_is_no_gap() -> None:
    plan = build.share([SEEN])["plan"]
    failed = build.share([], status="failed", message="busy", plan=plan, coverage=None)
    scan = build.scan_by([failed, build.share([SEEN])], "internet")
    assert build.failures(build.judged(HEALTHY, [scan])) == set()


def test_what_a_lost_scanner_had_not_begun_is_a_gap() -> None:
    both = build.plan([{"host": "web1", "address": address} for address in ADDRESSES])
    begun = [build.target([443], address=ADDRESSES[0])]
    results = build.judged(TWO, [build.scan(begun, status="interrupted", message="killed", plan=both)])
    assert [(row["gap"], row["address"]) for row in results["findings"] if row["status"] == "not_assessed"] == [
        ("web1:not-scanned@internet", ADDRESSES[1])
    ]


def test_what_another_scanner_took_over_and_saw_in_full_is_seen() -> None:
    cut = build.target([443], status="partial", reason="lost", unknown=UNKNOWN)
    lost = build.share([cut], "one", status="unreachable", message="ssh")
    instead = build.share([SEEN], "two", instead_of=["one"])
    scan = build.scan_by([lost, instead])
    assert build.failures(build.judged(HEALTHY, [scan], TWO_SCANNERS)) == set()


def test_a_target_that_answers_on_everything_is_no_ground_for_any_verdict_and_a_gap() -> None:
    tarpit = build.target(range(1, 100), status="untrusted", reason="ports that nobody uses answer")
    results = build.judged(HEALTHY, [build.scan([tarpit])])
    assert gaps(results) == [f"web1:scan-untrusted@internet:{build.ADDRESS}"]
    assert results["gate"]["passed"] is False
    assert not [row for row in results["findings"] if row["vantage"] and row["rule"] != "not-assessed"]


def test_a_declared_vantage_point_where_nobody_stands_is_a_gap() -> None:
    declared = build.declared(443, reachable_from=["internet", "moon"])
    results = build.judged(build.host_evidence([declared], [build.listener(443)]), [build.scan([SEEN])])
    assert gaps(results) == ["web1:not-scanned@moon"]
    assert results["gate"]["passed"] is False


def test_a_run_from_inside_only_says_of_each_host_that_nobody_looked_from_outside() -> None:
    """It was asked for, so it breaks no gate; nothing else is forgiven with it, and no exception is called unused."""
    about = build.run(scan_depth="none")
    reached = build.host_evidence(
        [build.declared(443, reachable_from=["internet", "moon"])],
        [build.listener(443)],
        [build.exception(8080, vantage="internet")],
    )
    results = build.judged(reached, [], about)
    assert gaps(results) == ["web1:not-scanned@internet", "web1:not-scanned@moon"]
    assert results["gate"]["passed"] is True
    assert results["hosts"][0]["assessed"] is False
    assert not [
        row for row in results["findings"] if row["vantage"] and row["rule"] != "not-assessed" and not row["exception"]
    ]
    assert not build.of_rule(results, "exception-unused")
    assert "looked at from inside only" in verdict(results)
    lost = build.host_evidence(status="unreachable", message="no route", listening=None)
    assert build.judged(lost, [], about)["gate"]["passed"] is False
    assert build.judged(reached, [], build.run(scan_depth="known"))["gate"]["passed"] is False


@pytest.mark.parametrize("fail_on", ["info", "medium", "critical", "never"])
def test_an_empty_run_is_never_green(fail_on: str) -> None:
    results = audit(build.run([], fail_on=fail_on), [], [])
    build.validator("results").validate(results)
    assert gaps(results) == ["run:no-hosts"]
    assert results["gate"]["passed"] is False


@pytest.mark.parametrize("accepted", [[], ["web1"], ["not-scanned"], ["web2:not-scanned@internet"], ["*"], [""]])
def test_only_the_very_name_of_a_gap_accepts_it(accepted: list[str]) -> None:
    results = build.judged(HEALTHY, [], build.run(accept_gaps=accepted))
    assert results["gate"]["passed"] is False
    assert results["coverage"]["accepted_gaps"] == []


def test_one_bad_host_leaves_the_verdict_on_the_others_as_it_is() -> None:
    listening = {**build.on_disk(HEALTHY)["listening"], "machine": build.machine("web2", "192.0.2.11")}
    other = build.changed(HEALTHY, host="web2", listening=listening)
    hosts = [("web1", build.changed(HEALTHY, inventory={"vigil_ports": 1})), ("web2", other)]
    scans = [build.scan([SEEN, {**SEEN, "host": "web2"}])]
    results = audit(build.run(["web1", "web2"]), hosts, scans)
    assert [row["assessed"] for row in results["hosts"]] == [False, True]
    assert {row["host"] for row in results["findings"] if row["status"] != "pass"} == {"web1"}
    assert results["gate"]["passed"] is False


def test_every_error_of_an_inventory_is_in_the_finding() -> None:
    broken = {"vigil_ports": [build.declared(0), build.declared("9-8"), build.declared(1, prot="tcp")]}
    results = build.judged(build.changed(HEALTHY, inventory=broken))
    details = build.of_rule(results, "not-assessed")[0]["details"]
    assert sorted(detail.split(":")[0] for detail in details) == [
        "vigil_ports[0].port",
        "vigil_ports[1].port",
        "vigil_ports[2].prot",
    ]


@pytest.mark.parametrize(
    ("fail_on", "passed"),
    [("info", False), ("low", False), ("medium", False), ("high", True), ("critical", True), ("never", False)],
)
def test_the_gate_breaks_from_the_severity_on_that_was_asked_for(fail_on: str, passed: bool) -> None:
    medium = build.host_evidence([], [build.listener(8080)])
    results = build.judged(medium, about=build.run(fail_on=fail_on))
    assert build.failures(results) == {"undeclared-listener"}
    assert results["gate"]["passed"] is passed


def test_a_port_that_was_open_first_and_closed_when_asked_again_is_not_called_closed() -> None:
    seen = build.target([443])
    seen["states"].append({"protocol": "tcp", "state": "closed", "reason": "reset, first seen open", "ports": "7000"})
    evidence = build.host_evidence([build.declared(443, reachable_from="any")], [build.listener(443)])
    results = build.judged(evidence, [build.scan([seen])])
    assert f"web1:not-confirmed@internet:{build.ADDRESS}:tcp/7000" in {row["gap"] for row in results["findings"]}
    assert not results["gate"]["passed"]
