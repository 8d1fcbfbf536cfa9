# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where text comes in: whatever the bytes, what comes out prints, stays, and can be carried everywhere."""

from __future__ import annotations

import json
import os
import re
import sys
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
        ("Müller & Söhne, Łódź", "Müller & Söhne, Łódź"),
        ("Иванов", "Иванов"),
        ("Ελλάδα", "Ελλάδα"),
        ("日本語Tシャツ 한글 नमस्ते ไทย", "日本語Tシャツ 한글 नमस्ते ไทย"),
        ("100 € — \u201cso\u201d…", "100 € — \u201cso\u201d…"),
        ("e\u0301", "e\u0301"),
        ("e" + "\u0301" * 4, "e\u0301\u0301" + r"\u0301\u0301"),  # marks that climb over the lines above
        ("\u0301x 1\u0301", r"\u0301x 1\u0301"),  # marks on what is not theirs
        ("a\u20dd", r"a\u20dd"),  # enclosing
        ("\u0455shd", r"\u0455shd"),  # a Cyrillic letter in a Latin word
        ("p\u0430ypal.example", r"p\u0430ypal.example"),
        ("\u0430\u0440\u0440.example", r"\u0430\u0440\u0440.example"),
        ("\u03bfpenssl", r"\u03bfpenssl"),
        ("\uff53\uff53\uff48\uff44 \U0001d42c", r"\uff53\uff53\uff48\uff44 \U0001d42c"),  # forms of ASCII letters
        ("\uff0f\uff1c\uff5c", r"\uff0f\uff1c\uff5c"),
        ("22\u05d0\u0661", r"22\u05d0\u0661"),  # from the right: they would move the 22
        ("a\u00a0b\u3000c\u1680", r"a\xa0b\u3000c\u1680"),  # spaces that are none
        ("x\ufe0f\U000e0100\U000e0041\u3164\u2800\u00ad\u034f", r"x\ufe0f\U000e0100\U000e0041\u3164\u2800\xad\u034f"),
        ("\U0001f600", r"\U0001f600"),  # newer than Unicode 3.2
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


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_text_in_ascii_is_not_touched(text: str) -> None:
    assert visible(text) == text


def test_no_character_at_all_comes_through_that_is_hidden_by_the_unicode_of_this_python() -> None:
    """Whatever Python judges: what is shown prints, from left to right."""
    everything = " ".join(map(chr, range(0x7F, sys.maxunicode + 1)))
    shown = set(visible(everything, len(everything) * 10))
    assert len(shown) > 90_000
    assert not [one for one in shown if not one.isprintable()]
    assert not [one for one in shown if unicodedata.bidirectional(one) in ("R", "AL", "AN")]


@given(st.binary(max_size=100))
def test_a_name_means_the_same_as_bytes_and_as_python_decodes_it(raw: bytes) -> None:
    assert visible(raw) == visible(os.fsdecode(raw))


@given(values, st.integers(32, 60))
def test_nothing_is_longer_than_its_limit_and_what_is_cut_is_counted(value: bytes | str, limit: int) -> None:
    whole, shown = visible(value, 10_000), visible(value, limit)
    assert len(shown) <= limit
    assert visible(shown, limit) == shown
    if len(whole) <= limit:
        assert shown == whole
        return
    kept, cut = re.fullmatch(r"(?s)(.*)\[\+(\d+) more\]", shown).groups()  # type: ignore[union-attr]
    assert whole.startswith(kept)
    assert 0 < int(cut) <= len(value)


def test_a_long_text_is_cut_at_the_limit_with_its_count() -> None:
    assert visible("a" * (DEFAULT_LIMIT + 7)) == "a" * (DEFAULT_LIMIT - 12) + "[+19 more]"
    assert visible("a" * DEFAULT_LIMIT) == "a" * DEFAULT_LIMIT
    assert visible("\x1b" * DEFAULT_LIMIT) == r"\x1b" * 253 + "[+771 more]"


def test_a_megabyte_is_cut_like_any_other() -> None:
    assert visible(b"\xff" * 1_000_000, 40) == r"\xff" * 6 + "[+999994 more]"
