# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host or scanner that answers nonsense is not evidence, and stops nobody else's audit."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.listening import Listening
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import (
    listing_of,
    scan_problem,
    why_no_answer,
)
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import given
from hypothesis import strategies as st

Json = dict[str, Any]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def listing() -> Json:
    return copy.deepcopy(build.listening([build.listener(443)]))


def scan() -> Json:
    return copy.deepcopy(
        {"targets": [build.target([443])], "coverage": build.scan_coverage(), "machine": build.machine()}
    )


def test_what_the_modules_give_is_evidence() -> None:
    assert isinstance(listing_of(listing()), Listening)
    assert scan_problem(scan()) is None


@pytest.mark.parametrize("key", ["listeners", "addresses", "host", "coverage"])
@given(value=ANYTHING)
def test_a_listing_with_nonsense_in_it_is_refused_or_usable(key: str, value: Any) -> None:
    assert isinstance(listing_of({**listing(), key: value}), Listening | str)


def test_a_bad_address_is_named() -> None:
    bad = listing()
    bad["listeners"][0]["address"] = "not an address"
    assert "listening.listeners[0]: 'not an address'" in str(listing_of(bad))


def test_a_missing_key_is_named_with_its_place() -> None:
    bad = listing()
    del bad["listeners"][0]["port"]
    assert listing_of(bad) == "listening.listeners[0]: the key port is missing"
    lost = scan()
    del lost["targets"][0]["states"]
    assert "target" in str(scan_problem(lost))


def test_ports_that_are_no_numbers_are_refused() -> None:
    bad = scan()
    bad["targets"][0]["states"][0]["ports"] = "22,x"
    assert scan_problem(bad) is not None


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"failed": True, "msg": "sudo: no"}, "sudo: no"),
        ({}, "the module gave no result"),
        ({"rc": 137, "module_stdout": "", "module_stderr": ""}, "status 137 (SIGKILL, as when memory is short)"),
        (
            {"rc": 1, "module_stdout": "", "module_stderr": "Traceback\nMemoryError\n"},
            "last words were: Traceback / MemoryError",
        ),
        ({"rc": 1, "module_stdout": "", "module_stderr": "x :=\nSyntaxError: invalid syntax"}, "older than 3.8"),
        ({"rc": 0, "module_stdout": "\n{ Hello }", "module_stderr": ""}, "output begins with: { Hello }"),
        ({"rc": 0, "module_stdout": ""}, "it ended with status 0, and it printed nothing"),
        ({"module_stdout": ""}, "it ended with status None"),
    ],
)
def test_a_module_without_an_answer_is_named_with_its_end(result: Json, words: str) -> None:
    """Ansible itself says no more than that there was no JSON."""
    assert words in why_no_answer(result)
