# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command lines: a secret in a place where secrets are known to stand is never shown, whatever stands around it."""

from __future__ import annotations

import os

from ansible_collections.vigil.ports.plugins.module_utils._listeners.command_line import redacted, shown_command
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible
from ansible_collections.vigil.ports.tests.fuzz.targets.pieces import split

LONGEST = 4096  # of a command line no more is read
SECRET = "s3cretPlanted9"  # noqa: S105 - nobody's
FORMS = (
    ["--password", SECRET],
    [f"--password={SECRET}"],
    [f"--token={SECRET}"],
    ["--api-key", SECRET],
    [f"PGPASSWORD={SECRET}"],
    [f"https://user:{SECRET}@host.example/path"],
    ["-H", f"Authorization: Bearer {SECRET}"],
    [f"-Djavax.net.ssl.keyStorePassword={SECRET}"],
    [f"Server=x;Password={SECRET};Port=1"],
)


def target(data: bytes) -> None:
    data = data[:LONGEST]
    before, after = split(data[1:], 2)
    form = FORMS[(data[0] if data else 0) % len(FORMS)]
    first = [os.fsdecode(part) for part in before.split(b"\0")]
    last = [os.fsdecode(part) for part in after.split(b"\0")]
    arguments = ["/usr/sbin/app", *first, *form, *last]
    shown = visible(shown_command(arguments, redact=True), 1 << 20)
    assert SECRET not in shown
    assert shown.isprintable()
    assert len(redacted(arguments)) == len(arguments)
