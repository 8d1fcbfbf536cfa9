# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing that a runner or a terminal takes for a command comes through, and what operators read stays readable."""

from __future__ import annotations

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", r":\x3aerror:\x3ax"),
        ("a ::add-mask::x", r"a :\x3aadd-mask:\x3ax"),
        ("::stop-commands::t", r":\x3astop-commands:\x3at"),
        ("##[group]x ##vso[task.x]y ##teamcity[z]", r"#\x23[group]x #\x23vso[task.x]y #\x23teamcity[z]"),
        ("--- x", r"\x2d-- x"),
        ("a +++ b", r"a \x2b++ b"),
        ("section_start:1:a", r"section\x5fstart:1:a"),
        ("travis_fold:end:a", r"travis_fold\x3aend:a"),
        ("M\u00fcller", r"M\xfcller"),
        ("\u009b31m \x1b[8mha:", r"\x9b31m \x1b[8mha:"),
    ],
)
def test_commands_are_broken_wherever_they_stand(text: str, shown: str) -> None:
    assert terminal_text(text) == shown
    assert terminal_text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "nginx (www-data) listens on tcp/443 at ::, undeclared",
        "tcp/22 at ::1, fe80::1%eth0, 2001:db8::beef and ::ffff:198.18.0.1",
        "reports: /srv/reports/20261120T131500Z-1f0c2a",
        "[OpenSSH_9.2p1 Debian-2+deb12u3]",
        "a-b -- c # d",
    ],
)
def test_what_operators_read_stays_as_it_is(text: str) -> None:
    assert terminal_text(text) == text
