# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a group shares is proposed once, for the group, and for nobody who lacks it."""

from __future__ import annotations

from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.lifting import layers, lifted
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.proposals import host_proposals
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import given
from hypothesis import strategies as st

GROUPS = {"all": ["a", "b", "c", "d"], "ungrouped": ["d", "x"], "web": ["a", "b"], "pair": ["a", "b"], "one": ["a"]}
SSH, HTTP = build.declared(22), build.declared(80)


def test_the_group_that_covers_most_takes_it_and_the_smallest_of_those() -> None:
    of_groups, of_hosts = lifted({"a": [SSH, HTTP], "b": [SSH, HTTP], "c": [SSH], "d": [SSH]}, GROUPS)
    assert of_groups == {"all": [SSH], "pair": [HTTP]}
    assert of_hosts == {"a": [], "b": [], "c": [], "d": []}


def test_a_host_that_was_not_seen_keeps_an_entry_out_of_the_group() -> None:
    of_groups, of_hosts = lifted({"a": [SSH], "b": [SSH], "c": [SSH]}, {"all": GROUPS["all"]})
    assert of_groups == {}
    assert of_hosts == {"a": [SSH], "b": [SSH], "c": [SSH]}


def test_with_a_share_what_not_all_have_is_not_required() -> None:
    of_groups, of_hosts = lifted({"a": [SSH], "b": [SSH], "c": [SSH]}, {"all": GROUPS["all"]}, 75)
    assert of_groups == {"all": [{**SSH, "required": False}]}
    assert not any(of_hosts.values())


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from([22, 80, 443]), unique=True), max_size=6),
    st.dictionaries(st.sampled_from(["all", "g", "h", "i"]), st.sets(st.sampled_from("abcdef")), max_size=4),
    st.integers(1, 100),
)
def test_nothing_is_lost_and_nobody_gets_what_is_required_and_not_theirs(
    ports: dict[str, list[int]], groups: Any, share: int
) -> None:
    proposals = {host: [build.declared(port) for port in some] for host, some in ports.items()}
    of_groups, of_hosts = lifted(proposals, groups, share)
    for host, some in ports.items():
        theirs = [*of_hosts[host], *(one for name, every in of_groups.items() if host in groups[name] for one in every)]
        assert set(some) <= {one["port"] for one in theirs}
    for name, every in of_groups.items():
        for entry in every:
            lacking = [host for host in groups[name] if entry["port"] not in ports.get(host, [])]
            assert not lacking or entry["required"] is False


def test_each_layer_has_a_name_of_its_own() -> None:
    found = layers({"web": [SSH], "none": []}, {"a": [HTTP], "b": []})
    assert [(kind, name, variable) for kind, name, variable, _some in found] == [
        ("group", "web", "vigil_ports__proposed_web"),
        ("host", "a", "vigil_ports__proposed"),
    ]


def proposal(host: Any, scans: Any = None, variables: Any = None) -> Any:
    scans = [build.scan([build.target([443])])] if scans is None else scans
    (found,) = host_proposals(build.run(), [("web1", host, None)], scans, {"web1": variables or {}})
    return found


def test_what_was_seen_fills_the_entry() -> None:
    listeners = [build.listener(443), build.listener(443, "::"), build.listener(631, "127.0.0.1"), build.unowned(8081)]
    entries = {one["port"]: one for one in proposal(build.host_evidence([], listeners)).entries}
    seen = {"process": "nginx", "user": "www-data", "unit": "nginx.service"}
    words = ("justification", "owner")
    rest = {port: {key: entry[key] for key in entry if key not in (*words, "port")} for port, entry in entries.items()}
    assert rest == {
        443: {**seen, "reachable_from": ["internet"]},
        631: {"address": "loopback", **seen},
        8081: {},
    }
    assert all(entry[word].startswith("FILL IN") for entry in entries.values() for word in words)


def test_what_is_declared_excepted_proposed_or_ephemeral_is_not_proposed() -> None:
    listeners = [build.listener(port) for port in (80, 81, 82)]
    listeners.append(build.listener(40000, protocol="udp", ephemeral=True))
    host = build.host_evidence([build.declared(80)], listeners, [build.exception(81)])
    quiet = [build.scan([build.target()])]
    found = proposal(host, quiet, {"vigil_ports__proposed": [build.declared(82)]})
    assert found.entries == ()
    assert ["excepted" in one or "ephemeral" in one for one in found.left_out] == [True, True]


def test_a_host_that_was_not_listed_or_has_a_broken_inventory_gets_no_proposal() -> None:
    unlisted = build.host_evidence(status="unreachable", message="no route", listening=None)
    broken = build.host_evidence([build.declared("80-")], [build.listener(81)])
    for evidence, why in ((None, "no evidence"), (unlisted, "no route"), (broken, "not valid")):
        found = proposal(evidence)
        assert found.entries == ()
        assert why in found.left_out[0]


def test_a_partial_look_is_said() -> None:
    found = proposal(build.host_evidence([], [build.listener(81)]), scans=[])
    assert [one["port"] for one in found.entries] == [81]
    assert "seen in part only" in found.left_out[0]


def test_what_is_open_and_listens_nowhere_is_never_proposed() -> None:
    found = proposal(build.host_evidence([], [build.listener(81)]))
    assert [one["port"] for one in found.entries] == [81]
    assert any("tcp/443" in one and "find out why before anything is declared" in one for one in found.left_out)


def test_what_is_open_from_more_places_than_proposed_is_proposed_again() -> None:
    host = build.host_evidence([], [build.listener(443)])
    proposed = {"vigil_ports__proposed": [build.declared(443, reachable_from=["office"])]}
    (entry,) = proposal(host, variables=proposed).entries
    assert entry["reachable_from"] == ["internet"]
    proposed["vigil_ports__proposed"].append(entry)
    assert proposal(host, variables=proposed).entries == ()
