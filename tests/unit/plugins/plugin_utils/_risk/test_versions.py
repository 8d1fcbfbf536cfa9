# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions are compared as their package managers do, and nothing else is taken for one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.versions.compare import (
    UnreadableVersion,
    check,
    compare,
)
from ansible_collections.vigil.ports.tests.unit.examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from .generated_versions import DPKG, RPM, pairs

# Of 10,000 generated pairs with examples(10), as make test-long has it.
_ORACLE = """while read -r left right; do
    if dpkg --compare-versions "$left" lt "$right"; then echo -1
    elif dpkg --compare-versions "$left" gt "$right"; then echo 1
    else echo 0; fi
done"""


def test_a_pair_is_ordered_as_dpkg_orders_it() -> None:
    if shutil.which("dpkg") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("dpkg is not installed")
    generated = list(pairs(DPKG, examples(1000), seed=1))
    lines = "".join(f"{left} {right}\n" for left, right in generated)
    said = subprocess.run(["sh", "-c", _ORACLE], input=lines, capture_output=True, text=True, check=True)
    assert "warning" not in said.stderr, said.stderr[:1000]
    differ = [
        (left, right, ours, int(theirs))
        for (left, right), theirs in zip(generated, said.stdout.split(), strict=True)
        if (ours := compare("dpkg", left, right)) != int(theirs)
    ]
    assert differ == []
    assert {int(line) for line in said.stdout.split()} == {-1, 0, 1}


# By the rules of apk-package(5): numbers, a letter, suffixes before and after, a revision.
_APK_ORDER = [
    "0.9-r9",
    "1.0_alpha",
    "1.0_alpha1",
    "1.0_alpha2_p1",
    "1.0_beta_pre",
    "1.0_beta",
    "1.0_beta_p",
    "1.0_pre1",
    "1.0_rc1",
    "1.0_rc1-r1",
    "1.0_rc2",
    "1.0_rc10",
    "1.0",
    "1.0-r0",
    "1.0-r1",
    "1.0-r2",
    "1.0-r10",
    "1.0~0abc",
    "1.0~1abc",
    "1.0_cvs20240101",
    "1.0_svn1",
    "1.0_git20230901",
    "1.0_git20240101",
    "1.0_git20240101-r1",
    "1.0_hg1",
    "1.0_p",
    "1.0_p1_rc1",
    "1.0_p1",
    "1.0_p1-r1",
    "1.0_p2",
    "1.0_p10",
    "1.0a",
    "1.0a-r1",
    "1.0b_rc1",
    "1.0b",
    "1.0.0",
    "1.0.01",
    "1.0.1",
    "1.0.9",
    "1.0.10",
    "1.010",
    "1.1",
    "1.10",
    "10",
]


@pytest.mark.parametrize("older", range(len(_APK_ORDER)))
def test_alpine_orders_suffixes_letters_and_revisions(older: int) -> None:
    assert [compare("apk", _APK_ORDER[older], newer) for newer in _APK_ORDER] == [
        (older > place) - (older < place) for place in range(len(_APK_ORDER))
    ]


@pytest.mark.parametrize(
    ("manager", "left", "right"),
    [
        ("dpkg", "1.0", "1.0-0"),
        ("dpkg", "0:1.0-1", "1.0-1"),
        ("dpkg", "1.00-01", "1.0-1"),
        ("dpkg", "1.a", "1.a0"),
        ("rpm", "0:1.0-1", "1.0-1"),
        ("rpm", "1.01-1", "1.1-1"),
        ("rpm", "1_0-1", "1.0-1"),
        ("rpm", "1.0.-1", "1.0-1"),
        ("apk", "007", "7"),
        ("apk", "1_p01", "1_p1"),
    ],
)
def test_versions_that_are_written_differently_may_be_the_same(manager: str, left: str, right: str) -> None:
    assert compare(manager, left, right) == 0
    assert compare(manager, left=right, right=left) == 0


_NONSENSE = [
    "",
    " ",
    "1.0 0",
    " 1.0",
    "1.0 ",
    "\n1.0",
    "1.0\n",
    "1.0\x00",
    "1.\u0660",
    "\u0661.0",
    "1.0\u00b2",
    "1,0",
    "1.0/1",
    "1.0\u202e",
    "1" * 301,
    "(none)",
    "<end-of-life>",
]
_ONLY = {
    "dpkg": [
        ":1.0",
        "1:",
        "a:1.0",
        "-1:1.0",
        "99999999999:1.0",
        "2147483648:1",
        "1.0-",
        "-1",
        "v1.0",
        "~1",
        "1_0",
        "1:1-1:1",
    ],
    "rpm": [":1.0", "1:", "a:1.0", "1:1:1", "1-1-1", "1-", "-1", "4294967296:1", "1.0-1\u0663"],
    "apk": [
        "1.0-1",
        "1:1.0",
        "1.0_foo",
        "1.0ab",
        "1.0a1",
        "1.",
        ".1",
        "1..0",
        "1.0-r",
        "1-r1-r2",
        "1-r1_p1",
        "1.0~",
        "1.0~xyz",
        "1.0A",
        "1.0_P1",
    ],
}


@pytest.mark.parametrize(
    ("manager", "value"), [(manager, value) for manager, own in _ONLY.items() for value in _NONSENSE + own]
)
def test_what_is_not_a_version_is_refused_on_either_side(manager: str, value: str) -> None:
    for left, right in ((value, "1.0"), ("1.0", value)):
        with pytest.raises(UnreadableVersion) as refused:
            compare(manager, left, right)
        message = str(refused.value)
        assert message.isascii()
        assert message.isprintable()
        assert f"is not a version of {manager}" in message
        assert "; expected " in message
        assert len(message) < 500


@pytest.mark.parametrize(
    ("manager", "value", "place"),
    [
        ("dpkg", "1.0 0", "character 4 is ' '"),
        ("dpkg", "\n1.0", "character 1 is '\\n'"),
        ("rpm", "1.\u0660", "character 3 is '\\u0660'"),
        ("apk", "1.0-r1_p1", "from character 7 on"),
        ("dpkg", "1.0-", "its revision is ''"),
        ("dpkg", "x:1.0", "its epoch is 'x'"),
        ("rpm", "1-1-1", "more than one hyphen"),
        ("rpm", "1:1:1", "more than one colon"),
        ("apk", "", "it is empty"),
        ("dpkg", "v1", "begins with no digit"),
        ("dpkg", "1:", "nothing follows its epoch"),
    ],
)
def test_a_refusal_names_the_place(manager: str, value: str, place: str) -> None:
    with pytest.raises(UnreadableVersion) as refused:
        check(manager, value)
    assert place in str(refused.value)


def test_a_manager_whose_rules_are_not_known_is_refused() -> None:
    with pytest.raises(
        UnreadableVersion, match="rules of this package manager are not known; expected apk or dpkg or rpm"
    ):
        compare("pacman", "1.0", "1.0")


_ANY = st.text(st.sampled_from("0123456789abzAZ.+~^_-:r"), max_size=12)


@pytest.mark.parametrize("manager", ["dpkg", "rpm", "apk"])
@settings(max_examples=examples(200), deadline=None)
@given(data=st.lists(_ANY, min_size=3, max_size=3))
def test_the_order_is_total(manager: str, data: list[str]) -> None:
    """Or sorting by it would depend on what came first, and "fixed since" on how a range is cut."""
    good = []
    for text in data:
        try:
            check(manager, text)
            good.append(text)
        except UnreadableVersion:
            continue
    for left in good:
        assert compare(manager, left, left) == 0
        for right in good:
            assert compare(manager, left, right) == -compare(manager, left=right, right=left)
            for third in good:
                if compare(manager, left, right) <= 0 and compare(manager, right, third) <= 0:
                    assert compare(manager, left, third) <= 0


@settings(max_examples=examples(300), deadline=None)
@given(manager=st.sampled_from(["dpkg", "rpm", "apk"]), left=st.text(max_size=400), right=st.text(max_size=400))
def test_whatever_text_is_compared_or_refused(manager: str, left: str, right: str) -> None:
    with contextlib.suppress(UnreadableVersion):
        assert compare(manager, left, right) in (-1, 0, 1)


def test_a_fleet_with_the_same_packages_pays_once() -> None:
    """10,000 hosts with 30 packages have some thousand versions among them. So 30,000 comparisons
    of what was seen before take a tenth of a second, and a slow machine's whole one."""
    versions = list(pairs(RPM, 30, seed=3))
    began = time.process_time()
    for _number in range(1000):
        for left, right in versions:
            compare("rpm", left, right)
    assert time.process_time() - began < 1
