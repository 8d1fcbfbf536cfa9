# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A dynamic port is approved for the declared process, whatever its number, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import given
from hypothesis import strategies as st

Json = dict[str, Any]

STATD = build.declared("dynamic", process="/usr/sbin/rpc.statd", reachable_from=["internet"])


def statd(port: int, *more: Json, **keys: Any) -> Json:
    own = build.owner(name="rpc.statd", executable="/usr/sbin/rpc.statd", unit="rpc-statd.service")
    return build.listener(port, **{"owners": [own, *more], **keys})


def seen_open(port: int) -> Json:
    return build.scan([build.target([port], endpoints=[build.endpoint(port)])])


def failed(results: Json) -> set[tuple[str, Any]]:
    return {(row["rule"], row["port"]) for row in results["findings"] if row["status"] == "fail"}


@given(st.integers(1, 65535))
def test_the_declared_process_may_have_any_port_and_be_reached_there(port: int) -> None:
    results = build.judged(build.host_evidence([STATD], [statd(port)]), [seen_open(port)])
    assert failed(results) == set()
    assert results["gate"]["passed"] is True


def test_another_process_on_the_same_port_is_undeclared_inside_and_outside() -> None:
    results = build.judged(build.host_evidence([STATD], [build.listener(40123)]), [seen_open(40123)])
    assert failed(results) == {
        ("undeclared-listener", 40123),
        ("undeclared-exposure", 40123),
        ("missing-listener", "dynamic:/usr/sbin/rpc.statd"),
    }


@pytest.mark.parametrize(
    "listener",
    [
        statd(40123, build.owner()),
        statd(40123, owners_state="partial"),
        statd(40123, protocol="udp"),
        statd(40123, namespace="netns/blue"),
        build.unowned(40123),
    ],
)
def test_a_listener_that_is_not_all_and_surely_of_the_process_is_undeclared(listener: Json) -> None:
    results = build.judged(build.host_evidence([STATD], [listener]))
    assert ("undeclared-listener", 40123) in failed(results)


def test_an_open_port_without_a_listener_is_no_port_of_the_process() -> None:
    results = build.judged(build.host_evidence([STATD], [statd(40123)]), [seen_open(40999)])
    assert {("undeclared-exposure", 40999), ("open-without-listener", 40999)} <= failed(results)


def test_where_it_may_be_reached_holds_for_its_ports() -> None:
    kept_in = {**STATD, "reachable_from": []}
    results = build.judged(build.host_evidence([kept_in], [statd(40123)]), [seen_open(40123)])
    assert failed(results) == {("forbidden-exposure", 40123)}


def test_a_declaration_with_the_port_goes_before_it() -> None:
    web = build.declared(443, process="nginx", reachable_from=["internet"])
    results = build.judged(build.host_evidence([STATD, web], [statd(443)]))
    assert ("wrong-owner", 443) in failed(results)
    assert ("missing-listener", "dynamic:/usr/sbin/rpc.statd") in failed(results)


def test_two_dynamic_declarations_are_told_apart() -> None:
    other = build.declared("dynamic", process="java", owner="java-team")
    assert failed(build.judged(build.host_evidence([STATD, other]))) == {
        ("missing-listener", "dynamic:/usr/sbin/rpc.statd"),
        ("missing-listener", "dynamic:java"),
    }


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"process": None}, ".port", "process or unit"),
        ({"process": None, "user": "statd"}, ".port", "process or unit"),
        ({"forwarded": True}, ".forwarded", "no such key"),
        ({"service": "ssh"}, ".service", "no such key"),
        ({"port": [111, "dynamic"]}, ".port", "or dynamic"),
    ],
)
def test_what_cannot_be_dynamic_is_an_error_with_a_way_out(change: Json, place: str, words: str) -> None:
    entry = {key: value for key, value in {**STATD, **change}.items() if value is not None}
    _inventory, problems = load_inventory({"vigil_ports": [entry]})
    assert [problem.place for problem in problems] == [f"vigil_ports[0]{place}"]
    assert words in str(problems[0])


def test_no_exception_and_no_proposal_is_dynamic() -> None:
    _inventory, problems = load_inventory({"vigil_exceptions": [build.exception("dynamic")]})
    assert [problem.place for problem in problems] == ["vigil_exceptions[0].port"]
    _inventory, problems = load_inventory({"vigil_ports__proposed": [STATD]})
    assert [problem.place for problem in problems] == ["vigil_ports__proposed[0].port"]


@pytest.mark.parametrize(("process", "allowed"), [("rpc.statd", False), ("java", True)])
def test_two_owners_of_one_dynamic_process_contradict(process: str, allowed: bool) -> None:
    other = build.declared("dynamic", process=process, owner="another-team")
    _inventory, problems = load_inventory({"vigil_ports": [STATD, other]})
    assert (not problems) is allowed
