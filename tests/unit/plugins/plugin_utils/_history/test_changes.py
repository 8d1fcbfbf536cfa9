# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run changes is exactly what is otherwise, and what nobody looked at stays as it was."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]


def run(number: int, listeners: Any = (), opened: Any = (), before: Any = (), **more: Any) -> Json:
    """The results of run ``number``, where these ports listen and are open from ``internet``."""
    settings = {key: more.pop(key) for key in ("vantages", "fail_on", "audit_date", "scan_depth") if key in more}
    about = build.run(run_id=f"run{number}", started=f"2026-11-20T{number:02}:00:00Z", **settings)
    scans = more.pop("scans", [build.scan([build.target(opened)])])
    evidence = more.pop("evidence", None) or build.host_evidence(
        more.pop("ports", [build.declared(22, reachable_from="any")]), listeners, **more
    )
    return build.judged(evidence, scans, about, before=build.Remembered(*before))


def ssh(**more: Any) -> Json:
    return build.listener(22, **more)


def kinds(results: Json, since: str = "since_last") -> list[tuple[str, Any]]:
    return [(row["kind"], row["rule"] or row["port"]) for row in results["changes"][since]]


def packaged(version: str) -> Json:
    return ssh(owners=[build.owner(package={"name": "openssh", "version": version, "manager": "dpkg"})])


def test_the_first_run_says_so_and_changes_nothing() -> None:
    results = run(1, [ssh()], [22])
    assert results["changes"]["history"] == "first run"
    assert results["changes"]["since_last"] == []


def test_without_history_a_run_says_that_it_compared_nothing() -> None:
    results = build.judged(build.host_evidence())
    assert results["changes"]["history"] == "off"


def test_the_same_host_again_changes_nothing() -> None:
    first = run(1, [ssh(), build.listener(8080)], [22, 8080])
    second = run(2, [ssh(), build.listener(8080)], [22, 8080], [first])
    assert kinds(second) == []


def test_a_port_that_opens_is_said_once_and_its_finding_keeps_its_age() -> None:
    first = run(1, [ssh()], [22])
    second = run(2, [ssh(), build.listener(8080)], [22], [first])
    assert kinds(second) == [("opened", 8080), ("finding-opened", "undeclared-listener")]
    third = run(3, [ssh(), build.listener(8080)], [22], [first, second])
    assert kinds(third) == []
    assert kinds(third, "since_green") == kinds(second)
    [finding] = [row for row in build.of_rule(third, "undeclared-listener") if row["status"] == "fail"]
    assert (finding["first_seen"], finding["open_since"]) == ("2026-11-20T02:00:00Z",) * 2


def test_a_port_that_closes_and_opens_again_is_known_from_before() -> None:
    first = run(1, [ssh(), build.listener(8080)], [22])
    second = run(2, [ssh()], [22], [first])
    assert kinds(second) == [("closed", 8080), ("finding-resolved", "undeclared-listener")]
    third = run(3, [ssh(), build.listener(8080)], [22], [first, second])
    assert kinds(third) == [("reopened", 8080), ("finding-reopened", "undeclared-listener")]
    [finding] = [row for row in build.of_rule(third, "undeclared-listener") if row["status"] == "fail"]
    assert finding["first_seen"] == "2026-11-20T01:00:00Z"
    assert finding["open_since"] == "2026-11-20T03:00:00Z"


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("unreachable", {"evidence": build.host_evidence(status="unreachable", message="no route", listening=None)}),
        ("not listed", {"sources": {**build.listing_coverage()["sources"], "tcp_ipv4": "failed"}}),
        ("cut short", {"problems": [{"code": "dump-interrupted", "message": "twice"}]}),
        ("invalid", {"ports": [{"port": 22}]}),
    ],
)
def test_a_listener_that_nobody_could_look_for_is_not_closed_and_its_finding_not_resolved(
    what: str, more: Json
) -> None:
    first = run(1, [ssh(), build.listener(8080)], [])
    if "sources" in more or "problems" in more:
        more = {"listening": build.listening([ssh()], **more)}
    elif "ports" in more:
        more = {**more, "listeners": [ssh(), build.listener(8080)]}
    second = run(2, before=[first], **more)
    told = kinds(second)
    assert ("closed", 8080) not in told, what
    assert ("finding-resolved", "undeclared-listener") not in told, what
    assert ("finding-opened", "not-assessed") in told
    back = run(3, [ssh(), build.listener(8080)], [], [first, second])
    assert kinds(back) == [("finding-resolved", "not-assessed")] or what == "not listed"
    gone = run(4, [ssh()], [], [first, second, back])
    assert ("closed", 8080) in kinds(gone)


def test_a_host_without_evidence_keeps_its_ports() -> None:
    first = run(1, [ssh(), build.listener(8080)], [22])
    about = build.run(run_id="run2", started="2026-11-20T02:00:00Z")
    second = build.judged(None, about=about, before=build.Remembered(first))
    assert kinds(second) == [("finding-opened", "not-assessed")]


@pytest.mark.parametrize(
    "target",
    [
        build.target([], asked="1-1000"),  # 8080 was not asked
        build.target([], status="failed", states=[], reason="no route"),
        build.target([8080], status="untrusted", reason="answers everywhere"),
        build.target([], states=[{"protocol": "tcp", "state": "open|filtered", "reason": "none", "ports": "1-9000"}]),
        build.target(
            [],
            states=[{"protocol": "tcp", "state": "closed", "reason": "reset, first seen open", "ports": "1-9000"}],
        ),
    ],
    ids=["not asked", "failed", "untrusted", "no answer", "not confirmed"],
)
def test_an_open_port_that_nobody_could_ask_is_not_closed(target: Json) -> None:
    first = run(1, [ssh()], [22, 8080])
    second = run(2, [ssh()], before=[first], scans=[build.scan([target])])
    assert ("closed", 8080) not in kinds(second)
    assert ("finding-resolved", "undeclared-exposure") not in kinds(second)
    third = run(3, [ssh()], [22], [first, second])
    assert ("closed", 8080) in kinds(third)
    assert ("finding-resolved", "undeclared-exposure") in kinds(third)


def test_a_gap_of_a_scan_is_not_closed_by_a_run_that_did_not_scan() -> None:
    cut = build.target([22], status="partial", reason="the time was up", unknown=[{"protocol": "tcp", "ports": "9"}])
    first = run(1, [ssh()], scans=[build.scan([cut])])
    inside = run(2, [ssh()], before=[first], scans=[], scan_depth="none")
    assert kinds(inside) == []  # that it did not scan was asked for, and is no news either
    last = run(3, [ssh()], [22], [first, inside])
    assert kinds(last) == [("finding-resolved", "not-assessed")]


def test_a_port_behind_an_address_that_the_host_left_is_closed() -> None:
    first = run(1, [ssh()], [22, 8080])
    moved = {"outside_addresses": {"default": ["192.0.2.99"]}}
    scans = [build.scan([build.target([22], address="192.0.2.99")])]
    own = [build.own_address("127.0.0.1", "lo"), build.own_address("192.0.2.99")]
    second = run(2, before=[first], scans=scans, listening=build.listening([ssh()], own), **moved)
    assert ("closed", 8080) in kinds(second)
    assert ("opened", 22) in kinds(second)


def test_another_owner_and_another_version_are_said_and_unknown_ones_are_not() -> None:
    first = run(1, [packaged("9.2")], [])
    assert kinds(run(2, [packaged("9.3")], [], [first])) == [("version-changed", 22)]
    other = ssh(owners=[build.owner(name="socat")])
    assert kinds(run(2, [other], [], [first])) == [("owner-changed", 22)]
    unknown = run(2, [build.unowned(22)], [], [first])
    assert kinds(unknown) == []
    [change] = run(3, [packaged("9.3")], [], [first, unknown])["changes"]["since_last"]
    assert (change["before"], change["after"]) == ("openssh 9.2", "openssh 9.3")


def test_a_declaration_that_comes_and_goes_is_said() -> None:
    first = run(1, [ssh()], ports=[])
    second = run(2, [ssh()], before=[first])
    assert ("declared", 22) in kinds(second)
    assert ("undeclared", 22) in kinds(run(3, [ssh()], before=[first, second], ports=[]))


def test_a_finding_is_opened_excepted_reopened_and_resolved() -> None:
    heard = [ssh(), build.listener(8080)]
    excuse = build.exception(8080, expires="2026-11-21")
    first = run(1, [ssh()])
    second = run(2, heard, before=[first])
    third = run(3, heard, before=[first, second], exceptions=[excuse])
    assert ("finding-excepted", "undeclared-listener") in kinds(third)
    fourth = run(4, heard, before=[first, second, third], exceptions=[excuse], audit_date="2026-11-22")
    assert ("finding-reopened", "undeclared-listener") in kinds(fourth)
    [finding] = [row for row in build.of_rule(fourth, "undeclared-listener") if row["status"] == "fail"]
    assert finding["open_since"] == "2026-11-20T02:00:00Z"  # it was excused meanwhile, and never gone
    fifth = run(5, [ssh()], before=[first, second, third, fourth])
    assert ("finding-resolved", "undeclared-listener") in kinds(fifth)
    assert ("finding-resolved", "exception-expired") in kinds(fifth)


def test_a_wrong_service_is_resolved_only_by_a_scan_that_identified_it() -> None:
    ports = [build.declared(22, reachable_from="any", service="ssh")]

    def scanned(name: str, method: str) -> Json:
        service = build.service(name, method=method)
        return build.scan([build.target([22], endpoints=[build.endpoint(22, service=service)])])

    first = run(1, [ssh()], ports=ports, scans=[scanned("http", "probed")])
    assert build.statuses(first, "wrong-service") == ["fail"]
    guessed = run(2, [ssh()], ports=ports, scans=[scanned("ssh", "table")], before=[first])
    assert kinds(guessed) == []
    third = run(3, [ssh()], ports=ports, scans=[scanned("ssh", "probed")], before=[first, guessed])
    assert ("finding-resolved", "wrong-service") in kinds(third)


def test_a_finding_that_grows_worse_is_said() -> None:
    first = run(1, [ssh(), build.listener(45353, protocol="udp", ephemeral=True, interface="lo")])
    second = run(2, [ssh(), build.listener(45454, protocol="udp", ephemeral=True)], before=[first])
    [change] = [row for row in second["changes"]["since_last"] if row["kind"].startswith("finding-")]
    assert (change["kind"], change["before"], change["after"]) == ("finding-severity", "info", "low")


def test_ports_that_the_kernel_picks_do_not_pile_up() -> None:
    first = run(1, [build.listener(40001, protocol="udp", ephemeral=True)])
    second = run(2, [], before=[first])
    assert ("closed", 40001) in kinds(second)
    known = build.Remembered(first, second).of("web1")
    assert known is not None
    assert [row["port"] for row in known["now"]["endpoints"]] == []


def test_the_last_green_run_is_compared_with_as_a_whole() -> None:
    green = run(1, [ssh()], [22])
    assert green["gate"]["passed"]
    second = run(2, [ssh(), build.listener(8080)], [22], [green])
    third = run(3, [ssh(), build.listener(8081)], [22], [green, second])
    assert ("closed", 8080) in kinds(third)
    assert kinds(third, "since_green") == [("opened", 8081), ("finding-opened", "undeclared-listener")]


def test_what_becomes_known_is_no_change() -> None:
    first = run(1, [build.unowned(22)], [])
    assert kinds(run(2, [packaged("9.2")], [], [first])) == []


def test_a_rule_that_could_not_tell_leaves_its_finding_as_it_was() -> None:
    ports = [build.declared(22, reachable_from="any", process="sshd")]
    first = run(1, [ssh()], ports=ports)
    assert build.statuses(first, "wrong-owner") == ["fail"]
    second = run(2, [build.unowned(22)], ports=ports, before=[first])
    assert build.statuses(second, "wrong-owner") == ["not_assessed"]
    assert kinds(second) == []
    third = run(3, [ssh(owners=[build.owner(name="sshd")])], ports=ports, before=[first, second])
    assert ("finding-resolved", "wrong-owner") in kinds(third)


EXCEPTIONS = [
    build.exception(8080, expires=build.days_from_today(5)),  # in use, about to expire
    build.exception(8081, expires=build.days_from_today(300)),  # unused
]
PROPOSED = [build.declared(8082, reachable_from="any")]


def declared_host(listeners: Any = (), **more: Any) -> HostEvidence:
    host = build.host_evidence([build.declared(22, reachable_from="any")], listeners, EXCEPTIONS, **more)
    host.inventory["vigil_ports__proposed"] = PROPOSED
    return host


def at_depth(depth: str, number: int, *before: Json) -> Json:
    """The same host, looked at by turns: nothing listens on what is open from outside (a port forwarding)."""
    asked = {"none": None, "known": "22", "full": "1-65535"}[depth]
    scans = [] if asked is None else [build.scan([build.target([22] if asked == "22" else [22, 8080, 8082], asked)])]
    return run(
        number, before=before, evidence=declared_host([ssh(), build.listener(8082)]), scans=scans, scan_depth=depth
    )


@pytest.mark.parametrize("shallow", ["none", "known"])
def test_a_run_that_looks_at_less_neither_ends_nor_begins_what_a_fuller_one_found(shallow: str) -> None:
    full = at_depth("full", 1)
    assert build.failures(full) >= {"exception-expiring", "exception-unused", "unapproved"}
    second = at_depth(shallow, 2, full)
    assert kinds(second) == []
    third = at_depth("full", 3, full, second)
    assert kinds(third) == []


def test_a_proposal_is_not_called_needless_by_a_run_that_did_not_look_from_outside() -> None:
    inside = run(1, evidence=declared_host([ssh()]), scans=[], scan_depth="none")
    [row] = build.of_rule(inside, "unapproved")
    assert "nothing needs it" not in row["message"]
    assert row["severity"] != "low"


def test_the_day_ends_an_exception_that_was_about_to_expire_whatever_was_looked_at() -> None:
    full = at_depth("full", 1)
    day = build.days_from_today(6)
    late = run(
        2,
        before=[full],
        evidence=declared_host([ssh(), build.listener(8082)]),
        scans=[],
        scan_depth="none",
        audit_date=day,
    )
    assert ("finding-resolved", "exception-expiring") in kinds(late)
    assert ("finding-opened", "exception-expired") in kinds(late)


def test_another_binary_of_the_same_name_user_and_unit_is_a_change() -> None:
    first = run(1, [ssh(owners=[build.owner(executable="/usr/sbin/sshd")])])
    second = run(2, [ssh(owners=[build.owner(executable="/tmp/.x/sshd")])], before=[first])
    [change] = second["changes"]["since_last"]
    assert change["kind"] == "owner-changed"
    assert "/usr/sbin/sshd" in change["before"]
    assert "/tmp/.x/sshd" in change["after"]


def binary(size: int, **more: Any) -> Json:
    return build.owner(executable_file={"size": size, "modified": 1767225600, "inode": 7}, **more)


def test_another_file_at_the_same_path_is_a_change() -> None:
    first = run(1, [ssh(owners=[binary(1000)])])
    assert kinds(run(2, [ssh(owners=[binary(1000)])], before=[first])) == []
    [change] = run(2, [ssh(owners=[binary(2000)])], before=[first])["changes"]["since_last"]
    assert change["kind"] == "owner-changed"
    assert "1000 bytes" in change["before"]
    assert "2000 bytes" in change["after"]


def test_another_version_of_the_package_has_another_file() -> None:
    package = {"name": "openssh-server", "manager": "dpkg"}
    first = run(1, [ssh(owners=[binary(1000, package={**package, "version": "1"})])])
    second = run(2, [ssh(owners=[binary(2000, package={**package, "version": "2"})])], before=[first])
    assert [kind for kind, _port in kinds(second)] == ["version-changed"]


def test_a_belief_without_the_executable_learns_it_without_a_change() -> None:
    first = run(1, [ssh()])
    for row in first["hosts"][0]["seen"]["endpoints"]:
        del row["executable"], row["file"]  # as version 0.2 wrote it
    assert kinds(run(2, [ssh()], before=[first])) == []


def resolver(ports: Any, name: str = "unbound") -> list[Json]:
    return [build.listener(port, protocol="udp", ephemeral=True, owners=[build.owner(name=name)]) for port in ports]


def of_endpoints(results: Json) -> list[tuple[str, Any]]:
    return [row for row in kinds(results) if not str(row[0]).startswith("finding-")]


def test_the_ports_that_the_kernel_picks_for_one_process_are_one_thing() -> None:
    first = run(1, [ssh(), *resolver(range(40000, 40110))])
    second = run(2, [ssh(), *resolver(range(41000, 41110))], before=[first])
    assert of_endpoints(second) == []
    third = run(3, [ssh()], before=[first, second])
    assert of_endpoints(third) == [("closed", 41000)]
    fourth = run(4, [ssh(), *resolver(range(42000, 42050))], before=[first, second, third])
    assert of_endpoints(fourth) == [("opened", 42000)]
    fifth = run(5, [ssh(), *resolver([42000]), *resolver([42099], "nc")], before=[first, second, third, fourth])
    assert of_endpoints(fifth) == [("opened", 42099)]
