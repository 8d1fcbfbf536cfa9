# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No inventory crashes the loader, no error in one is kept quiet, and what is valid loads as it was written."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.address_rule import parse_addresses
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import (
    is_inventory_variable,
    load_inventory,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.port_range import PortRange, parse_port
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import example, given
from hypothesis import strategies as st

KEYS = ["port", "protocol", "address", "owner", "justification", "reason", "expires", "review_by", "rules", "user"]
KEYS += ["reachable_from", "required", "service", "namespace", "vantage", "name", "scanners", "default", "prot"]
VARIABLES = ["vigil_ports", "vigil_ports__web", "vigil_exceptions", "vigil_exceptions__x", "vigil_addresses"]
VARIABLES += ["vigil_vantages", "vigil_ports_web", "vigil_portsX", "vigil_ports__WEB"]

BAD_PORTS: list[Any] = [0, 70000, -1, "80-", "-80", "90-80", "0-5", "1-70000", True, None, [], "080", "80 ", "80-90 "]

ports = st.integers(1, 65535)
ranges = st.tuples(ports, ports).map(lambda pair: f"{min(pair)}-{max(pair)}")
names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
# hypothesis takes constants of the code under test too: the placeholder of a proposal is an error, and no valid text.
texts = st.text(min_size=1, max_size=60).filter(lambda text: not text.lstrip().startswith("FILL IN"))
days = st.dates(dt.date(1, 1, 1)).map(dt.date.isoformat)
addresses = st.one_of(
    st.sampled_from(["any", "loopback"]),
    st.ip_addresses().filter(lambda address: getattr(address, "scope_id", None) is None).map(str),
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
)
scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), ports.map(float), st.text(max_size=20)),
    *(ranges, days, addresses, ports, names),
)
jsonlike = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), inner, max_size=8),
    ),
    max_leaves=25,
)
valid_ports = st.one_of(ports, ranges, st.lists(st.one_of(ports, ranges), min_size=1, max_size=4, unique=True))
shared_keys = {
    "protocol": st.sampled_from(["tcp", "udp", "sctp"]),
    "address": st.one_of(addresses, st.lists(addresses, min_size=1, max_size=3)),
    "namespace": texts,
    "approved_by": texts,
    "change": texts,
}
declarations = st.fixed_dictionaries(
    {"port": valid_ports, "justification": texts, "owner": st.just("web-team")},
    optional={
        **shared_keys,
        "service": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.@:-]{0,20}", fullmatch=True),
        "process": texts,
        "user": st.one_of(texts, st.integers(0, 2**32)),
        "unit": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.@:-]{0,20}", fullmatch=True),
        "reachable_from": st.one_of(st.just("any"), st.lists(names, max_size=3, unique=True)),
        "required": st.booleans(),
        "review_by": days,
    },
)
exceptions = st.fixed_dictionaries(
    {"port": valid_ports, "reason": texts, "owner": texts, "expires": days},
    optional={
        **shared_keys,
        "vantage": names,
        "rules": st.lists(st.sampled_from(["undeclared-listener", "firewall-hole"]), min_size=1, unique=True),
    },
)


def changed(entry: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    return {**entry, key: value}


@given(
    st.one_of(
        jsonlike.map(lambda value: {"vigil_ports": value}),
        st.tuples(
            st.sampled_from(VARIABLES[:4]), st.lists(st.one_of(declarations, exceptions, jsonlike), max_size=3)
        ).map(lambda layer: dict([layer])),
        st.dictionaries(st.sampled_from(VARIABLES), jsonlike, max_size=4),
        st.tuples(declarations, st.sampled_from(KEYS), jsonlike).map(lambda one: {"vigil_ports": [changed(*one)]}),
        st.tuples(exceptions, st.sampled_from(KEYS), jsonlike).map(lambda one: {"vigil_exceptions": [changed(*one)]}),
    )
)
def test_no_value_crashes_the_loader_and_each_problem_says_where_it_is(variables: dict[str, Any]) -> None:
    inventory, problems = load_inventory({name: plain(value) for name, value in variables.items()})
    for problem in problems:
        assert any(problem.place == name or problem.place.startswith((f"{name}[", f"{name}.")) for name in variables)
        assert problem.value
        assert problem.message
        assert problem.allowed
    if problems:
        assert (inventory.declarations, inventory.exceptions) == ((), ())


@given(st.lists(declarations, max_size=4), st.lists(declarations, max_size=3), st.lists(exceptions, max_size=3))
def test_every_valid_inventory_loads_whole(one: list[Any], two: list[Any], excused: list[Any]) -> None:
    variables = {"vigil_ports": one, "vigil_ports__two": two, "vigil_exceptions__x": excused}
    inventory, problems = load_inventory(variables)
    assert problems == ()

    def written(rows: list[Any]) -> list[tuple[str, str]]:
        entries = [(row["port"] if isinstance(row["port"], list) else [row["port"]], row) for row in rows]
        return sorted((str(plain_port(port)), row["owner"]) for given, row in entries for port in given)

    assert sorted((str(one.port), one.owner) for one in inventory.declarations) == written([*one, *two])
    assert sorted((str(one.port), one.owner) for one in inventory.exceptions) == written(excused)


def plain_port(port: int | str) -> int | str:
    """A range of one port is that port."""
    first, _dash, last = str(port).partition("-")
    return first if first == last else port


@given(declarations, st.sampled_from(["declaration", "exception"]), st.data())
def test_every_broken_entry_is_refused_at_its_own_place(entry: dict[str, Any], kind: str, data: st.DataObject) -> None:
    if kind == "exception":
        entry = data.draw(exceptions)
    variable = "vigil_ports__web" if kind == "declaration" else "vigil_exceptions__web"
    required = ["port", "owner", "justification"] if kind == "declaration" else ["port", "owner", "reason", "expires"]
    broken = data.draw(
        st.one_of(
            st.sampled_from(required).map(lambda key: {name: value for name, value in entry.items() if name != key}),
            st.text(min_size=1).filter(lambda key: key not in KEYS + list(entry)).map(lambda key: {**entry, key: 1}),
            st.sampled_from(BAD_PORTS).map(lambda port: {**entry, "port": port}),
            st.sampled_from(["nowhere", "10.0.0.300", "10.0.0.0/33", ["any", "nowhere"], [], "", None]).map(
                lambda address: {**entry, "address": address}
            ),
        )
    )
    good = build.declared(1) if kind == "declaration" else build.exception(1)
    inventory, problems = load_inventory({variable: [good, broken]})
    assert problems
    assert all(problem.place.startswith(f"{variable}[1]") for problem in problems)
    assert inventory.declarations == ()


@given(ports, ports)
def test_a_range_means_what_it_says_and_reads_back_as_it_is_shown(one: int, two: int) -> None:
    first, last = sorted((one, two))
    parsed = parse_port(f"{first}-{last}")
    assert parsed == PortRange(first, last)
    assert parse_port(parsed.subject) == parsed
    assert first in parsed
    assert last in parsed
    assert first - 1 not in parsed
    assert last + 1 not in parsed


@given(ports, ports, ports, ports)
def test_ranges_overlap_exactly_when_they_share_a_port(a: int, b: int, c: int, d: int) -> None:
    one, two = PortRange(*sorted((a, b))), PortRange(*sorted((c, d)))
    assert one.overlaps(two) == two.overlaps(one) == bool(range(max(one.first, two.first), min(one.last, two.last) + 1))


@pytest.mark.parametrize(
    ("entry", "place", "words"),
    [
        (build.declared(443, prot="tcp"), "vigil_ports__web[0].prot", "did you mean 'protocol'"),
        (build.declared(443, justification=5), "vigil_ports__web[0].justification", "wrong type"),
        (build.declared(0), "vigil_ports__web[0].port", "allowed"),
        (build.declared(70000), "vigil_ports__web[0].port", "allowed"),
        (build.declared("8010-8000"), "vigil_ports__web[0].port", "reversed"),
        (build.declared([80, "8010-8000"]), "vigil_ports__web[0].port[1]", "reversed"),
        (build.declared("80-"), "vigil_ports__web[0].port", "8000-8010"),
        (build.declared(443.5), "vigil_ports__web[0].port", ""),
        (build.declared(float("nan")), "vigil_ports__web[0].port", ""),
        (build.declared(443, review_by="2026-02-30"), "vigil_ports__web[0].review_by", "no such day"),
        (build.declared(443, review_by="0000-01-01"), "vigil_ports__web[0].review_by", "no such day"),
        (build.declared(443, review_by=dt.datetime(2026, 1, 1, 5, tzinfo=dt.UTC)), "vigil_ports__web[0].review_by", ""),
        (build.declared(443, address=["any", "nowhere"]), "vigil_ports__web[0].address", "nowhere"),
        ({"port": 443, "owner": "x"}, "vigil_ports__web[0]", "'justification' is missing"),
        ({"port": 443, "justification": "x"}, "vigil_ports__web[0]", "'owner' is missing"),
        ("443", "vigil_ports__web[0]", "wrong type: text"),
    ],
)
def test_bad_declaration_is_named_by_place_and_reason(entry: object, place: str, words: str) -> None:
    _inventory, problems = load_inventory({"vigil_ports__web": plain([entry])})
    assert [problem.place for problem in problems] == [place]
    assert words in str(problems[0])


def test_a_whole_number_written_with_a_point_is_the_port_that_the_schema_takes_it_for() -> None:
    inventory, problems = load_inventory({"vigil_ports": plain([build.declared([443.0, 80], user=33.0)])})
    assert problems == ()
    assert [(one.port.subject, one.user) for one in inventory.declarations] == [(443, ("33",)), (80, ("33",))]


def test_exception_without_an_end_is_refused() -> None:
    endless = {"port": 8080, "reason": "old", "owner": "web-team"}
    _inventory, problems = load_inventory({"vigil_exceptions__x": [endless]})
    assert "'expires' is missing" in str(problems[0])


def test_unquoted_day_is_taken_as_the_day_that_it_is() -> None:
    unquoted = {**build.exception(8080), "expires": dt.date(2026, 12, 15)}
    inventory, problems = load_inventory({"vigil_exceptions": plain([unquoted])})
    assert problems == ()
    assert inventory.exceptions[0].expires == dt.date(2026, 12, 15)


@pytest.mark.parametrize("layer", [None, {}, "80", 80, {"port": 80}])
def test_layer_that_is_not_a_list_is_refused_by_its_name(layer: Any) -> None:
    _inventory, problems = load_inventory({"vigil_ports__web": layer, "vigil_ports": [build.declared(80)]})
    assert [problem.place for problem in problems] == ["vigil_ports__web"]


def test_all_errors_are_listed_not_only_the_first() -> None:
    broken = [build.declared(0), build.declared("9-8"), build.declared(1, prot="tcp", address="x")]
    _inventory, problems = load_inventory({"vigil_ports": broken, "vigil_exceptions": [{}], "vigil_ports__z": 1})
    places = {re.split(r"[.]", problem.place)[0] for problem in problems}
    assert places == {"vigil_ports[0]", "vigil_ports[1]", "vigil_ports[2]", "vigil_exceptions[0]", "vigil_ports__z"}


def test_one_port_with_two_owners_names_both_places() -> None:
    layers = {
        "vigil_ports__a": [build.declared("8000-8010", owner="one")],
        "vigil_ports__b": [build.declared(80), build.declared(8005, owner="two")],
    }
    _inventory, problems = load_inventory(layers)
    assert len(problems) == 1
    assert problems[0].place == "vigil_ports__b[1].port"
    assert "vigil_ports__a[0]" in problems[0].message
    assert "'one'" in problems[0].message
    assert "'two'" in problems[0].message


@pytest.mark.parametrize(
    "apart",
    [{"protocol": "udp"}, {"namespace": "netns/blue"}, {"address": "10.0.0.1"}],
)
def test_different_endpoints_may_have_different_owners(apart: dict[str, str]) -> None:
    first = build.declared(53, owner="one", address="10.0.0.2")
    second = {**build.declared(53, owner="two", address="10.0.0.2"), **apart}
    assert load_inventory({"vigil_ports": [first, second]})[1] == ()


@pytest.mark.parametrize("name", ["vigil_ports_web", "vigil_port", "vigil_Ports", "vigil_exception__x", "vigilports"])
def test_a_name_that_was_meant_to_be_ours_is_not_left_out_without_a_word(name: str) -> None:
    assert is_inventory_variable(name)
    _inventory, problems = load_inventory({name: [build.declared(80)]})
    assert [problem.place for problem in problems] == [name]


def test_the_same_port_twice_in_one_entry_is_refused() -> None:
    _inventory, problems = load_inventory({"vigil_ports": [build.declared([80, 80])]})
    assert [problem.place for problem in problems] == ["vigil_ports[0].port"]


@pytest.mark.parametrize(
    ("rule", "address", "loopback_only", "allowed"),
    [
        ("any", "0.0.0.0", False, True),
        ("any", "::", False, True),
        ("loopback", "127.0.0.1", True, True),
        ("loopback", "127.8.9.1", True, True),
        ("loopback", "::1", True, True),
        ("loopback", "0.0.0.0", False, False),
        ("loopback", "::", False, False),
        ("loopback", "0.0.0.0", True, True),
        ("127.0.0.1", "0.0.0.0", True, False),
        ("10.0.0.5", "10.0.0.5", False, True),
        ("10.0.0.5", "10.0.0.6", False, False),
        ("10.0.0.5", "0.0.0.0", False, False),
        ("10.0.0.0/8", "10.200.0.1", False, True),
        ("10.0.0.0/8", "::", False, False),
        ("0.0.0.0/8", "192.0.2.1", False, False),
        ("::/8", "2001:db8::1", False, False),
        ("2001:db8::/32", "2001:db8::5", False, True),
        ("fe80::/10", "fe80::1%eth0", False, True),
        (["10.0.0.5", "loopback"], "127.0.0.1", True, True),
        (["10.0.0.5", "loopback"], "10.0.0.6", False, False),
    ],
)
def test_where_a_declaration_lets_something_listen(rule: Any, address: str, loopback_only: bool, allowed: bool) -> None:
    assert parse_addresses(rule).allows(ipaddress.ip_address(address), loopback_only=loopback_only) is allowed


@given(st.lists(addresses, min_size=1, max_size=3), st.lists(addresses, min_size=1, max_size=3), st.ip_addresses())
def test_an_address_within_two_rules_means_that_they_overlap(one: list[str], two: list[str], address: Any) -> None:
    first, second = parse_addresses(one), parse_addresses(two)
    assert first.overlaps(second) == second.overlaps(first)
    if all(rule.allows(address, loopback_only=False) for rule in (first, second)):
        assert first.overlaps(second)


class Tagged(str):
    """As Ansible hands text over: of a subclass."""

    __slots__ = ()


class TaggedNumber(int):
    pass


@given(jsonlike)
@example([float("nan"), float("inf"), 1e400, -0.0, 443.0])
def test_plain_values_stay_as_they_are_and_are_json_types_only(value: Any) -> None:
    made = plain(value)

    def exact(one: Any) -> bool:
        kind = one.__class__
        if isinstance(one, dict):
            return kind is dict and all(key.__class__ is str and exact(entry) for key, entry in one.items())
        if isinstance(one, list):
            return kind is list and all(map(exact, one))
        return kind in (str, int, float, bool, None.__class__)

    assert exact(made)
    build.json.dumps(made, allow_nan=False)


def test_marked_values_lose_their_marks() -> None:
    made = plain({Tagged("port"): TaggedNumber(80), 80: (Tagged("a"), True)})
    assert made == {"port": 80, "80": ["a", True]}
    assert isinstance(made, dict)
    assert [key.__class__ for key in made] == [str, str]
    assert made["port"].__class__ is int


@pytest.mark.parametrize("value", [b"80", {80}, object(), [b"x"]])
def test_what_has_no_json_form_is_refused_with_its_type(value: object) -> None:
    with pytest.raises(TypeError, match="is not JSON"):
        plain(value)
