# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether host and scans can disagree at all, told in a small part of the time that the rules take.

Of a large fleet nearly all hosts agree with their scans; only of the others the rules are asked. What is said here
may be too much and never too little (see ``disagreements`` in ``hidden_rules.py``, which has the last word). This
module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._evidence.observed import ScannedTarget
from .._evidence.records.listening import Listener
from .._inventory.declared import Inventory
from .._inventory.port_range import PortRange

#: A socket at one of these takes traffic to every address of its family; at the second to both, where IPV6_V6ONLY is
#: not set (ipv6(7)).
_IPV4, _IPV6 = "0.0.0.0", "::"  # noqa: S104 - what is compared, not bound

Endpoint = tuple[str, int, str]  # protocol, port, address


def may_disagree(inventory: Inventory, listeners: Iterable[Listener], targets: Iterable[ScannedTarget]) -> bool:
    """False only for a host of which ``disagreements`` finds none.

    ``listeners`` are those of the evidence, ``targets`` what scans saw of the host.
    """
    plain: set[Endpoint] = set()
    listening: set[tuple[str, int]] = set()
    for row in listeners:
        listening.add((row.protocol, row.port))
        if row.namespace == "host" and row.interface is None:
            plain.add((row.protocol, row.port, row.address))
            if row.address == _IPV6 and row.v6only is False:
                plain.add((row.protocol, row.port, _IPV4))
    return any(
        not _every_open_port_explained(inventory, plain, target)
        or _closed_though_declared(inventory, target, listening)
        for target in targets
    )


def _every_open_port_explained(inventory: Inventory, plain: set[Endpoint], target: ScannedTarget) -> bool:
    """Whether for each open port there is a listener that answers at the address and is what is declared.

    So no port is open without a listener; and as a declaration for any address covers that listener,
    nothing that is declared is missing and open.
    """
    wildcard = _IPV6 if ":" in target.address else _IPV4
    return all(
        ((one.protocol, one.port, wildcard) in plain or (one.protocol, one.port, target.address) in plain)
        and all(
            declaration.address.networks is None
            for declaration in inventory.declarations_for(one.protocol, one.port, "host")
        )
        for one in target.endpoints
        if one.state == "open"
    )


def _closed_though_declared(inventory: Inventory, target: ScannedTarget, listening: set[tuple[str, int]]) -> bool:
    """Whether a port is closed that is declared reachable from there: a service that listens may be blocked."""
    closed = [row for row in target.states if row.state == "closed"]
    return bool(closed) and any(
        first <= declaration.port.last and declaration.port.first <= last
        if isinstance(declaration.port, PortRange)
        else any(protocol == row.protocol and first <= port <= last for protocol, port in listening)
        for declaration in inventory.declarations
        if declaration.is_reachable_from(target.vantage)
        for row in closed
        if row.protocol == declaration.protocol
        for first, last in row.ports
    )
