# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds of every audit, whatever is declared, listening and open."""

from __future__ import annotations

import copy
import ipaddress
import random
from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._audit.reconcile import Audit, audit, evidence_of
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.atomic import json_bytes
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import converted
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.reachable import ScanEvidence
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import given
from hypothesis import strategies as st

Json = dict[str, Any]

HOST_ADDRESSES = [build.ADDRESS, "2001:db8::10"]
PORTS = [22, 53, 80, 443, 8000, 8005, 40001]
VANTAGES = [{"name": "internet", "scanners": ["one", "two"]}, {"name": "office", "scanners": ["three"]}]

ports = st.sampled_from(PORTS)
protocols = st.sampled_from(["tcp", "udp"])
namespaces = st.sampled_from(["host", "host", "host", "netns/blue"])
reach = st.one_of(st.just("any"), st.lists(st.sampled_from(["internet", "office"]), unique=True))
days = st.integers(-20, 20).map(build.days_from_today)
places = st.sampled_from(["any", "loopback", build.ADDRESS, "2001:db8::/32", "10.0.0.0/8"])
listens_at = st.sampled_from(["0.0.0.0", "::", "127.0.0.1", "127.0.0.53", "::1", *HOST_ADDRESSES, "fe80::1%eth0"])


@st.composite
def listeners(draw: st.DrawFn) -> Json:
    make = draw(st.sampled_from([build.listener, build.unowned]))
    return make(
        draw(ports),
        draw(listens_at),
        protocol=draw(protocols),
        namespace=draw(namespaces),
        interface=draw(st.sampled_from([None, None, "lo", "eth0"])),
        v6only=draw(st.sampled_from([None, True, False])),
        ephemeral=draw(st.booleans()),
    )


declarations = st.builds(
    lambda port, more: build.declared(port, **more),
    st.one_of(ports, st.just("8000-8010"), st.just([22, 80])),
    st.fixed_dictionaries(
        {},
        optional={
            "protocol": protocols,
            "address": places,
            "namespace": namespaces,
            "reachable_from": reach,
            "required": st.booleans(),
            "review_by": days,
            "process": st.sampled_from(["nginx", "sshd"]),
            "service": st.sampled_from(["https", "ssh"]),
        },
    ),
)
exceptions = st.builds(
    lambda port, more: build.exception(port, **more),
    st.one_of(ports, st.just("1-9000")),
    st.fixed_dictionaries(
        {"expires": days},
        optional={
            "protocol": protocols,
            "address": places,
            "namespace": namespaces,
            "vantage": st.sampled_from(["internet", "office"]),
            "rules": st.just(["undeclared-listener", "undeclared-exposure"]),
        },
    ),
)


@st.composite
def targets(draw: st.DrawFn, address: str) -> Json:
    opened = draw(st.lists(ports, unique=True, max_size=3))
    seen = draw(st.sampled_from([None, build.service("http", tunnel="ssl"), build.service("ssh")]))
    rest = draw(st.sampled_from(["closed", "filtered"]))
    return build.target(
        opened,
        address=address,
        states=build.states(opened, "1-100,443,8000-8010,40001", rest),
        endpoints=[build.endpoint(port, service=seen) for port in sorted(opened)],
    )


@st.composite
def audits(draw: st.DrawFn) -> tuple[Json, Json, list[Json]]:
    """Run, host and scans: one host of two addresses, seen from two vantage points, one of them with two scanners."""
    heard = draw(st.lists(listeners(), max_size=5))
    host = build.host_evidence(
        draw(st.lists(declarations, max_size=5)),
        exceptions=draw(st.lists(exceptions, max_size=2)),
        outside_addresses={"default": HOST_ADDRESSES},
        listening=build.listening(
            heard,
            [build.own_address("127.0.0.1", "lo"), *map(build.own_address, HOST_ADDRESSES)],
            namespaces={"asked": "all", "seen": ["host", "netns/blue"], "missed": []},
        ),
    )
    one, two = (
        build.share([draw(targets(address))], scanner)
        for address, scanner in zip(HOST_ADDRESSES, ["one", "two"], strict=True)
    )
    three = build.share([draw(targets(address)) for address in HOST_ADDRESSES], "three")
    scans = [
        build.scan_by([one, two], "internet"),
        build.scan_by([three], "office"),
    ]
    return build.run(vantages=VANTAGES), build.on_disk(host), list(map(build.on_disk, scans))


def judged(about: Json, host: Json, scans: list[Json]) -> Json:
    return audit(about, [("web1", recorded(host))], seen(scans))


def seen(scans: list[Json]) -> list[ScanEvidence]:
    return [converted(ScanEvidence, scan, "scan") for scan in scans]


def recorded(host: Json) -> HostEvidence:
    return converted(HostEvidence, host, "host")


def by_id(results: Json) -> dict[str, Json]:
    return {row["id"]: row for row in results["findings"]}


@given(audits())
def test_results_are_as_their_schema_says_and_no_two_findings_share_an_identity(given_audit: Any) -> None:
    about, host, scans = given_audit
    build.validator("evidence").validate(host)
    results = judged(about, host, scans)
    build.validator("results").validate(results)
    assert len(by_id(results)) == len(results["findings"])


@given(audits())
def test_the_same_evidence_gives_the_same_bytes_and_stays_as_it_was(given_audit: Any) -> None:
    before = copy.deepcopy(given_audit)
    first = json_bytes(judged(*given_audit))
    assert given_audit == before
    assert json_bytes(judged(*copy.deepcopy(before))) == first


@given(audits(), st.randoms(use_true_random=False))
def test_identities_and_verdicts_do_not_hang_on_order_pids_or_times(given_audit: Any, chance: random.Random) -> None:
    def core(results: Json) -> list[tuple[Any, ...]]:
        keys = ("id", "rule", "status", "severity", "breaks_gate")
        return sorted(tuple(row[key] for key in keys) for row in results["findings"])

    about, host, scans = copy.deepcopy(given_audit)
    expected = core(judged(*given_audit))
    chance.shuffle(host["listening"]["listeners"])
    chance.shuffle(host["listening"]["addresses"])
    chance.shuffle(scans)
    for scan in scans:
        chance.shuffle(scan["shares"])
        for share in scan["shares"]:
            share["coverage"]["finished"] = "2026-11-21T00:00:00Z"
            for rows in (share["targets"], *(target["states"] for target in share["targets"])):
                chance.shuffle(rows)
    for listener in host["listening"]["listeners"]:
        listener["sockets"] += 3
        for owner in listener["owners"]:
            owner["pid"] += 1000
    about["started"], about["run_id"] = "2026-11-20T23:59:59Z", "another"
    assert core(judged(about, host, scans)) == expected


@given(audits())
def test_every_listener_is_covered_by_a_declaration_or_named(given_audit: Any) -> None:
    _about, host, _scans = given_audit
    results = judged(*given_audit)
    named = {
        (row["namespace"], row["protocol"], row["port"], row["address"])
        for row in build.of_rule(results, "undeclared-listener")
    }
    for listener in host["listening"]["listeners"]:
        where = listener["address"] + (f"%{listener['interface']}" if listener["interface"] else "")
        endpoint = (listener["namespace"], listener["protocol"], listener["port"], where)
        covered = any(naively_covers(entry, listener) for entry in host["inventory"]["vigil_ports__web"])
        if naively_ephemeral(listener):  # those of one process are one finding
            of_process = {(*row[:2], row[3]) for row in named if str(row[2]).startswith("ephemeral:")}
            assert covered or (*endpoint[:2], None) in of_process
            assert endpoint not in named
        else:
            assert covered != (endpoint in named)


def naively_ephemeral(listener: Json) -> bool:
    is_client = listener["protocol"].startswith("udp") and listener["address"] in ("0.0.0.0", "::")
    is_of_somebody = bool(listener["owners"] or listener["unit"])
    return bool(listener["ephemeral"] and is_client and is_of_somebody and 32768 <= listener["port"] <= 60999)


def naively_covers(entry: Json, listener: Json) -> bool:
    """What the design says of coverage, told in another way than the code tells it."""
    numbers: set[int] = set()
    for one in entry["port"] if isinstance(entry["port"], list) else [entry["port"]]:
        first, _dash, last = str(one).partition("-")
        numbers |= set(range(int(first), int(last or first) + 1))
    address = ipaddress.ip_address(listener["address"].split("%")[0])
    confined = address.is_loopback or listener["interface"] == "lo"
    rule = entry.get("address", "any")
    fits = {
        "any": True,
        "loopback": address.is_loopback or (address.is_unspecified and confined),
        build.ADDRESS: str(address) == build.ADDRESS,
        "2001:db8::/32": str(address).startswith("2001:db8:"),
        "10.0.0.0/8": str(address).startswith("10."),
    }[rule]
    return (
        fits
        and listener["port"] in numbers
        and entry.get("protocol", "tcp") == listener["protocol"]
        and entry.get("namespace", "host") == listener["namespace"]
    )


@given(st.lists(listeners(), max_size=5))
def test_no_rule_fires_on_a_host_that_is_exactly_as_declared(heard: list[Json]) -> None:
    heard = [{**one, "v6only": False, "interface": None} for one in heard if "%" not in one["address"]]
    declared = [
        build.declared(
            one["port"],
            protocol=one["protocol"],
            namespace=one["namespace"],
            address="any" if one["address"] in ("0.0.0.0", "::") else one["address"],
            reachable_from="any" if reached(one) == set(HOST_ADDRESSES) else [],
        )
        for one in heard
    ]
    # Of two listeners of one port that differ in their reach the declarations speak together.
    for one, entry in zip(heard, declared, strict=True):
        same = [other for other in heard if (other["port"], other["protocol"]) == (one["port"], one["protocol"])]
        if any(other["namespace"] == "host" and reached(other) for other in same) and one["namespace"] == "host":
            entry["reachable_from"] = "any" if reached(one) else []
    rows = []
    for address in HOST_ADDRESSES:
        opened = sorted({one["port"] for one in heard if one["protocol"] == "tcp" and address in reached(one)})
        udp = sorted({one["port"] for one in heard if one["protocol"] == "udp" and address in reached(one)})
        target = build.target(opened, address=address, states=build.states(opened, "1-100,443,8000-8010,40001"))
        for state, answered in (("open", udp), ("closed", sorted(set(PORTS) - set(udp)))):
            if answered:
                target["states"].append(
                    {"protocol": "udp", "state": state, "reason": "x", "ports": ",".join(map(str, answered))}
                )
        target["endpoints"] += [build.endpoint(port, protocol="udp") for port in udp]
        rows.append(target)
    host = build.host_evidence(
        declared,
        outside_addresses={"default": HOST_ADDRESSES},
        listening=build.listening(
            heard,
            [build.own_address("127.0.0.1", "lo"), *map(build.own_address, HOST_ADDRESSES)],
            namespaces={"asked": "all", "seen": ["host", "netns/blue"], "missed": []},
        ),
    )
    results = judged(build.run(), build.on_disk(host), [build.on_disk(build.scan(rows))])
    assert build.failures(results) == set()
    assert results["gate"]["passed"] is True


def reached(listener: Json) -> set[str]:
    """The host's addresses at which the listener answers."""
    if listener["namespace"] != "host":
        return set()
    if listener["address"] == "0.0.0.0":
        return {build.ADDRESS}
    return set(HOST_ADDRESSES) if listener["address"] == "::" else {listener["address"]} & set(HOST_ADDRESSES)


@given(audits(), st.data())
def test_evidence_that_goes_missing_never_makes_a_gate_pass(given_audit: Any, data: st.DataObject) -> None:
    about, host, scans = copy.deepcopy(given_audit)
    share = data.draw(st.sampled_from([share for scan in scans for share in scan["shares"]]))
    target = data.draw(st.sampled_from(share["targets"]))
    losses: dict[str, Any] = {
        "host": lambda: host.update(listening=None, status="failed"),
        "scan": scans.pop,
        "share": lambda: scans[0]["shares"].pop(data.draw(st.integers(0, 1))),
        "target": lambda: share["targets"].remove(target),
        "scanner": lambda: share.update(targets=[], coverage=None, status="failed"),
        "cut": lambda: target.update(status="partial"),
        "ports": lambda: target.update(unknown=[{"protocol": "tcp", "ports": "443"}], states=[], endpoints=[]),
    }
    losses[data.draw(st.sampled_from(sorted(losses)))]()
    results = judged(about, host, scans)
    assert results["gate"]["passed"] is False
    assert results["coverage"]["hosts"]["assessed"] == 0
    assert results["counts"]["status"]["not_assessed"] > 0


@given(audits())
def test_exceptions_turn_failures_into_excused_ones_and_change_nothing_else(given_audit: Any) -> None:
    about, host, scans = given_audit
    with_them = by_id(judged(about, host, scans))
    host = copy.deepcopy(host)
    host["inventory"].pop("vigil_exceptions__web", None)
    without = by_id(judged(about, host, scans))
    assert {without[identity]["rule"] for identity in set(without) - set(with_them)} <= {"too-broad"}
    for identity, row in with_them.items():
        if identity not in without:
            about_exception = row["rule"] == "too-broad" and row["place"].startswith("vigil_exceptions")
            assert row["rule"].startswith("exception-") or about_exception
        elif row["status"] == "excepted":
            assert without[identity]["status"] == "fail"
            assert row["exception"]["expires"] >= build.TODAY
            assert row["breaks_gate"] is False
        elif row["rule"] != "too-broad":  # of one port, a declaration and its exception may be too wide
            assert row == without[identity]


@given(audits())
def test_the_counts_the_gate_and_the_port_table_agree_with_the_findings(given_audit: Any) -> None:
    results = judged(*given_audit)
    rows = results["findings"]
    for status, count in results["counts"]["status"].items():
        assert count == sum(row["status"] == status for row in rows)
    for severity, count in results["counts"]["severity"].items():
        assert count == sum((row["status"], row["severity"]) == ("fail", severity) for row in rows)
    assert results["gate"]["breaking"] == sum(row["breaks_gate"] for row in rows)
    assert results["gate"]["passed"] is not any(row["breaks_gate"] for row in rows)
    shown = {
        (port["namespace"], port["protocol"], verdict["rule"])
        for port in results["hosts"][0]["ports"]
        for verdict in port["verdicts"]
    }
    for row in rows:
        # A hole in a firewall, an exception and what is too wide may be about a port that is nowhere else.
        elsewhere = row["rule"] in ("firewall-hole", "too-broad") or row["rule"].startswith("exception-")
        if row["status"] != "pass" and row["port"] is not None and not elsewhere:
            assert (row["namespace"] or "host", row["protocol"], row["rule"]) in shown


@given(
    audits(),
    st.sampled_from([("::", False), ("::", True), ("::", None), ("0.0.0.0", None), (build.ADDRESS, None)]),
    st.sampled_from(["host", "host", "netns/blue"]),
)
def test_a_host_of_which_the_rules_are_not_asked_has_no_disagreement(
    given_audit: Any, heard: tuple[str, bool | None], namespace: str
) -> None:
    """Hosts that agree are the ones of which the quick look says something: so most open ports get a listener."""
    about, host, scans = given_audit
    address, v6only = heard
    opened = {row["port"] for scan in scans for share in scan["shares"] for row in share["targets"][0]["endpoints"]}
    host["listening"]["listeners"] += [
        build.listener(port, address, v6only=v6only, namespace=namespace) for port in sorted(opened)
    ]
    for scan in scans:
        for share in scan["shares"]:
            share["targets"] = share["targets"][:1]
    audited = Audit(about, seen(scans))
    found = evidence_of(recorded(host))
    assert audited.may_disagree("web1", found) or not audited.disagreements("web1", found)
