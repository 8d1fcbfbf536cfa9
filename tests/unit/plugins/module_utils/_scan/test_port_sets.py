# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: no port is lost, invented or listed twice on its way through a PortSet."""

from __future__ import annotations

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortError, PortSet
from hypothesis import given
from hypothesis import strategies as st

PORTS = st.sets(st.integers(1, 65535), max_size=60) | st.sets(st.integers(1, 70), max_size=60)


@given(PORTS)
def test_printed_sets_read_back_as_the_same(ports: set[int]) -> None:
    made = PortSet.of(ports)
    assert set(made) == ports
    assert len(made) == len(ports)
    assert PortSet.parse([str(made)] if ports else []) == made
    assert PortSet.parse(sorted(ports, reverse=True)) == made


@given(PORTS, PORTS)
def test_sets_of_ranges_are_sets(left: set[int], right: set[int]) -> None:
    one, other = PortSet.of(left), PortSet.of(right)
    assert one - other == PortSet.of(left - right)
    assert one & other == PortSet.of(left & right)
    assert one | other == PortSet.of(left | right)
    assert all((port in one) == (port in left) for port in left | right)


def test_ranges_are_printed_compactly() -> None:
    assert str(PortSet.parse([443, "1-21", "23-79", 22, "8000-8010,8005"])) == "1-79,443,8000-8010"
    assert str(PortSet()) == ""


@pytest.mark.parametrize(
    "bad",
    [
        0,
        65536,
        70000,
        -1,
        True,
        None,
        1.5,
        "",
        "80-",
        "-80",
        "90-80",
        "0",
        "a",
        "1-2-3",
        "\uff18\uff10",
        "80;id",
        [80],
        {},
    ],
)
def test_what_is_no_port_is_refused(bad: object) -> None:
    with pytest.raises(PortError) as error:
        PortSet.parse([22, bad])
    assert len(error.value.errors) == 1


def test_every_bad_entry_is_named() -> None:
    with pytest.raises(PortError) as error:
        PortSet.parse(["80-", 22, 70000, "x"])
    assert [text.split(" ")[0] for text in error.value.errors] == ["'80-'", "70000", "'x'"]
