# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packet and raw sockets as typed values, read from evidence. This module is private to the collection."""

from __future__ import annotations

from typing import NamedTuple

from .codec import UNSET
from .observed import Activated, Owner, address_of
from .records import listening as recorded

KINDS = ("packet", "raw")

#: Ethernet protocols (include/uapi/linux/if_ether.h) and IP protocols (RFC 5237) that are often asked for.
_NAMES = {
    "packet": {3: "every protocol", 0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6", 0x888E: "802.1X", 0x88CC: "LLDP"},
    "raw": {1: "ICMP", 2: "IGMP", 6: "TCP", 17: "UDP", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6", 112: "VRRP"},
}


class RawSocket(NamedTuple):
    """Sockets that take packets and have no port. Fields as listeners_info documents them (``raw_sockets``)."""

    kind: str
    number: int
    receives: bool
    interface: str | None
    address: str | None
    namespace: str
    user: str | None
    uid: int | None
    unit: str | None
    owners: tuple[Owner, ...]
    owners_state: str
    sockets: int
    activates: str | None = None  # no socket unit opens one
    activated: Activated | None = None

    @classmethod
    def of(cls, row: recorded.RawSocket) -> RawSocket:
        return cls(
            kind=row.kind,
            number=row.number,
            receives=row.receives,
            interface=row.interface,
            address=row.address,
            namespace=row.namespace,
            user=row.user,
            uid=row.uid,
            unit=row.unit,
            owners=tuple(map(Owner.of, row.owners)),
            owners_state=row.owners_state,
            sockets=row.sockets,
        )

    @property
    def takes(self) -> str:
        """What it takes, in words: ``ICMP``, ``every protocol``, ``Ethernet protocol 0x88f7``."""
        known = _NAMES[self.kind].get(self.number)
        if known is not None:
            return known
        return f"Ethernet protocol 0x{self.number:04x}" if self.kind == "packet" else f"IP protocol {self.number}"

    @property
    def where(self) -> str:
        """The device or address that it is bound to; an empty text where it takes packets from all."""
        if self.interface is not None:
            return self.interface
        return "" if self.address is None or address_of(self.address).is_unspecified else self.address


def raw_sockets_of(listening: recorded.Listening) -> tuple[RawSocket, ...] | None:
    """Those of a listing; None where they were not listed, as in those of 0.2."""
    return None if listening.raw_sockets is UNSET else tuple(map(RawSocket.of, listening.raw_sockets))
