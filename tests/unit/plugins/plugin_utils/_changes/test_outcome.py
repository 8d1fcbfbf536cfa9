# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change is green only when all of it was done, nothing else was, and both could be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.outcome import outcomes
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.plan import Planned, plan_between, plan_of
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.side import FAILING, Outcome, Side
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.declared import Inventory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
CHANGE = "CHG-1"
PLAN = build.declared(8443, reachable_from=["internet"], change=CHANGE)
SSH = build.declared(22, reachable_from=["internet"])
NOT_ASKED = "22,8000-8100"


def inventory(*ports: Json, exceptions: Iterable[Json] = ()) -> Inventory:
    found, problems = load_inventory({"vigil_ports__web": list(ports), "vigil_exceptions__web": list(exceptions)})
    assert not problems
    return found


def side(
    listeners: Iterable[Json] = (),
    opened: Iterable[int] = (),
    *,
    ports: Iterable[Json] = (SSH, PLAN),
    asked: str = "22,8000-8500",
    rest: str = "closed",
    about: Json | None = None,
    more: Iterable[Json] = (),
    **evidence: Any,
) -> Side:
    target = build.target(opened, asked, states=build.states(opened, asked, rest))
    results = build.judged(build.host_evidence(ports, listeners, **evidence), [build.scan([target, *more])], about)
    findings = [row for row in results["findings"] if row["status"] != "pass"]
    return Side.of(results["hosts"][0], findings, results["known_ports"])


def came_of(before: Side | None, after: Side | None, *ports: Json, exceptions: Iterable[Json] = ()) -> list[Outcome]:
    plan = plan_of(inventory(*(ports or (SSH, PLAN)), exceptions=exceptions), CHANGE)
    return outcomes(plan, before, after, ["internet"])


def kinds(found: Iterable[Outcome]) -> list[str]:
    return [one.kind for one in found]


LISTENS = (build.listener(22), build.listener(8443))
BEFORE = side([build.listener(22)], [22])


def test_what_listens_and_is_open_is_done_as_planned() -> None:
    (found,) = came_of(BEFORE, side(LISTENS, [22, 8443]))
    assert found.kind == "as-planned"
    assert found.text == "tcp/8443 listens on 0.0.0.0 (nginx as www-data in nginx.service), open from internet"


def test_what_was_so_before_is_said_to_have_been() -> None:
    done = side(LISTENS, [22, 8443])
    (found,) = came_of(done, done)
    assert (found.kind, found.text.rpartition("; ")[2]) == ("as-planned", "it was so before the change")


@pytest.mark.parametrize(
    ("after", "kind", "said"),
    [
        (side([build.listener(22)], [22]), "not-done", "tcp/8443 does not listen"),
        (side(LISTENS, [22], rest="filtered"), "not-done", "it is not open from internet"),
        (side(LISTENS, [22], asked=NOT_ASKED), "not-known", "whether it is open from internet is not known"),
        (side(LISTENS, [22, 8443], listening=None, status="unreachable"), "not-known", "whether it listens"),
        (None, "not-known", "the host was not looked at"),
    ],
    ids=["closed", "filtered", "not asked", "unreachable", "left out"],
)
def test_what_is_not_there_or_not_seen_is_not_green(after: Side | None, kind: str, said: str) -> None:
    found = came_of(BEFORE, after)
    assert any(one.kind == kind and said in one.text for one in found), found
    assert "as-planned" not in kinds(found)


def test_a_planned_port_of_another_owner_is_not_done() -> None:
    plan = {**PLAN, "process": "haproxy"}
    found = came_of(
        side([build.listener(22)], [22], ports=(SSH, plan)), side(LISTENS, [22, 8443], ports=(SSH, plan)), plan
    )
    assert kinds(found) == ["not-done"]
    assert "haproxy" in found[0].text


def test_an_exposure_beyond_the_plan_is_not_planned() -> None:
    plan = build.declared(8443, change=CHANGE)
    about = {"ports": (SSH, plan)}
    found = outcomes(
        plan_of(inventory(SSH, plan), CHANGE),
        side([build.listener(22)], [22], **about),
        side(LISTENS, [22, 8443], **about),
        [],
    )
    assert kinds(found) == ["not-planned", "as-planned"]
    assert found[0].text.startswith("tcp/8443 opened from internet")


def test_a_port_that_listens_where_it_was_not_planned_is_neither_done_nor_planned() -> None:
    plan = build.declared(8443, address="loopback", change=CHANGE)
    about = {"ports": (SSH, plan)}
    found = came_of(side([build.listener(22)], [22], **about), side(LISTENS, [22], **about), SSH, plan)
    assert [(one.kind, one.text.partition(":")[0]) for one in found] == [
        ("not-planned", "tcp/8443 opened at 0.0.0.0"),
        ("not-done", "tcp/8443 at loopback does not listen"),
    ]


def test_an_address_from_which_a_planned_port_went_away_is_told() -> None:
    other = {"address": "192.0.2.11"}
    before = side(LISTENS, [22, 8443], more=[build.target([22, 8443], "22,8000-8500", **other)])
    after = side(LISTENS, [22, 8443], more=[build.target([22], "22,8000-8500", **other)])
    found = [one for one in came_of(before, after) if one.kind == "not-planned"]
    assert [one.text.partition(":")[0] for one in found] == ["tcp/8443 closed from internet at 192.0.2.11"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (LISTENS, (*LISTENS, build.listener(31337)), "tcp/31337 opened at 0.0.0.0"),
        ((*LISTENS, build.listener(80)), LISTENS, "tcp/80 closed at 0.0.0.0"),
        (LISTENS, (build.listener(22, owners=[build.owner(name="nc")]), LISTENS[1]), "tcp/22 owner-changed at"),
    ],
    ids=["opened", "closed", "owner"],
)
def test_what_nobody_planned_is_told(before: Iterable[Json], after: Iterable[Json], said: str) -> None:
    found = came_of(side(before, [22, 8443]), side(after, [22, 8443]))
    assert kinds(found) == ["not-planned", "as-planned"]
    assert found[0].text.startswith(said)
    assert found[0].case == "nothing else changed"


def test_an_open_port_that_nobody_asked_before_is_not_called_new() -> None:
    before = side(LISTENS, [22], asked=NOT_ASKED, ports=(SSH,))
    after = side(LISTENS, [22, 8443], ports=(SSH,))
    found = outcomes([], before, after, ["internet"])
    assert kinds(found) == ["not-known"]
    assert "it was not asked before the change" in found[0].text


def test_ports_that_the_kernel_picks_are_counted_and_left_out() -> None:
    picked = build.listener(40000, protocol="udp", ephemeral=True)
    found = came_of(side(LISTENS, [22, 8443]), side((*LISTENS, picked), [22, 8443]))
    assert not FAILING.intersection(kinds(found))
    assert [one.text for one in found if one.kind == "note"] == [
        "1 ports that the kernel picked (ephemeral) came or went, and are left out"
    ]


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_host_that_was_not_looked_at_is_never_unchanged(lost: str) -> None:
    seen = side(LISTENS, [22, 8443])
    gone = side((), [22, 8443], listening=None, status="unreachable", message="no route to host")
    found = outcomes([], gone if lost == "before" else seen, seen if lost == "before" else gone, ["internet"])
    assert f"assessed {lost} the change" in {one.case for one in found if one.kind == "not-known"}
    assert "not-planned" not in kinds(found)


def test_an_accepted_gap_is_no_gap() -> None:
    about = build.run(accept_gaps=["web1:unreachable", "web1:not-listed:tcp_ipv4"])
    gone = side([], [22], listening=None, status="unreachable", about=about)
    assert not list(gone.gaps)


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (side([build.listener(22)], [22]), "as-planned"),
        (side(LISTENS, [22, 8443]), "not-done"),
        (side([build.listener(22)], [22, 8443]), "not-done"),  # nothing listens any more, and something answers
        (side([build.listener(22)], [22], asked=NOT_ASKED), "not-known"),
    ],
    ids=["closed", "still there", "still open outside", "not asked"],
)
def test_a_planned_closing(after: Side, kind: str) -> None:
    plan = plan_between(inventory(SSH, PLAN), inventory(SSH))
    assert [(item.action, item.name) for item in plan] == [("close", "tcp/8443")]
    found = outcomes(plan, side(LISTENS, [22, 8443]), after, ["internet"])
    assert kind in kinds(found)
    assert kind == "as-planned" or "as-planned" not in kinds(found)


def test_what_may_be_open_need_not_be() -> None:
    found = came_of(BEFORE, BEFORE, {**PLAN, "required": False})
    assert [(one.kind, one.text) for one in found] == [("as-planned", "tcp/8443 may be open, and is not")]


def test_an_exception_that_excuses_absence_plans_a_closing() -> None:
    excuse = build.exception(22, change=CHANGE, rules=["missing-listener"])
    about = {"exceptions": [excuse], "ports": (SSH,)}
    before, after = side([build.listener(22)], [22], **about), side([], [], **about)
    plan = plan_of(inventory(SSH, exceptions=[excuse]), CHANGE)
    assert kinds(outcomes(plan, before, after, ["internet"])) == ["as-planned"]
    assert "not-done" in kinds(outcomes(plan, before, before, ["internet"]))


def test_a_plan_survives_its_file() -> None:
    declared = [
        build.declared([8443, "9000-9010"], change=CHANGE, address=["192.0.2.0/24", "loopback"]),
        build.declared(53, protocol="udp", change=CHANGE, reachable_from="any", namespace="netns/blue"),
        build.declared(80, change="CHG-2"),
    ]
    plan = plan_of(inventory(*declared), CHANGE)
    assert [item.name for item in plan] == [
        "tcp/8443 at 192.0.2.0/24, loopback",
        "tcp/9000-9010 at 192.0.2.0/24, loopback",
        "udp/53 in netns/blue",
    ]
    assert [Planned.read(item.as_dict()) for item in plan] == plan


def test_a_revision_that_only_words_differently_plans_nothing() -> None:
    worded = {**PLAN, "justification": "other words", "change": "CHG-9", "approved_by": "netsec"}
    assert plan_between(inventory(SSH, PLAN), inventory(worded, SSH)) == []
