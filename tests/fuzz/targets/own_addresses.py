# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An address of the host, as rtnetlink tells it."""

from __future__ import annotations

import ipaddress

from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import parse
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import NetlinkError


def target(data: bytes) -> None:
    try:
        own = parse(data, lambda index: f"if{index}")
    except NetlinkError:
        return
    address = ipaddress.ip_address(own.address)
    assert own.family == f"ipv{address.version}"
    assert address.packed in data
