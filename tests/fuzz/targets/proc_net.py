# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/proc/net: a line of a listener gives a listener, or the file is refused with the line's number."""

from __future__ import annotations

import re

from ansible_collections.vigil.ports.plugins.module_utils._listeners.proc_net import (
    ProcNetError,
    parse_port_range,
    parse_protocols,
    parse_sockets,
)

# Read by another way than the parser's own.
LISTENS = {
    "tcp": re.compile(rb"\s*\d+:\s+[0-9A-F]+:([0-9A-F]{4})\s+0+:0000\s+0A\s"),
    "udp": re.compile(rb"\s*\d+:\s+[0-9A-F]+:([0-9A-F]{4})\s+0+:0000\s+07\s"),
}


def target(data: bytes) -> None:
    for protocol, pattern in LISTENS.items():
        try:
            found = parse_sockets(data, protocol)
        except ProcNetError:
            continue
        ports = [int(match[1], 16) for line in data.split(b"\n")[1:] if (match := pattern.match(line))]
        seen = [one.port for one in found]
        assert all(seen.count(port) >= ports.count(port) for port in set(ports) if port)
        assert all(0 < port <= 65535 for port in seen)
        assert all(one.inode >= 0 and (one.uid or 0) >= 0 for one in found)
    try:
        counts = parse_protocols(data)
    except ProcNetError:
        pass
    else:
        assert len(counts) <= data.count(b"\n") + data.count(b"\r") + 1
    try:
        first, last = parse_port_range(data)
    except ProcNetError:
        pass
    else:
        assert 0 <= first <= last <= 65535
