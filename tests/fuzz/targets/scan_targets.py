# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets and answers of a resolver: only literal addresses of single hosts come out, each as its own argument."""

from __future__ import annotations

import ipaddress

from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_arguments import Command
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import read_targets


def target(data: bytes) -> None:
    given, *answers = data.decode("utf-8", "surrogateescape").split("\n")
    (one,) = read_targets([{"host": given, "address": given}], lambda _name: answers)
    assert bool(one.addresses) + bool(one.refused) + bool(one.failed) == 1
    assert (one.host + one.given).isprintable()
    for address in one.addresses:
        literal = ipaddress.ip_address(address)
        assert str(literal) == address
        assert "%" not in address
        assert not literal.is_multicast
        assert not literal.is_unspecified
        argv = Command((address,), PortSet.of([22]), PortSet(), 500, 1, 0, privileged=True).argv("/usr/bin/nmap", "/r")
        assert argv[-2:] == ["/r", address]
