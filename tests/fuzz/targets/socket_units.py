# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemctl says of socket units."""

from __future__ import annotations

import ipaddress

from ansible_collections.vigil.ports.plugins.module_utils._listeners.socket_units import parse, parse_activated


def target(data: bytes) -> None:
    lines = data.split(b"\n")
    for unit in parse(data):
        name = unit.name.encode("utf-8", "surrogateescape")
        assert any(line.startswith(b"Id=") and line[3:] in name for line in lines)
        for protocol, address, port in unit.listens:
            assert protocol in ("tcp", "udp")
            assert 0 < port <= 65535
            ipaddress.ip_address(address)
    for activated in parse_activated(data).values():
        assert activated.path is None or activated.path.startswith("/")
