# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes as the parts of an input that has parts: files, arguments, answers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

MARK = b"\n\x00\n"  # seldom inside a part, and easy to come by for a mutator that copies

_DEEP: Any = []
for _level in range(300):
    _DEEP = [_DEEP]
#: What nobody expects where something else stands.
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 65535, 65536, 10**30, 0.5, 443.0, 1e300, "", "0", "443", "8000-8010", "8010-8000"),
    *("1-99999999999", "22,80\n", "any", "loopback", "::1", "fe80::1%eth0", "::ffff:192.0.2.1", "192.0.2.1/99"),
    *("0.0.0.0/0", "2027-01-31", "2027-02-30", "2027-01-31\n", "\ud800", "\u2028", "x" * 5000, "tcp", "udp", "open"),
    *([], {}, [[]], [{}], {"": None}, ["any"], [80, 80], {"port": 443}, [{"port": 443}], _DEEP),
]


def split(data: bytes, count: int) -> list[bytes]:
    """The first ``count`` parts of ``data``; those that are missing are empty."""
    parts = data.split(MARK, count - 1)
    return parts + [b""] * (count - len(parts))


def joined(*parts: bytes) -> bytes:
    return MARK.join(parts)


def edited(value: Any, script: bytes) -> Any:
    """``value`` (JSON) with changes that ``script`` asks for: three bytes each say where, how and with what.

    So a mutator that knows only bytes makes documents that are nearly right. ``value`` itself stays as it is.
    """
    made = copy.deepcopy(value)
    for at in range(0, min(len(script), 24) - 2, 3):
        where, how, what = script[at : at + 3]
        places = list(_places(made))
        if not places:
            return made
        parent, key = places[where % len(places)]
        if how % 4 == 0:
            del parent[key]
        elif how % 4 == 1 and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        elif how % 4 == 2 and isinstance(parent, dict):
            parent[f"{key}x"] = parent.pop(key)
        else:
            parent[key] = copy.deepcopy(VALUES[what % len(VALUES)])
    return made


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield value, key
        yield from _places(one)
