# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where text comes in: whatever the bytes, what comes out prints, stays, and can be carried everywhere."""

from __future__ import annotations

import json
import os
import unicodedata
from xml.etree import ElementTree as ET

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import DEFAULT_LIMIT, visible
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

texts = st.text(st.characters(exclude_categories=()), max_size=200)
values = st.one_of(st.binary(max_size=200), texts)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"nginx", "nginx"),
        (b"", ""),
        ("café 中文 😀", "café 中文 😀"),
        (b"\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        (b"a\nb\r\tc\x00", r"a\x0ab\x0d\x09c\x00"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"\xe2\x82", r"\xe2\x82"),  # cut inside a character
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),  # a surrogate written as UTF-8
        (b"\xc0\xaf", r"\xc0\xaf"),  # an overlong slash
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u200b\ufeff\u2066", r"\u200b\ufeff\u2066"),
        ("\u2028\u2029\u0085", r"\u2028\u2029\x85"),
        ("\ufffe\uffff\U0001fffe", r"\ufffe\uffff\U0001fffe"),
        ("\ud800", r"\ud800"),
        ("\udcff", r"\xff"),  # a byte that os.fsdecode smuggled
        ("\udcc3\udca9", "é"),  # two that are a character
        ("\ud800\udcff", r"\ud800\udcff"),  # not smuggled: one of them is no byte
        ("\ue000", r"\ue000"),
        (r"\x1b already shown", r"\x1b already shown"),
        ("]]><x> | ` ##[", "]]><x> | ` ##["),  # printing characters are the sinks' own business
    ],
)
def test_what_does_not_print_is_shown(value: bytes | str, shown: str) -> None:
    assert visible(value) == shown


@given(values)
def test_what_comes_out_prints_and_no_writer_stumbles_over_it(value: bytes | str) -> None:
    shown = visible(value)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert json.loads(json.dumps(shown)) == shown
    shown.encode("utf-8")
    element = ET.Element("x", value=shown)
    element.text = shown
    parsed = etree.fromstring(ET.tostring(element))
    assert (parsed.text or "", parsed.get("value")) == (shown, shown)


@given(values)
def test_what_was_shown_once_stays_as_it_is(value: bytes | str) -> None:
    once = visible(value, 10_000)
    assert visible(once, 10_000) == once


@given(texts)
def test_text_that_prints_is_not_touched(text: str) -> None:
    clean = "".join(character for character in text if character.isprintable())
    kept = "".join(one for one in clean if unicodedata.category(one) not in ("Co", "Cn"))
    assert visible(kept) == kept


@given(st.binary(max_size=100))
def test_a_name_means_the_same_as_bytes_and_as_python_decodes_it(raw: bytes) -> None:
    assert visible(raw) == visible(os.fsdecode(raw))


@given(values, st.integers(0, 50))
def test_what_is_cut_is_counted(value: bytes | str, limit: int) -> None:
    whole = len(value.decode("utf-8", "backslashreplace")) if isinstance(value, bytes) else None
    shown = visible(value, limit)
    if whole is not None and whole > limit:
        assert shown.endswith(f"[+{whole - limit} more]")
    elif whole is not None:
        assert shown == visible(value)


def test_a_long_text_is_cut_at_the_limit() -> None:
    assert visible("a" * (DEFAULT_LIMIT + 7)) == "a" * DEFAULT_LIMIT + "[+7 more]"
    assert visible("a" * DEFAULT_LIMIT) == "a" * DEFAULT_LIMIT
