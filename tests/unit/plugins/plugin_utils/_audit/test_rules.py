# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule fires where it should, passes where it should, and says so where it cannot tell."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules.registry import CATALOGUE
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]

WEB = build.declared(443, reachable_from=["internet"], process="nginx", user="www-data", unit="nginx.service")


def found(results: Json, rule: str, status: str = "fail") -> list[tuple[Any, ...]]:
    """What a rule says: protocol, port and address of each finding of one status."""
    rows = [row for row in build.of_rule(results, rule) if row["status"] == status]
    return [(row["protocol"], row["port"], row["address"]) for row in rows]


def test_a_host_that_is_exactly_as_declared_passes_every_rule() -> None:
    declared = [{**WEB, "service": "https", "review_by": build.TODAY}]
    seen = build.endpoint(443, service=build.service("http", tunnel="ssl"))
    evidence = build.host_evidence(declared, [build.listener(443)])
    run = build.run(scan_depth="full")
    results = build.judged(evidence, [build.scan([build.target([443], endpoints=[seen])])], run)
    assert build.failures(results) == set()
    about_exceptions = {"exception-expired", "exception-expiring", "exception-unused"}
    without_pass = {*about_exceptions, "forbidden-exposure", "unapproved", "acceptance-unused"}
    assert {row["rule"] for row in results["findings"]} == set(CATALOGUE) - without_pass
    assert results["gate"] == {"fail_on": "medium", "breaking": 0, "untold": 0, "passed": True}
    assert [(row["port"], row["verdicts"]) for row in results["hosts"][0]["ports"]] == [(443, [])]


# undeclared-listener


@pytest.mark.parametrize(
    ("listener", "severity"),
    [
        (build.listener(8080), "medium"),
        (build.unowned(8080), "medium"),
        (build.listener(8080, "::"), "medium"),
        (build.listener(8080, "127.0.0.1"), "info"),
        (build.listener(8080, "127.5.6.7"), "info"),
        (build.listener(8080, "::1"), "info"),
        (build.listener(8080, interface="lo"), "info"),
        (build.listener(8080, interface="eth0"), "medium"),
        (build.listener(8080, namespace="netns/blue"), "medium"),
        (build.listener(443, protocol="udp"), "medium"),
        (build.listener(443, namespace="netns/blue"), "medium"),
    ],
)
def test_undeclared_listener_has_a_finding_as_grave_as_its_reach(listener: Json, severity: str) -> None:
    results = build.judged(
        build.host_evidence([WEB], [build.listener(443), listener]), [build.scan([build.target([443])])]
    )
    rows = build.of_rule(results, "undeclared-listener")
    assert [(row["status"], row["severity"], row["port"]) for row in rows] == [("fail", severity, listener["port"])]
    assert results["gate"]["passed"] is (severity in ("info", "low"))


@pytest.mark.parametrize("reversed_order", [False, True])
def test_of_two_sockets_at_one_endpoint_neither_is_lost(reversed_order: bool) -> None:
    first = build.listener(40001, protocol="udp")
    second = build.listener(40001, protocol="udp", owners=[build.owner(name="evil", executable="/tmp/evil")])
    heard = [second, first] if reversed_order else [first, second]
    (row,) = build.of_rule(build.judged(build.host_evidence([], heard)), "undeclared-listener")
    assert row["severity"] == "medium"
    assert {"nginx", "evil"} <= set(f"{row['message']} {' '.join(row['details'])}".split())


@pytest.mark.parametrize(
    ("address", "listens"),
    [("192.0.2.10", "0.0.0.0"), ("loopback", "0.0.0.0"), ("loopback", "192.0.2.10"), ("192.0.2.0/24", "::")],
)
def test_a_listener_wider_than_its_declaration_is_undeclared_and_says_what_is_declared(
    address: str, listens: str
) -> None:
    declared = build.declared(8080, address=address, required=False)
    results = build.judged(build.host_evidence([declared], [build.listener(8080, listens)]))
    assert found(results, "undeclared-listener") == [("tcp", 8080, listens)]
    assert "declared for" in build.of_rule(results, "undeclared-listener")[0]["message"]


def test_listeners_that_could_not_be_listed_give_no_pass_of_any_rule_about_them() -> None:
    silent = build.host_evidence([WEB], listening=None, status="failed", message="no python")
    results = build.judged(silent, [build.scan([build.target([443])])])
    about_listeners = {"undeclared-listener", "missing-listener", "wrong-owner", "open-without-listener"}
    assert not [row for row in results["findings"] if row["rule"] in about_listeners]
    assert results["gate"]["passed"] is False


# missing-listener


def test_required_and_not_listening_is_missing() -> None:
    results = build.judged(build.host_evidence([WEB]))
    assert found(results, "missing-listener") == [("tcp", 443, None)]


def test_not_required_and_not_listening_is_nothing() -> None:
    results = build.judged(build.host_evidence([{**WEB, "required": False}]))
    assert build.statuses(results, "missing-listener") == []
    assert results["gate"]["passed"]


@pytest.mark.parametrize(
    "listener",
    [
        build.listener(443, "192.0.2.10", protocol="udp"),
        build.listener(443, "192.0.2.10", namespace="container/0123456789ab"),
        build.listener(443, "127.0.0.1"),
        build.listener(443),
        build.listener(444, "192.0.2.10"),
    ],
)
def test_a_listener_elsewhere_is_not_the_declared_one(listener: Json) -> None:
    declared = build.declared(443, address="192.0.2.10")
    assert found(build.judged(build.host_evidence([declared], [listener])), "missing-listener") == [("tcp", 443, None)]


def test_of_a_range_one_is_enough_and_of_a_list_each_is_meant() -> None:
    declared = [build.declared("8000-8010"), build.declared([80, 443])]
    results = build.judged(build.host_evidence(declared, [build.listener(8004), build.listener(80)]))
    assert found(results, "missing-listener") == [("tcp", 443, None)]
    assert ("tcp", "8000-8010", None) in found(results, "missing-listener", "pass")


@pytest.mark.parametrize("reversed_order", [False, True])
def test_one_port_declared_for_two_addresses_is_two_subjects(reversed_order: bool) -> None:
    declared = [build.declared(443, address=build.ADDRESS), build.declared(443, address="192.0.2.11")]
    evidence = build.host_evidence(declared[::-1] if reversed_order else declared, [build.listener(443, build.ADDRESS)])
    results = build.judged(evidence)
    rows = {row["declared_address"]: row for row in build.of_rule(results, "missing-listener")}
    assert {address: row["status"] for address, row in rows.items()} == {build.ADDRESS: "pass", "192.0.2.11": "fail"}
    assert len({row["id"] for row in rows.values()}) == 2


def test_one_port_declared_twice_is_one_subject_with_the_gravest_verdict() -> None:
    wrong = {"process": "nginx", "user": "games"}
    evidence = build.host_evidence(
        [build.declared(443, process="nginx"), build.declared(443, **wrong)], [build.listener(443)]
    )
    results = build.judged(evidence)
    assert build.statuses(results, "wrong-owner") == ["fail"]
    assert build.statuses(results, "missing-listener") == ["pass"]


# wrong-owner


@pytest.mark.parametrize(
    ("declared", "listener"),
    [
        ({"process": "nginx"}, build.listener(443, owners=[build.owner(name="evil", executable="/tmp/evil")])),
        ({"process": "nginx"}, build.listener(443, owners=[build.owner(), build.owner(name="x", executable="/x")])),
        ({"process": "/usr/sbin/nginx"}, build.listener(443, owners=[build.owner(executable="/tmp/nginx")])),
        # A process may call itself anything (prctl(2), PR_SET_NAME): 15 bytes are enough for this path.
        (
            {"process": "/usr/sbin/nginx"},
            build.listener(443, owners=[build.owner(name="/usr/sbin/nginx", executable="/tmp/evil")]),
        ),
        ({"user": "root"}, build.listener(443)),
        ({"user": 0}, build.listener(443)),
        ({"unit": "apache2.service"}, build.listener(443)),
    ],
)
def test_another_owner_than_the_declared_one_is_wrong(declared: Json, listener: Json) -> None:
    results = build.judged(build.host_evidence([build.declared(443, **declared)], [listener]))
    assert found(results, "wrong-owner") == [("tcp", 443, None)]


#: A socket that systemd holds for a service, and the service has it now.
ACTIVATED = build.listener(443, unit="web.socket", activates="web.service", owners=[build.owner(unit="web.service")])


def waiting(*more: Json, activates: str | None = "web.service", **activated: Any) -> Json:
    """A socket that systemd holds, of a service that waits to be called."""
    systemd = build.owner(pid=1, name="systemd", executable="/usr/lib/systemd/systemd", uid=0, user="root", unit=None)
    runs = {"name": "web", "executable": "/usr/bin/web", "uid": 990, "user": "web", **activated}
    told = {"activates": activates, "activated": runs if activates and activated.get("name", "") is not None else None}
    return build.listener(443, unit="web.socket", uid=0, user="root", owners=[systemd, *more], **told)


@pytest.mark.parametrize(
    ("declared", "listener", "words"),
    [
        (
            {"process": "web"},
            waiting(name="evil", executable="/usr/bin/evil"),
            "process evil (/usr/bin/evil) instead of web",
        ),
        ({"process": "systemd"}, waiting(), "process web (/usr/bin/web) instead of systemd"),
        ({"user": "root"}, waiting(), "user web instead of root"),
        (
            {"unit": "web.socket"},
            waiting(activates="evil.service"),
            "unit evil.service, started by web.socket, instead of",
        ),
        (
            {"unit": "web.service"},
            waiting(activates="evil.service"),
            "unit evil.service, started by web.socket, instead of",
        ),
        # Another process has the socket as well.
        ({"process": "web"}, waiting(build.owner(name="evil", unit="web.service")), "process evil"),
        ({"unit": "web.service"}, waiting(build.owner(name="web", unit="evil.service")), "unit evil.service instead"),
    ],
)
def test_what_a_socket_unit_starts_is_the_owner(declared: Json, listener: Json, words: str) -> None:
    results = build.judged(build.host_evidence([build.declared(443, **declared)], [listener]))
    [finding] = [one for one in results["findings"] if one["rule"] == "wrong-owner"]
    assert finding["status"] == "fail"
    assert words in finding["message"]


@pytest.mark.parametrize(
    ("declared", "listener", "words"),
    [
        ({"process": "web"}, waiting(name=None), "what web.service runs when it is called is unknown"),
        ({"user": "root"}, waiting(name=None), "what web.service runs when it is called is unknown"),
        ({"user": "web"}, waiting(user=None, uid=None), "the user behind the socket is unknown"),
        ({"unit": "web.service"}, waiting(activates=None), "which unit web.socket starts is unknown"),
    ],
)
def test_what_a_socket_unit_starts_may_be_unknown(declared: Json, listener: Json, words: str) -> None:
    results = build.judged(build.host_evidence([build.declared(443, **declared)], [listener]))
    [finding] = [one for one in results["findings"] if one["rule"] == "wrong-owner"]
    assert finding["status"] == "not_assessed"
    assert words in finding["message"]


def family(child_of: int | None = 100, grandchild_of: int | None = 101) -> Json:
    """A server that hands its clients to processes of other names."""
    postfix = {"unit": "postfix.service", "uid": 0, "user": "root"}
    return build.listener(
        25,
        owners=[
            build.owner(pid=100, name="master", executable="/usr/lib/postfix/sbin/master", **postfix),
            build.owner(pid=101, name="smtpd", executable="/usr/lib/postfix/sbin/smtpd", child_of=child_of, **postfix),
            build.owner(pid=102, name="filter", executable="/usr/bin/filter", child_of=grandchild_of, **postfix),
        ],
    )


@pytest.mark.parametrize(
    ("declared", "listener", "status"),
    [
        ("master", family(), "pass"),
        ("/usr/lib/postfix/sbin/master", family(), "pass"),
        (["master", "smtpd", "filter"], family(None, None), "pass"),
        ("master", family(None), "fail"),
        ("master", family(grandchild_of=None), "fail"),
        ("master", family(child_of=99), "fail"),  # its parent does not hold this socket
        ("smtpd", family(), "fail"),  # a parent is not its child's own
        (["smtpd", "filter"], family(), "fail"),
    ],
)
def test_children_of_a_declared_process_are_its_own(declared: Any, listener: Json, status: str) -> None:
    results = build.judged(build.host_evidence([build.declared(25, process=declared)], [listener]))
    assert build.statuses(results, "wrong-owner") == [status]


def test_a_child_that_runs_as_another_user_is_told() -> None:
    listener = family()
    listener["owners"][1] |= {"uid": 5, "user": "games"}
    results = build.judged(build.host_evidence([build.declared(25, process="master", user="root")], [listener]))
    assert build.statuses(results, "wrong-owner") == ["fail"]


@pytest.mark.parametrize(
    ("declared", "listener"),
    [
        ({"process": "nginx"}, build.listener(443)),
        ({"process": "/usr/sbin/nginx"}, build.listener(443)),
        (
            {"process": "a-name-of-more-than-fifteen"},
            build.listener(443, owners=[build.owner(name="a-name-of-more-", executable="/usr/bin/python3")]),
        ),
        ({"user": "www-data"}, build.listener(443)),
        ({"user": 33}, build.listener(443)),
        ({"user": "33"}, build.listener(443, user=None)),
        ({"unit": "nginx.service"}, build.listener(443)),
        ({"unit": "web.socket"}, ACTIVATED),
        ({"unit": "web.service"}, ACTIVATED),
        ({"unit": "web.service"}, {**ACTIVATED, "owners": [build.owner(pid=1, unit="init.scope")]}),
        ({"unit": "web.socket"}, waiting()),
        ({"unit": "web.socket"}, waiting(activates=None)),  # no systemd tells, and the kernel names the socket unit
        ({"unit": "web.service", "process": "web", "user": "web"}, waiting()),
        ({"process": "/usr/bin/web", "user": 990}, waiting()),
        ({"unit": "web@.service"}, waiting(activates="web@.service")),
        ({"unit": "web.socket"}, waiting(activates="web@.service")),
        ({"unit": "other.service"}, waiting(activates="other.service")),
        # A client is served: the service has the socket, and systemd keeps it.
        ({"unit": "web.service", "process": "web"}, waiting(build.owner(name="web", unit="web.service"))),
    ],
)
def test_the_declared_owner_passes(declared: Json, listener: Json) -> None:
    results = build.judged(build.host_evidence([build.declared(443, **declared)], [listener]))
    assert build.statuses(results, "wrong-owner") == ["pass"]


@pytest.mark.parametrize(
    ("declared", "listener"),
    [
        ({"process": "nginx"}, build.unowned(443)),
        ({"process": "nginx"}, build.listener(443, owners_state="partial")),
        ({"user": "www-data"}, build.unowned(443)),
        (
            {"user": "www-data"},
            build.unowned(443, owners=[build.owner(user=None, uid=None)], owners_state="partial"),
        ),
        ({"unit": "nginx.service"}, build.unowned(443)),
        ({"unit": "nginx.service"}, build.listener(443, unit=None, owners=[build.owner(unit=None)])),
    ],
)
def test_an_owner_that_is_not_known_is_neither_right_nor_wrong(declared: Json, listener: Json) -> None:
    results = build.judged(build.host_evidence([build.declared(443, **declared)], [listener]))
    assert build.statuses(results, "wrong-owner") == ["not_assessed"]
    assert results["gate"]["passed"] is False
    assert results["hosts"][0]["assessed"] is False
    named = build.of_rule(results, "wrong-owner")[0]["gap"]
    accepted = build.judged(
        build.host_evidence([build.declared(443, **declared)], [listener]), about=build.run(accept_gaps=[named])
    )
    assert accepted["gate"]["passed"] is True
    assert accepted["coverage"]["accepted_gaps"] == [named]


def test_a_declaration_that_names_no_owner_asks_for_none() -> None:
    results = build.judged(build.host_evidence([build.declared(443)], [build.unowned(443)]))
    assert build.statuses(results, "wrong-owner") == []


# exposures


def test_open_and_undeclared_is_an_exposure() -> None:
    results = build.judged(build.host_evidence([], []), [build.scan([build.target([8080])])])
    assert found(results, "undeclared-exposure") == [("tcp", 8080, build.ADDRESS)]
    assert build.of_rule(results, "undeclared-exposure")[0]["severity"] == "high"


@pytest.mark.parametrize("state", ["open|filtered", "filtered", "closed"])
def test_only_open_is_open(state: str) -> None:
    silent = build.target(
        endpoints=[build.endpoint(161, protocol="udp", state="open|filtered")],
        states=[{"protocol": "udp", "state": state, "reason": "no-response", "ports": "161"}],
    )
    results = build.judged(build.host_evidence([], []), [build.scan([silent])])
    assert found(results, "undeclared-exposure") == []


@pytest.mark.parametrize("reach", [[], ["office"]])
def test_open_for_whom_it_is_not_declared_is_forbidden(reach: list[str]) -> None:
    places = [{"name": name, "scanners": [name]} for name in ("internet", "office")]
    scans = [
        build.scan([build.target([443])], "internet"),
        build.scan([build.target([443] if reach else [])], "office"),
    ]
    evidence = build.host_evidence([build.declared(443, reachable_from=reach)], [build.listener(443)])
    results = build.judged(evidence, scans, build.run(vantages=places))
    assert [row["vantage"] for row in build.of_rule(results, "forbidden-exposure")] == ["internet"]
    assert found(results, "undeclared-exposure") == []


def test_reachable_from_any_is_forbidden_to_nobody() -> None:
    evidence = build.host_evidence([build.declared(443, reachable_from="any")], [build.listener(443)])
    results = build.judged(evidence, [build.scan([build.target([443])])])
    assert build.failures(results) == set()


@pytest.mark.parametrize("rule", ["undeclared-exposure", "open-without-listener", "firewall-hole"])
@pytest.mark.parametrize(
    "cut",
    [
        {"status": "partial", "reason": "host timeout", "unknown": [{"protocol": "tcp", "ports": "900-1000"}]},
        {"status": "failed", "reason": "died", "states": [], "unknown": [{"protocol": "tcp", "ports": "1-1000"}]},
        {"status": "refused", "reason": "loopback", "states": []},
        {"unknown": [{"protocol": "udp", "ports": "53"}]},
    ],
)
def test_a_scan_that_did_not_see_all_passes_nothing_but_keeps_what_it_saw(rule: str, cut: Json) -> None:
    for opened in ([8080], []):
        results = build.judged(build.host_evidence([], []), [build.scan([build.target(opened, **cut)])])
        assert "pass" not in build.statuses(results, rule)
        if rule == "undeclared-exposure":
            assert found(results, rule) == [("tcp", port, build.ADDRESS) for port in opened]
        assert results["gate"]["passed"] is False


# blocked-service


@pytest.mark.parametrize("state", ["closed", "filtered"])
def test_listening_and_declared_reachable_but_not_open_is_blocked(state: str) -> None:
    silent = build.target(states=build.states([], "1-1000", state))
    results = build.judged(build.host_evidence([WEB], [build.listener(443)]), [build.scan([silent])])
    assert found(results, "blocked-service") == [("tcp", 443, build.ADDRESS)]


def test_silence_of_udp_cannot_be_told_from_a_filter() -> None:
    dns = build.declared(53, protocol="udp", reachable_from=["internet"])
    silent = build.target(
        states=[{"protocol": "udp", "state": "open|filtered", "reason": "no-response", "ports": "53"}]
    )
    results = build.judged(build.host_evidence([dns], [build.listener(53, protocol="udp")]), [build.scan([silent])])
    assert build.statuses(results, "blocked-service") == ["not_assessed"]
    assert build.of_rule(results, "blocked-service")[0]["gap"] == "web1:no-answer:udp/53@internet"
    assert results["gate"]["passed"] is False


def test_declared_reachable_but_not_asked_from_outside_is_not_called_seen() -> None:
    sctp = build.declared(3868, protocol="sctp", reachable_from=["internet"])
    evidence = build.host_evidence([sctp], [build.listener(3868, protocol="sctp")])
    results = build.judged(evidence)
    assert build.statuses(results, "blocked-service") == ["not_assessed"]
    assert results["gate"]["passed"] is False


@pytest.mark.parametrize("reversed_order", [False, True])
def test_behind_a_translated_address_one_open_address_is_enough(reversed_order: bool) -> None:
    outside = ["198.51.100.1", "198.51.100.2"]
    targets = [build.target([443], address=outside[0]), build.target([], address=outside[1])]
    evidence = build.host_evidence([WEB], [build.listener(443)], outside_addresses={"default": outside})
    results = build.judged(evidence, [build.scan(targets[::-1] if reversed_order else targets)])
    assert found(results, "blocked-service") == []


def test_blocked_at_one_of_the_host_s_own_addresses_is_blocked() -> None:
    both = [build.ADDRESS, "2001:db8::10"]
    evidence = build.host_evidence(
        [WEB],
        outside_addresses={"default": both},
        listening=build.listening([build.listener(443, "::")], [build.own_address(one) for one in both]),
    )
    targets = [build.target([443]), build.target([], address=both[1])]
    results = build.judged(evidence, [build.scan(targets)])
    assert found(results, "blocked-service") == [("tcp", 443, both[1])]


# open-without-listener


@pytest.mark.parametrize(
    ("listener", "scanned", "answers"),
    [
        (build.listener(443), build.ADDRESS, True),
        (build.listener(443, build.ADDRESS), build.ADDRESS, True),
        (build.listener(443, "192.0.2.99"), build.ADDRESS, False),
        (build.listener(443, "127.0.0.1"), build.ADDRESS, False),
        (build.listener(443, interface="lo"), build.ADDRESS, False),
        (build.listener(443, "::", v6only=False), build.ADDRESS, True),
        (build.listener(443, "::", v6only=True), build.ADDRESS, False),
        (build.listener(443, "::", v6only=None), build.ADDRESS, True),  # not known: no accusation
        (build.listener(443), "2001:db8::10", False),
        (build.listener(443, "::"), "2001:db8::10", True),
        (build.listener(443, "::"), "2001:DB8:0::10", True),
        (build.listener(443), "2001:DB8:0::10", False),
        (build.listener(443, interface="eth1"), build.ADDRESS, True),  # weak host model: not known
        (build.listener(443, namespace="netns/blue"), build.ADDRESS, False),
        (build.listener(443, protocol="udp"), build.ADDRESS, False),
        (build.listener(443), "198.51.100.7", True),  # translated on the way
        (build.listener(443, "127.0.0.1"), "198.51.100.7", False),
        (build.listener(443, "127.0.0.1"), "127.0.0.1", True),
        (build.listener(443, "::1"), "127.0.0.1", False),
        (build.listener(443, build.ADDRESS), "127.0.0.1", False),
        (build.listener(443, interface="eth0"), "127.0.0.1", False),
        (build.listener(443, interface="lo"), "127.0.0.1", True),
    ],
)
def test_open_outside_needs_a_listener_that_would_answer_there(listener: Json, scanned: str, answers: bool) -> None:
    own = [build.own_address("127.0.0.1", "lo"), build.own_address(build.ADDRESS), build.own_address("2001:db8::10")]
    evidence = build.host_evidence(
        [build.declared(443, reachable_from="any", required=False)],
        outside_addresses={"default": [scanned]},
        listening=build.listening([listener], own),
    )
    results = build.judged(evidence, [build.scan([build.target([443], address=scanned)])])
    expected = [] if answers else [("tcp", 443, scanned)]
    assert found(results, "open-without-listener") == expected


# firewall-hole

FILTERED = [{"protocol": "tcp", "state": "filtered", "reason": "no-response", "ports": "1-442,444-1000"}]
HOLE = [*FILTERED, {"protocol": "tcp", "state": "closed", "reason": "reset", "ports": "443"}]


def test_a_closed_answer_among_filtered_ones_is_a_hole() -> None:
    results = build.judged(build.host_evidence(), [build.scan([build.target(states=HOLE)])])
    assert found(results, "firewall-hole") == [("tcp", 443, build.ADDRESS)]


@pytest.mark.parametrize("state", ["closed", "open"])
def test_where_nothing_is_filtered_closed_is_no_hole(state: str) -> None:
    seen = build.target(states=build.states([], "1-1000", state))
    assert build.statuses(build.judged(build.host_evidence(), [build.scan([seen])]), "firewall-hole") == ["pass"]


def test_a_port_declared_for_the_vantage_point_is_no_hole() -> None:
    declared = build.declared(443, reachable_from=["internet"], required=False)
    results = build.judged(build.host_evidence([declared]), [build.scan([build.target(states=HOLE)])])
    assert build.statuses(results, "firewall-hole") == ["pass"]


def test_ports_that_are_dropped_as_declared_do_not_make_the_rest_holes() -> None:
    """Depth known asks what hosts declare: here 200 ports that are dropped, on a host that drops nothing else."""
    workers = build.declared("8000-8199", reachable_from=[], required=False)
    seen = [
        {"protocol": "tcp", "state": "filtered", "reason": "no-response", "ports": "8000-8199"},
        {"protocol": "tcp", "state": "closed", "reason": "reset", "ports": "9000-9092"},
    ]
    results = build.judged(build.host_evidence([workers]), [build.scan([build.target(states=seen)])])
    assert build.statuses(results, "firewall-hole") == ["pass"]


@pytest.mark.parametrize(
    ("canaries", "holes"),
    [
        ({"closed": "20001-20006"}, []),
        ({"closed": "20001-20003", "filtered": "20004-20006"}, []),
        ({"closed": "20001-20002", "filtered": "20003-20006"}, [("tcp", 443, build.ADDRESS)]),
        ({"filtered": "20001-20006"}, [("tcp", 443, build.ADDRESS)]),
    ],
)
@pytest.mark.parametrize("filtered", ["1-442,444-1000", "444"])
def test_whether_a_firewall_drops_is_told_by_ports_chosen_by_chance(
    canaries: dict[str, str], holes: list[Any], filtered: str
) -> None:
    """Whichever ports were asked besides: what other hosts declare is no sample."""
    rows = [{"state": state, "ports": ports} for state, ports in canaries.items()]
    states = [{**HOLE[0], "ports": filtered}, HOLE[1]]
    results = build.judged(build.host_evidence(), [build.scan([build.target(states=states, canaries=rows)])])
    assert found(results, "firewall-hole") == holes


# wrong-service


@pytest.mark.parametrize(
    ("declared", "seen", "status"),
    [
        ("https", build.service("http", tunnel="ssl"), ["pass"]),
        ("https", build.service("https", tunnel="ssl"), ["pass"]),
        ("HTTPS", build.service("ssl/http"), ["pass"]),
        ("mariadb", build.service("mysql"), ["pass"]),
        ("https", build.service("http"), ["fail"]),
        ("http", build.service("http", tunnel="ssl"), ["fail"]),
        ("https", build.service("ssh"), ["fail"]),
        ("https", build.service("ssh", method="table"), []),
        ("https", build.service("tcpwrapped"), []),
        ("https", build.service("unknown"), []),
        ("https", None, []),
        (None, build.service("ssh"), []),
    ],
)
def test_the_service_that_answers_is_the_declared_one(
    declared: str | None, seen: Json | None, status: list[str]
) -> None:
    row = build.declared(443, reachable_from="any", **({"service": declared} if declared else {}))
    scans = [build.scan([build.target([443], endpoints=[build.endpoint(443, service=seen)])])]
    results = build.judged(build.host_evidence([row], [build.listener(443)]), scans)
    assert build.statuses(results, "wrong-service") == status


# review-overdue


@pytest.mark.parametrize(("days", "status"), [(-1, "fail"), (0, "pass"), (1, "pass")])
def test_a_review_is_due_to_the_end_of_its_day(days: int, status: str) -> None:
    declared = build.declared(443, review_by=build.days_from_today(days), required=False)
    results = build.judged(build.host_evidence([declared]))
    assert build.statuses(results, "review-overdue") == [status]
    assert results["gate"]["passed"]


def test_every_rule_of_the_catalogue_may_stand_in_results_and_be_excused_where_that_makes_sense() -> None:
    results_rules = build.validator("results").schema["$defs"]["rule"]["enum"]
    excusable = build.validator("inventory").schema["$defs"]["rule"]["enum"]
    assert sorted(results_rules) == sorted(CATALOGUE)
    of_no_port = ("packets", "exception", "assessment", "breadth", "acceptance")
    never = {rule.id for rule in CATALOGUE.values() if rule.case in of_no_port}
    assert sorted(excusable) == sorted(set(CATALOGUE) - never)


# too-broad


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        ([build.declared("1-500")], "pass"),
        ([build.declared("1-501")], "fail"),
        ([build.declared("1-65535")], "fail"),
        ([build.declared("1-250"), build.declared("300-550")], "fail"),
        ([build.declared(["1-250", "300-550"])], "fail"),
        ([build.declared("1-300"), build.declared("200-500")], "pass"),
        ([build.declared("1-250"), build.declared("300-550", protocol="udp")], "pass"),
        ([build.declared("1-1000", reachable_from=["internet", "office"])], "fail"),
        ([build.declared("1-1000", reachable_from=["office"])], "pass"),
        ([build.declared("1-1000", address="loopback")], "pass"),
    ],
)
def test_what_is_declared_reachable_from_anywhere_is_of_few_ports(declared: list[Json], status: str) -> None:
    """However the range is cut: entries, lists of ports, vantage points by name."""
    about = build.run(vantages=[{"name": name, "scanners": [name]} for name in ("internet", "office")])
    scans = [build.scan([build.target([])], name) for name in ("internet", "office")]
    evidence = build.host_evidence([{"reachable_from": "any", **one, "required": False} for one in declared])
    assert build.statuses(build.judged(evidence, scans, about), "too-broad") == [status]


@pytest.mark.parametrize(
    ("exceptions", "failing"),
    [
        ([build.exception("1-500")], []),
        ([build.exception("1-65535", expires="9999-12-31")], ["1-65535"]),
        ([build.exception("1-501", rules=["undeclared-listener"])], ["1-501"]),
        ([build.exception("1-250"), build.exception("300-551")], ["300-551"]),
        ([build.exception(22, expires=build.days_from_today(730))], []),
        ([build.exception(22, expires=build.days_from_today(731))], [22]),
        ([build.exception("1-65535", expires=build.days_from_today(-1))], []),
    ],
)
def test_an_exception_is_for_few_ports_and_for_a_time(exceptions: list[Json], failing: list[Any]) -> None:
    results = build.judged(build.host_evidence(exceptions=exceptions), [build.scan([build.target([])])])
    assert [row["port"] for row in build.of_rule(results, "too-broad") if row["status"] == "fail"] == failing
    assert failing == [] or results["gate"]["passed"] is False


def test_no_exception_excuses_itself_and_the_limits_are_the_sites() -> None:
    evidence = build.host_evidence(exceptions=[build.exception("1-65535")])
    about = build.run(too_broad_ports=65535)
    assert build.statuses(build.judged(evidence, []), "too-broad") == ["fail"]
    assert build.statuses(build.judged(evidence, [], about), "too-broad") == ["pass"]


def test_a_run_that_was_sealed_without_limits_is_judged_as_then() -> None:
    about = build.run()
    del about["settings"]["too_broad_ports"], about["settings"]["too_broad_days"]
    evidence = build.host_evidence(exceptions=[build.exception("1-65535", expires="9999-12-31")])
    assert build.statuses(build.judged(evidence, [], about), "too-broad") == []


def test_a_program_that_takes_the_name_of_the_declared_one_is_told_and_a_path_finds_it() -> None:
    renamed = build.listener(443, owners=[build.owner(name="nginx", executable="/usr/local/bin/miner")])
    by_name = build.judged(build.host_evidence([build.declared(443, process="nginx")], [renamed]))
    assert build.statuses(by_name, "wrong-owner") == ["pass"]
    assert "its executable is /usr/local/bin/miner" in build.of_rule(by_name, "wrong-owner")[0]["message"]
    by_path = build.judged(build.host_evidence([build.declared(443, process="/usr/sbin/nginx")], [renamed]))
    assert build.statuses(by_path, "wrong-owner") == ["fail"]


def test_a_second_owner_in_another_unit_is_not_excused_by_the_first() -> None:
    both = [build.owner(pid=7, unit="nginx.service"), build.owner(pid=8, unit="evil.service")]
    results = build.judged(
        build.host_evidence([build.declared(443, unit="nginx.service")], [build.listener(443, owners=both)])
    )
    assert build.statuses(results, "wrong-owner") == ["fail"]
    assert "evil.service" in build.of_rule(results, "wrong-owner")[0]["message"]


def test_what_could_not_be_listed_is_called_neither_missing_nor_hidden_nor_declared() -> None:
    sources = {"tcp_ipv4": "failed", "tcp_ipv6": "netlink", "udp_ipv4": "netlink", "udp_ipv6": "netlink"}
    evidence = build.host_evidence([build.declared(443)], listening=build.listening([], sources=sources))
    results = build.judged(evidence, [build.scan([build.target([443])])])
    for rule in ("missing-listener", "undeclared-listener", "open-without-listener"):
        [row] = build.of_rule(results, rule)
        assert (row["status"], row["gap"]) == ("not_assessed", "web1:not-listed:tcp_ipv4"), rule


def test_every_address_of_one_family_is_not_every_address() -> None:
    declared = [build.declared(443, address="0.0.0.0")]
    assert not build.of_rule(build.judged(build.host_evidence(declared, [build.listener(443)])), "undeclared-listener")[
        0
    ]["port"]
    wide = build.host_evidence(declared, [build.listener(443, "::", v6only=False)])
    assert build.statuses(build.judged(wide), "undeclared-listener") == ["fail"]


def test_a_declaration_for_one_address_says_nothing_of_another_address_of_the_host() -> None:
    addresses = [
        {"interface": "eth0", "address": address, "prefix": 24, "family": "ipv4"}
        for address in (build.ADDRESS, "192.0.2.99")
    ]
    evidence = build.host_evidence(
        [build.declared(443, address="192.0.2.99", reachable_from="any")],
        listening=build.listening([build.listener(443, "192.0.2.99")], addresses=addresses),
    )
    results = build.judged(evidence, [build.scan([build.target([443])])])
    assert build.statuses(results, "undeclared-exposure") == ["fail"]


def test_what_a_lost_scanner_saw_open_stays_open() -> None:
    """The scanner that took over saw it closed: it was open, and that is what counts."""
    lost = build.share([{**build.target([443, 8080]), "status": "partial", "reason": "lost"}], "one", status="failed")
    took_over = build.share([build.target([443])], "two", instead_of=["one"])
    scan = build.scan_by([lost, took_over], "internet")
    results = build.judged(
        build.host_evidence([build.declared(443, reachable_from="any")], [build.listener(443)]), [scan]
    )
    assert [row["port"] for row in build.of_rule(results, "undeclared-exposure")] == [8080]
    assert not results["gate"]["passed"]
