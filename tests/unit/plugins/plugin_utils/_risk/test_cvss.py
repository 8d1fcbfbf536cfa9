# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CVSS vectors of each version say is read, and what is none is refused."""

from __future__ import annotations

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.cvss import UnreadableVector, vector_of


@pytest.mark.parametrize(
    ("text", "version", "automatable", "with_access", "total"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", True, True, True),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "3.0", True, True, True),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N", "3.1", True, True, False),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "3.1", False, True, True),
        ("CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", "3.1", False, False, True),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", False, False, True),
        ("CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H", "3.1", False, False, True),
        ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", False, False, True),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N/E:P/RL:O/RC:C", "3.1", False, False, False),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "2.0", True, True, False),
        ("(AV:N/AC:L/Au:S/C:C/I:N/A:N)", "2.0", False, True, True),
        ("CVSS:2.0/AV:N/AC:M/Au:N/C:P/I:P/A:P", "2.0", False, False, False),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", "4.0", True, True, True),
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", "4.0", False, False, True),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:L/VA:L/SC:H/SI:H/SA:H/E:A/U:Amber", "4.0", False, True, False),
    ],
)
def test_a_vector_says_what_can_be_automated_and_what_is_lost(
    text: str, version: str, automatable: bool, with_access: bool, total: bool
) -> None:
    assert vector_of(text) == (version, automatable, with_access, total)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has '', expected METRIC:VALUE"),
        ("CVSS:3.1/", "has '', expected METRIC:VALUE"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "has no A, which version 3.1 requires"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X", "has A:X, expected one of HLN"),
        ("CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "has AV more than once"),
        ("CVSS:3.1/AV:NA/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "has AV:NA"),
        ("CVSS:9.9/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "has 'CVSS:9.9'"),
        ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "has no Au, which version 2.0 requires"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\n", "expected METRIC:VALUE"),
        ("\u202eCVSS:3.1", "expected METRIC:VALUE"),
        ("CVSS:3.1/" + "A:B/" * 200, "characters, more than 400"),
    ],
)
def test_what_is_no_vector_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UnreadableVector) as refused:
        vector_of(text)
    assert why in str(refused.value)
    assert str(refused.value).isascii()
