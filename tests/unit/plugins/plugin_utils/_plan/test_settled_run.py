# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is about is settled, and wrong wishes are refused, before anything is looked at."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.new_run import is_serial, left_out, settle_date
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.outside_addresses import (
    addresses_for,
    outside_addresses,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.vantage_points import shares, vantage_problems
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import hostile_text
from hypothesis import given
from hypothesis import strategies as st

KNOWN = ["scan1", "scan2", "web1"]
jsonlike = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), hostile_text.anything, st.sampled_from(KNOWN)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["name", "scanners", "x"]), inner, max_size=3)
    ),
    max_leaves=15,
)


@pytest.mark.parametrize(
    ("vantages", "place", "words"),
    [
        ([], "vigil_vantages", "no vantage point"),
        (None, "vigil_vantages", "wrong type"),
        ("control", "vigil_vantages", "wrong type"),
        ([{"name": "internet"}], "vigil_vantages[0]", "'scanners' is missing"),
        ([{"name": "internet", "scanners": []}], "vigil_vantages[0].scanners", "too short"),
        ([{"name": "internet", "scanners": ["moon"]}], "vigil_vantages[0].scanners[0]", "not in the inventory"),
        ([{"name": "In ternet", "scanners": ["scan1"]}], "vigil_vantages[0].name", "not an allowed"),
        ([{"name": "a", "scanners": ["scan1", "scan1"]}], "vigil_vantages[0].scanners", "twice"),
        ([{"name": "a", "scanners": ["scan1"], "scaner": 1}], "vigil_vantages[0].scaner", "unknown key"),
        (
            [{"name": "a", "scanners": ["scan1"]}, {"name": "a", "scanners": ["scan2"]}],
            "vigil_vantages[1].name",
            "taken",
        ),
    ],
)
def test_a_vantage_point_where_nobody_stands_is_an_error_with_its_place(vantages: Any, place: str, words: str) -> None:
    problems = vantage_problems(vantages, KNOWN)
    assert [problem.place for problem in problems] == [place]
    assert words in str(problems[0])


def test_vantage_points_with_known_scanners_are_right() -> None:
    assert (
        vantage_problems([{"name": "a", "scanners": ["scan1", "scan2"]}, {"name": "b", "scanners": ["scan1"]}], KNOWN)
        == []
    )
    assert vantage_problems([{"name": "control", "scanners": ["localhost"]}], []) == []


@given(jsonlike)
def test_no_value_crashes_the_check_and_what_passes_can_be_shared_out(value: Any) -> None:
    vantages: Any = plain(value)
    problems = vantage_problems(vantages, KNOWN)
    assert all(problem.place.startswith("vigil_vantages") for problem in problems)
    if not problems:
        assert {share["scanner"] for share in shares(vantages, "known")} <= {*KNOWN, "localhost"}


def test_the_scanners_of_one_place_divide_the_work_and_leave_none() -> None:
    places = [{"name": "a", "scanners": ["one", "two", "three"]}, {"name": "b", "scanners": ["one"]}]
    assert shares(places, "none") == []
    parts = shares(places, "common")
    assert [(one["vantage"], one["scanner"], one["index"], one["of"]) for one in parts] == [
        ("a", "one", 0, 3),
        ("a", "two", 1, 3),
        ("a", "three", 2, 3),
        ("b", "one", 0, 1),
    ]
    work = list(range(10))
    done = [number for one in parts if one["vantage"] == "a" for number in work[one["index"] :: one["of"]]]
    assert sorted(done) == work


@pytest.mark.parametrize(
    ("given_addresses", "ansible_host", "is_control", "expected"),
    [
        (None, None, False, {"default": ["web1"]}),
        (None, "192.0.2.10", False, {"default": ["192.0.2.10"]}),
        (None, None, True, {"default": ["127.0.0.1"]}),
        (None, "localhost", True, {"default": ["127.0.0.1"]}),
        (None, "192.0.2.10", True, {"default": ["192.0.2.10"]}),
        (["192.0.2.1", "192.0.2.2"], "10.0.0.1", False, {"default": ["192.0.2.1", "192.0.2.2"]}),
        ({"internet": ["203.0.113.1"]}, "10.0.0.1", False, {"internet": ["203.0.113.1"]}),
        ({"internet": "203.0.113.1"}, "10.0.0.1", False, {}),
    ],
)
def test_where_a_host_is_seen(given_addresses: Any, ansible_host: str | None, is_control: bool, expected: Any) -> None:
    assert outside_addresses(given_addresses, ansible_host, "web1", is_control=is_control) == expected


def test_a_vantage_point_without_addresses_of_its_own_takes_the_default() -> None:
    outside = {"internet": ["203.0.113.1"], "default": ["10.0.0.1"]}
    assert list(addresses_for(outside, "internet")) == ["203.0.113.1"]
    assert list(addresses_for(outside, "office")) == ["10.0.0.1"]
    assert list(addresses_for({"internet": ["203.0.113.1"]}, "office")) == []


@pytest.mark.parametrize("wrong", ["tomorrow", "2026-02-30", "2026-13-01", "26-01-01", "2026-01-01T00:00:00"])
def test_a_day_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"date|month|day|isoformat"):
        settle_date(wrong, dt.datetime(2026, 11, 20, tzinfo=dt.UTC))


def test_today_is_a_day_in_utc() -> None:
    assert settle_date(None, dt.datetime(2026, 12, 31, 23, 59, tzinfo=dt.UTC)) == "2026-12-31"
    assert settle_date("2028-02-29", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) == "2028-02-29"


def test_what_a_limit_leaves_out_is_known() -> None:
    assert left_out(["web1"], {"all": ["web2", "web1", "db1"]}) == ["db1", "web2"]
    assert left_out(["web1"], {}) == []


def test_a_play_in_batches_is_seen() -> None:
    assert is_serial(["web1"], ["web1", "web2"])
    assert not is_serial(["web1", "web2"], ["web2", "web1"])
