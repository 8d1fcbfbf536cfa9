# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a declaration lets something listen. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_ANY = frozenset(("any", "*"))
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


@dataclasses.dataclass(frozen=True, slots=True)
class AddressRule:
    """``any``, or a set of networks. A wildcard address is within its whole family only, as ``0.0.0.0``."""

    text: str
    networks: tuple[Network, ...] | None  # None: any

    def __str__(self) -> str:
        return self.text

    def allows(self, address: Address, *, loopback_only: bool) -> bool:
        """True when a listener on ``address`` is within the rule.

        ``loopback_only`` says that the kernel lets nothing but the loopback device reach it, whatever
        its address is (a socket bound to ``lo``).
        """
        if self.networks is None:
            return True
        if address.is_unspecified:
            whole = any(network.prefixlen == 0 and network.version == address.version for network in self.networks)
            return whole or (loopback_only and any(network in _LOOPBACK for network in self.networks))
        return any(address in network for network in self.networks if network.version == address.version)

    def overlaps(self, other: AddressRule) -> bool:
        """True when some address is within both."""
        if self.networks is None or other.networks is None:
            return True
        return any(
            mine.version == theirs.version and mine.overlaps(theirs)
            for mine in self.networks
            for theirs in other.networks
        )


def parse_addresses(value: str | list[str]) -> AddressRule:
    """The rule for ``any`` (or ``*``), ``loopback``, an address, a network, or a list of them.

    Raises ValueError with the entry that is none of these.
    """
    entries = [value] if isinstance(value, str) else value
    networks: list[Network] = []
    for entry in entries:
        if entry in _ANY:
            continue
        if entry == "loopback":
            networks.extend(_LOOPBACK)
            continue
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(f"{entry!r} is no address") from None
        # A socket on 0.0.0.0 or :: listens on every address of the family, and that is what its declaration means.
        networks.append(network.supernet(new_prefix=0) if _is_wildcard(network) else network)
    if not _ANY.isdisjoint(entries):
        return AddressRule("any", None)
    return AddressRule(", ".join(entries), tuple(networks))


def _is_wildcard(network: Network) -> bool:
    """True for ``0.0.0.0``, ``0.0.0.0/0`` and their like in IPv6; ``0.0.0.0/8`` is a network like any other."""
    return network.network_address.is_unspecified and network.prefixlen in (0, network.max_prefixlen)
