# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process whose every name is chosen by its owner: the listener it holds is shown, whole and printable."""

from __future__ import annotations

import json
import os
import tempfile

from ansible_collections.vigil.ports.plugins.module_utils._listeners.endpoints import Knowledge, listeners
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import BoundSocket, SocketsSeen, Walk
from ansible_collections.vigil.ports.plugins.module_utils._listeners.processes import described
from ansible_collections.vigil.ports.tests.fuzz.targets.pieces import split

SOCKET = BoundSocket("tcp", "ipv4", "0.0.0.0", 80, None, None, 0, 77, None)
SEEN = {"host": SocketsSeen((SOCKET,), {}, {}, (), (32768, 60999))}


def target(data: bytes) -> None:
    name, arguments, cgroup, executable = split(data, 4)
    with tempfile.TemporaryDirectory() as folder:
        for file, content in (("comm", name + b"\n"), ("cmdline", arguments), ("cgroup", cgroup)):
            with open(f"{folder}/{file}", "wb") as stream:
                stream.write(content)
        link = executable.replace(b"\0", b"")[:200]
        if link:
            os.symlink(link, os.fsencode(folder) + b"/exe")
        directory = os.open(folder, os.O_RDONLY)
        try:
            process = described(directory, 4711)
        finally:
            os.close(directory)
    assert process.name == name
    (row,) = listeners(SEEN, Knowledge(Walk({77: (4711,)}, {4711: process}, 0)))
    (owner,) = row["owners"]
    assert (owner["pid"], row["owners_state"], row["port"]) == (4711, "known", 80)
    assert (owner["command"] is None) == (not arguments[:4096].strip(b"\0"))
    for text in (owner["name"], owner["command"], owner["executable"], row["unit"], row["container"]):
        assert text is None or text.isprintable()
    assert json.loads(json.dumps(row)) == row
