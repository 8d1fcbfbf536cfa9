# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One socket of a sock_diag dump: one that listens is a listener with the kernel's own numbers, or an error."""

from __future__ import annotations

import ipaddress
import struct

from ansible_collections.vigil.ports.plugins.module_utils._listeners.inet_diag import parse
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import TCP_LISTEN, UNCONNECTED
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import NetlinkError


def target(data: bytes) -> None:
    for protocol, state in (("tcp", TCP_LISTEN), ("udp", UNCONNECTED), ("sctp", TCP_LISTEN)):
        try:
            found = parse(data, protocol, state, lambda index: f"if{index}")
        except NetlinkError:
            continue
        port, peer = struct.unpack_from("!HH", data, 4)
        listens = data[1] == state and port and not peer and not any(data[24:40])
        assert bool(found) == bool(listens)
        uid, inode = struct.unpack_from("=II", data, 64)
        for one in found:
            assert (one.protocol, one.port, one.uid, one.inode) == (protocol, port, uid, inode)
            assert f"ipv{ipaddress.ip_address(one.address).version}" == one.family
            assert one.v6only is None or one.family == "ipv6"
