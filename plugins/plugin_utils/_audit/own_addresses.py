# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of its own addresses nobody scans. A service may be shut at one address and open at another.

This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from .._evidence.observed import Address, address_of
from .._evidence.records.host import HostEvidence
from .._evidence.records.listening import OwnAddress


class Unscanned(NamedTuple):
    """An address of the host that was not scanned, on which interface, and why that is no gap: None where it is one."""

    address: Address
    interface: str
    reason: str | None


def unscanned(evidence: HostEvidence, vantage: str, scanned: Iterable[str]) -> Iterator[Unscanned]:
    """Each address that the host lists and that was not to be scanned from the vantage point, sorted.

    ``scanned`` are the addresses that were, and those that were to be: of these another gap speaks. Nothing is said
    while a name among them is not known by its addresses.

    ``vigil_addresses`` for the vantage point says by which addresses the host is seen from there. Then all others are
    left out on purpose.
    """
    texts = list(scanned)
    if not all(map(_is_address, texts)):
        return
    seen = set(map(address_of, texts))
    given = evidence.inventory.get("vigil_addresses")
    on_purpose = bool(given) and (not isinstance(given, Mapping) or vantage in given or "default" in given)
    rows = {address_of(row.address): row for row in evidence.listening.addresses} if evidence.listening else {}
    for address in sorted(rows.keys() - seen, key=lambda one: (one.version, int(one))):
        row = rows[address]
        yield Unscanned(address, row.interface, _reason(address, row, on_purpose=on_purpose))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _reason(address: Address, row: OwnAddress, *, on_purpose: bool) -> str | None:
    if address.is_loopback:  # another address on lo is reached from outside by whoever routes it to the host
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if row.inner:
        return "a bridge by which no packet leaves the host"
    return "left out by vigil_addresses" if on_purpose else None
