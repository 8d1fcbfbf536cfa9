# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real inputs, changed a little: what hypothesis makes of the corpus, and can make small again."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from hypothesis import strategies as st

#: Sizes and counts at which parsers go wrong.
_NUMBERS = [
    struct.pack(form, number) for number in (0, 1, 3, 4, 0x7F, 0xFFFF) for form in ("=B", "=H", "=I")[number > 255 :]
]
#: Text that means something to one parser or another.
_WORDS = [
    *(
        b"\x00",
        b"\n",
        b"\r",
        b"\x0b",
        b"\x85",
        "\u2028".encode(),
        "\u202e".encode(),
        b"\xff",
        b"\\",
        b'"',
        b"<",
        b"&",
        b"]",
    ),
    *(b"0::/", b"../", b"65536", b"-1", b"1_0", "\uff18".encode(), b"&#x1b;", b"<host>", b"</host>", b"<!DOCTYPE x>"),
    *(b"null", b"[]", b"{}", b"1e999", b"NaN", b'"\\ud800"', b"true", b" (deleted)", b".service", b"\nId=x.socket"),
]
_changes = st.sampled_from(["insert", "replace", "delete", "repeat", "cut", "graft"])


@st.composite
def mutated(draw: st.DrawFn, inputs: Sequence[bytes]) -> bytes:
    """One of ``inputs`` with a few bytes, words or pieces of another put in, taken out or repeated."""
    data = draw(st.sampled_from(inputs))
    for _change in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 64)))
        kind = draw(_changes)
        if kind == "insert":
            data = data[:start] + draw(st.sampled_from([*_NUMBERS, *_WORDS])) + data[start:]
        elif kind == "replace":
            new = draw(st.one_of(st.sampled_from([*_NUMBERS, *_WORDS]), st.binary(max_size=8)))
            data = data[:start] + new + data[start + len(new) :]
        elif kind == "delete":
            data = data[:start] + data[end:]
        elif kind == "repeat":
            data = data[:end] + data[start:end] * draw(st.integers(1, 3)) + data[end:]
        elif kind == "cut":
            data = data[:start]
        else:
            other = draw(st.sampled_from(inputs))
            data = data[:start] + other[draw(st.integers(0, len(other))) :]
    return data
