# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restart is not called tampering, a hidden listener is, and a second look makes nothing greener than it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.reconcile import Audit
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.to_relist import to_relist
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS, HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import listing_of
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
WEB = build.declared(8080, reachable_from=["internet"])
OPEN = [build.scan([build.target([8080])])]
CLOSED = [build.scan([build.target([])])]
NOTHING = build.host_evidence([WEB])
HELD = build.bound("held_by_unlisted", "8080", reason="0.0.0.0 is in use, and no ipv4 socket is listed there")


def one(results: Json, rule: str) -> Json:
    [row] = build.of_rule(results, rule)
    return row


# Which hosts are listed again


@pytest.mark.parametrize(
    ("declared", "listeners", "scans", "ports"),
    [
        ([WEB], [], OPEN, "8080"),  # missing, and open
        ([], [], OPEN, "8080"),  # open without a listener
        ([WEB], [build.listener(8080)], CLOSED, "8080"),  # listens, and is closed
        ([build.declared("8000-8090")], [], OPEN, "8080"),
        ([build.declared(8080, address="loopback")], [build.listener(8080)], OPEN, "8080"),  # it listens elsewhere
        ([WEB], [build.listener(8080, "::", v6only=True)], OPEN, "8080"),
        ([WEB], [build.listener(8080, "::", v6only=False)], OPEN, None),
        ([WEB], [build.listener(8080)], OPEN, None),
        ([WEB], [], CLOSED, None),  # both say that nothing is there
        ([], [build.listener(8080)], CLOSED, None),  # undeclared, but nobody says that it should be reached
        (
            [WEB],
            [build.listener(8080)],
            [build.scan([build.target(states=build.states([], "8080", "filtered"))])],
            None,
        ),
        ([], [], [build.scan([build.target([8080], status="untrusted", reason="canaries")])], None),
        ([], [], [], None),
    ],
)
def test_a_host_is_listed_again_where_it_says_something_else_than_a_scan(
    tmp_path: Path, declared: list[Json], listeners: list[Json], scans: list[Json], ports: str | None
) -> None:
    run = written(tmp_path, build.host_evidence(declared, listeners), scans)
    assert to_relist(run) == ({"web1": {"tcp": ports, "udp": ""}} if ports else {})


def written(folder: Path, evidence: HostEvidence, scans: list[Json], **settings: Any) -> RunDirectory:
    run = RunDirectory(folder)
    for directory in (run.path / "evidence/hosts", run.path / "evidence/scans", run.path / "evidence/relisted"):
        directory.mkdir(parents=True)
    run.write_run(build.run(**settings))
    run.write(HOSTS, evidence)
    for scan in scans:
        run.put_scan("internet", plain(scan.shares[0]))
    return run


def test_a_host_that_agrees_is_not_judged_twice_and_evidence_that_is_broken_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agrees = written(tmp_path / "agrees", build.host_evidence([WEB], [build.listener(8080)]), OPEN)
    with monkeypatch.context() as patched:
        patched.setattr(Audit, "disagreements", None)
        assert to_relist(agrees) == {}
    broken = written(tmp_path / "broken", NOTHING, OPEN)
    path = broken.path / "evidence/hosts/web1.json"
    path.write_bytes(path.read_bytes().replace(b'"listeners":[', b'"listeners":[{"port":8080}'))
    assert to_relist(broken) == {}


def test_with_all_every_host_that_was_listed_is_tried_on_every_port(tmp_path: Path) -> None:
    run = written(tmp_path / "listed", build.host_evidence(), CLOSED, verify_bind="all")
    assert to_relist(run) == {"web1": {"tcp": "1-65535", "udp": "1-65535"}}
    silent = build.host_evidence(listening=None, status="failed", message="no python")
    assert to_relist(written(tmp_path / "silent", silent, CLOSED, verify_bind="all")) == {}


def test_with_never_hosts_are_listed_again_all_the_same(tmp_path: Path) -> None:
    run = written(tmp_path, NOTHING, OPEN, verify_bind="never")
    assert to_relist(run) == {"web1": {"tcp": "8080", "udp": ""}}


# hidden-listener


def test_what_bind_finds_held_and_no_listing_shows_is_hidden_and_not_somebody_elses() -> None:
    results = build.judged(NOTHING, OPEN, again=build.relisted(bind=[HELD]))
    finding = one(results, "hidden-listener")
    assert (finding["status"], finding["severity"], finding["port"]) == ("fail", "critical", 8080)
    for witness in ("0.0.0.0 is in use", f"open from internet at {build.ADDRESS}", "never listed"):
        assert witness in finding["message"]
    assert "open-without-listener" not in build.failures(results)
    assert results["gate"]["passed"] is False


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (build.bound("free", "8080"), "bind() finds the port free, so the packets go elsewhere"),
        (build.bound("held_by_listed", "8080", reason="a listener"), "held by a listener that the host does list"),
    ],
)
def test_what_bind_explains_is_open_without_a_listener_as_before(told: Json, says: str) -> None:
    results = build.judged(NOTHING, OPEN, again=build.relisted(bind=[told]))
    assert says in one(results, "open-without-listener")["message"]
    assert "also when it was listed again" in one(results, "open-without-listener")["message"]
    assert build.statuses(results, "hidden-listener") == ["pass"]


@pytest.mark.parametrize(
    ("again", "gap", "says"),
    [
        (None, "web1:not-relisted", "it was not listed again"),
        (build.lost(), "web1:not-relisted", "could not be listed again: no route to host"),
        (build.relisted([]), "web1:not-relisted", "also when it was listed again"),  # it did not try bind()
        (
            build.relisted(bind=[build.bound("unknown", "8080", reason="EACCES")]),
            "web1:bind-unknown",
            "bind() could not tell who holds it: EACCES",
        ),
        (
            build.relisted(bind=[build.bound("free", "81")], asked={"tcp": "81,8080", "udp": ""}),
            "web1:bind-unknown",
            "also when it was listed again",
        ),
    ],
)
def test_a_second_look_that_told_nothing_leaves_the_disagreement_and_is_a_gap(again: Json, gap: str, says: str) -> None:
    results = build.judged(NOTHING, OPEN, again=again)
    assert says in one(results, "open-without-listener")["message"]
    finding = one(results, "hidden-listener")
    assert (finding["status"], finding["gap"]) == ("not_assessed", gap)
    assert results["gate"]["passed"] is False


def test_what_is_held_and_not_seen_from_outside_is_hidden_too() -> None:
    healthy = build.host_evidence()
    again = build.relisted(bind=[build.bound("free", "1-79,81-65535"), {**HELD, "ports": "80"}])
    results = build.judged(healthy, CLOSED, build.run(verify_bind="all"), again=again)
    finding = one(results, "hidden-listener")
    assert (finding["status"], finding["port"]) == ("fail", 80)
    assert "not seen open from outside" in finding["message"]


@pytest.mark.parametrize(
    ("protocol", "scans", "status"),
    [("tcp", CLOSED, "not_assessed"), ("tcp", OPEN, "fail"), ("udp", CLOSED, "fail")],
)
def test_on_a_kernel_that_lists_no_bound_sockets_only_an_open_tcp_port_is_proof(
    protocol: str, scans: list[Json], status: str
) -> None:
    again = build.relisted(bind=[{**HELD, "protocol": protocol}], bound_are_listed=False)
    results = build.judged(build.host_evidence(), scans, build.run(verify_bind="all"), again=again)
    assert build.statuses(results, "hidden-listener") == [status]
    assert results["gate"]["passed"] is False


def test_an_exception_for_the_port_does_not_excuse_that_somebody_hides_it() -> None:
    again = build.relisted(bind=[HELD])
    for rules, status in ((None, "fail"), (["hidden-listener"], "excepted")):
        excuse = build.exception(8080, **({"rules": rules} if rules else {}))
        evidence = build.host_evidence(exceptions=[excuse])
        results = build.judged(evidence, OPEN, again=again)
        assert one(results, "hidden-listener")["status"] == status
        assert one(results, "undeclared-exposure")["status"] == ("fail" if rules else "excepted")


@pytest.mark.parametrize(
    ("setting", "scans", "statuses"),
    [
        ("disagreements", CLOSED, ["pass"]),
        ("all", CLOSED, ["not_assessed"]),
        ("never", CLOSED, []),
        ("disagreements", [], []),
        ("disagreements", [build.scan([build.target(status="partial", reason="time-out")])], []),
    ],
)
def test_a_pass_needs_that_something_was_compared_or_tried(
    setting: str, scans: list[Json], statuses: list[str]
) -> None:
    results = build.judged(build.host_evidence(), scans, build.run(verify_bind=setting, scan_depth="full"))
    assert build.statuses(results, "hidden-listener") == statuses


@pytest.mark.parametrize("depth", ["known", "common"])
def test_that_some_ports_agree_is_no_pass(depth: str) -> None:
    results = build.judged(build.host_evidence(), CLOSED, build.run(scan_depth=depth))
    assert build.statuses(results, "hidden-listener") == []


def test_with_never_nothing_is_said_of_hidden_listeners_and_the_open_port_stays_reported() -> None:
    results = build.judged(NOTHING, OPEN, build.run(verify_bind="never"), again=build.relisted([]))
    assert build.of_rule(results, "hidden-listener") == []
    assert one(results, "open-without-listener")["status"] == "fail"


# A listener that is in one of the two listings


def test_a_service_that_was_started_meanwhile_is_neither_hidden_nor_missing() -> None:
    again = build.relisted([build.listener(8080)], [build.bound("held_by_listed", "8080", reason="a listener")])
    results = build.judged(NOTHING, OPEN, again=again)
    assert build.failures(results) == set()
    assert "started meanwhile" in one(results, "open-without-listener")["message"]
    assert "started meanwhile" in one(results, "missing-listener")["message"]
    assert results["gate"]["passed"]


def test_a_service_that_was_started_meanwhile_without_a_declaration_is_reported() -> None:
    again = build.relisted([build.listener(8080)], [build.bound("held_by_listed", "8080", reason="a listener")])
    results = build.judged(build.host_evidence(), OPEN, again=again)
    assert build.failures(results) == {"undeclared-listener", "undeclared-exposure"}
    assert "started meanwhile" in one(results, "undeclared-listener")["message"]


def test_a_service_that_ended_meanwhile_is_missing_and_what_it_was_is_reported() -> None:
    evidence = build.host_evidence([WEB], [build.listener(8080), build.listener(9090)])
    results = build.judged(evidence, CLOSED, again=build.relisted([], [build.bound("free", "8080")]))
    assert build.failures(results) == {"missing-listener", "undeclared-listener"}
    assert "gone when the host was listed again" in one(results, "missing-listener")["message"]
    assert one(results, "undeclared-listener")["port"] == 9090


def test_a_service_that_was_up_while_it_was_scanned_and_then_ended_explains_its_open_port() -> None:
    evidence = build.host_evidence([build.declared(8080, reachable_from="any", required=False)], [build.listener(8080)])
    scans = [build.scan([build.target([8080, 8081])])]  # 8081 is why the host was listed again
    results = build.judged(evidence, scans, again=build.relisted([], [build.bound("free", "8081")]))
    assert {row["port"] for row in build.of_rule(results, "open-without-listener")} == {8081}


def test_a_restart_between_the_listings_is_said_and_the_closed_port_stays_reported() -> None:
    evidence = build.host_evidence([WEB], [build.listener(8080)])
    now = build.listener(8080, owners=[build.owner(pid=999)])
    results = build.judged(evidence, CLOSED, again=build.relisted([now], [build.bound("held_by_listed", "8080")]))
    assert build.failures(results) == {"blocked-service"}
    assert "restarted meanwhile" in one(results, "blocked-service")["message"]
    same = build.judged(evidence, CLOSED, again=build.relisted([build.listener(8080)]))
    assert "restarted" not in one(same, "blocked-service")["message"]


def test_what_started_after_the_scan_cannot_be_called_blocked_nor_reached() -> None:
    scans = [build.scan([build.target([8081])])]
    again = build.relisted([build.listener(8080)], [build.bound("free", "8081")])
    results = build.judged(NOTHING, scans, again=again)
    finding = one(results, "blocked-service")
    assert (finding["status"], finding["gap"]) == ("not_assessed", "web1:started-meanwhile:tcp/8080@internet")


@pytest.mark.parametrize("wrong_first", [True, False])
def test_a_wrong_owner_in_either_listing_is_reported(wrong_first: bool) -> None:
    right = build.listener(8080)
    wrong = build.listener(8080, owners=[build.owner(name="nc", executable="/usr/bin/nc")])
    first, again = (wrong, right) if wrong_first else (right, wrong)
    evidence = build.host_evidence([{**WEB, "process": "nginx"}], [first])
    results = build.judged(evidence, OPEN, again=build.relisted([again]))
    assert build.failures(results) == {"wrong-owner", "hidden-listener"}  # bind() was not tried


def test_more_workers_of_the_same_service_are_the_same_listener() -> None:
    many = build.listener(8080, owners=[build.owner(pid=number) for number in (812, 813, 814)])
    evidence = build.host_evidence([{**WEB, "process": "nginx"}], [build.listener(8080)])
    results = build.judged(evidence, OPEN, again=build.relisted([many], [build.bound("held_by_listed", "8080")]))
    assert build.failures(results) == set()
    [row] = results["hosts"][0]["ports"]
    assert row["listening"] == ["0.0.0.0 nginx (www-data)"]


def test_a_firewall_hole_does_not_vanish_because_something_started_or_ended() -> None:
    hole = [
        {"protocol": "tcp", "state": "filtered", "reason": "no-response", "ports": "1-442,444-1000"},
        {"protocol": "tcp", "state": "closed", "reason": "reset", "ports": "443"},
    ]
    scans = [build.scan([build.target(states=hole)])]
    for first, again in (([], [build.listener(443)]), ([build.listener(443)], [])):
        results = build.judged(build.host_evidence([], first), scans, again=build.relisted(again))
        assert one(results, "firewall-hole")["port"] == 443


@pytest.mark.parametrize(
    "worse",
    [
        {"sources": dict.fromkeys(("tcp_ipv4", "tcp_ipv6", "udp_ipv4", "udp_ipv6"), "failed")},
        {"sources": {**dict.fromkeys(("tcp_ipv6", "udp_ipv4", "udp_ipv6"), "netlink"), "tcp_ipv4": "proc"}},
        {"problems": [{"code": "dump-interrupted", "message": "the sockets changed"}]},
        {"namespaces": {"asked": "all", "seen": ["host"], "missed": [{"namespace": "netns/a", "reason": "EPERM"}]}},
    ],
)
def test_a_second_listing_that_saw_less_calls_nothing_gone(worse: Json) -> None:
    evidence = build.host_evidence([WEB], [build.listener(8080)])
    again = build.relisted([], [build.bound("free", "8081")])
    again = build.edited(again, lambda row: row["listening"]["coverage"].update(worse))
    results = build.judged(evidence, [build.scan([build.target([8080, 8081])])], again=again)
    assert build.statuses(results, "missing-listener") == ["pass"]
    assert "as far as it could be listed" in one(results, "open-without-listener")["message"]


def test_a_host_cannot_answer_with_ports_that_are_none() -> None:
    for ports in ("1-99999999999", "0", "70000", "9-1"):
        row = {**build.bound("held_by_unlisted", "8080"), "ports": ports}
        listing = {
            **build.listening(),
            "bind": {"asked": {"tcp": "8080", "udp": ""}, "bound_are_listed": True, "ports": [row]},
        }
        assert listing_of(listing) == f"listening.bind.ports[0]: {ports} are no ports"


def test_the_results_say_when_and_for_what_a_host_was_listed_again_and_end_with_that() -> None:
    again = build.relisted(bind=[HELD])
    later = {"finished": "2026-11-20T14:00:00Z"}
    again = build.edited(again, lambda row: row["listening"]["coverage"].update(later))
    results = build.judged(NOTHING, OPEN, again=again)
    assert results["hosts"][0]["relisted"] == {
        "status": "listed",
        "message": None,
        "asked": {"tcp": "8080", "udp": ""},
        "finished": "2026-11-20T14:00:00Z",
        "bind_tried": True,
    }
    assert results["run"]["finished"] == "2026-11-20T14:00:00Z"
    assert build.judged(NOTHING, OPEN, again=build.lost())["hosts"][0]["relisted"]["status"] == "unreachable"
