# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UDP ports that the kernel picks: one finding for each process, and none is ephemeral that stays."""

from __future__ import annotations

from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
RULE = "undeclared-listener"


def sockets(ports: Any, name: str = "unbound", **more: Any) -> list[Json]:
    process = build.owner(name=name, executable=f"/usr/sbin/{name}", user="dns", uid=100, unit=f"{name}.service")
    about = {"user": "dns", "uid": 100, "unit": f"{name}.service", **more}
    return [build.listener(port, protocol="udp", ephemeral=True, owners=[process], **about) for port in ports]


def run(number: int, heard: list[Json], *before: Json, declared: Any = ()) -> Json:
    about = build.run(run_id=f"20261120T0{number}0000Z-abcdef", started=f"2026-11-20T0{number}:00:00Z")
    remembered = build.Remembered(*before) if number > 1 else None
    return build.judged(build.host_evidence(declared, heard), None, about, before=remembered)


def failed(results: Json) -> list[Json]:
    return [row for row in build.of_rule(results, RULE) if row["status"] == "fail"]


def test_the_sockets_of_one_process_are_one_finding_that_stays_the_same_when_its_ports_do_not() -> None:
    first, second = run(1, sockets(range(40000, 40110))), run(2, sockets(range(41000, 41110)))
    (one,), (other,) = failed(first), failed(second)
    assert one["id"] == other["id"]
    assert (one["port"], one["severity"], one["address"]) == ("ephemeral:unbound/dns", "low", None)
    assert one["message"] == (
        "unbound (dns) has 110 ephemeral udp ports"
        " (40000, 40001, 40002, 40003, 40004, 40005, 40006, 40007 and 102 more), undeclared"
    )
    again = run(2, sockets(range(41000, 41110)), first)
    assert again["changes"]["since_last"] == []


def test_each_process_has_its_own() -> None:
    assert [row["port"] for row in failed(run(1, [*sockets([40000, 40001]), *sockets([40002], "chronyd")]))] == [
        "ephemeral:chronyd/dns",
        "ephemeral:unbound/dns",
    ]


def test_another_user_under_the_same_name_is_another_finding_and_its_way_out_its_own() -> None:
    taken = build.owner(name="unbound", executable="/home/mallory/unbound", user="mallory", uid=1000, unit=None)
    mallory = [{**row, "owners": [taken], "user": "mallory", "uid": 1000, "unit": None} for row in sockets([40009])]
    first = run(1, sockets([40000]))
    both = failed(run(2, [*sockets([40001]), *mallory], first))
    assert [row["port"] for row in both] == ["ephemeral:unbound/dns", "ephemeral:unbound/mallory"]
    assert [row["ways_out"]["declare"]["entry"]["user"] for row in both] == ["dns", "mallory"]
    assert both[0]["id"] == failed(first)[0]["id"] != both[1]["id"]


def test_they_are_one_row_of_the_host() -> None:
    (row,) = run(1, sockets([40000, 40007]))["hosts"][0]["ports"]
    assert (row["protocol"], row["port"]) == ("udp", "ephemeral:unbound/dns")
    assert row["listening"] == ["unbound (dns): 2 ephemeral udp ports (40000, 40007)"]
    assert [verdict["rule"] for verdict in row["verdicts"] if verdict["status"] == "fail"] == [RULE]


def test_the_way_out_is_a_declaration_that_can_be_pasted_and_then_nothing_is_found() -> None:
    (row,) = failed(run(1, sockets([40000, 40001])))
    declare = row["ways_out"]["declare"]
    assert load_inventory({declare["variable"]: [declare["entry"]]})[1] == ()
    assert (declare["entry"]["port"], declare["entry"]["process"]) == ("dynamic", "unbound")
    assert failed(run(1, sockets([45000]), declared=[declare["entry"]])) == []
    assert row["ways_out"]["except"]["entry"] is None


def test_a_port_on_which_an_earlier_run_saw_the_same_process_is_not_ephemeral() -> None:
    first = run(1, sockets([51820], "wg"))
    assert [row["severity"] for row in failed(first)] == ["low"]
    second = run(2, sockets([51820], "wg"), first)
    (row,) = failed(second)
    assert (row["port"], row["severity"], row["address"]) == (51820, "medium", "0.0.0.0")
    assert "the same process had it at 2026-11-20T01:00:00Z" in row["message"]
    assert second["gate"]["passed"] is False
    assert [row["severity"] for row in failed(run(3, sockets([51820], "wg"), first, second))] == ["medium"]


def test_another_process_on_the_port_and_a_port_that_was_given_back_are_picked_anew() -> None:
    first = run(1, sockets([40000]))
    assert [row["severity"] for row in failed(run(2, sockets([40000], "dig"), first))] == ["low"]
    second = run(2, sockets([40001]), first)
    assert [row["port"] for row in failed(run(3, sockets([40000]), first, second))] == ["ephemeral:unbound/dns"]


def test_a_port_that_stays_among_others_that_come_and_go_is_told_apart() -> None:
    first = run(1, sockets([40000, 51820]))
    found = {row["port"]: row["severity"] for row in failed(run(2, sockets([40123, 51820]), first))}
    assert found == {"ephemeral:unbound/dns": "low", 51820: "medium"}


def test_a_run_without_history_knows_of_no_port_that_stays() -> None:
    assert [row["severity"] for row in failed(run(1, sockets([51820])))] == ["low"]


def test_a_host_that_calls_a_service_ephemeral_is_not_believed() -> None:
    (listener,) = sockets([40000])
    for claim in ({"protocol": "tcp"}, {"address": "192.0.2.10"}, {"port": 1024}):
        (row,) = failed(run(1, [{**listener, **claim}]))
        assert row["severity"] == "medium", claim
