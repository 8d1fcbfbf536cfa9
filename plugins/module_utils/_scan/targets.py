# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be scanned: addresses, and names that resolve here. Everything else is refused by name.

Only ``str(ipaddress.ip_address(...))`` leaves this file, so no text that somebody wrote can become
an option, a range or a shell word on a scanner's command line.

This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass, replace
from typing import Any, Callable, Iterable, Mapping, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import NO_PORTS, PortError, PortSet
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

#: Longer than any name of the DNS (253) or address: refused texts are shown, but not at length.
_SHOWN = 300

# RFC 1123 labels, and the underscore that many internal names have.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,254}}\Z){_LABEL}(?:\.{_LABEL})*\.?\Z")
# inet_aton(3) reads "10.1", "0x7f.1" and "2130706433" as addresses, and getaddrinfo(3) follows it:
# a last label that is a number is never a name (RFC 3696, section 2).
_NUMBER = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)\Z")

#: Gives the addresses of a name; raises OSError when it has none.
Resolver = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Target:
    """One target as asked for, and the literal addresses to scan for it.

    ``refused`` or ``failed`` says why there are none: never both, and never with addresses.
    ``listening`` are the TCP ports that the host itself says it listens on, ``open_tcp`` and ``open_udp`` those
    that an earlier call found open.
    """

    host: str
    given: str
    addresses: tuple[str, ...] = ()
    refused: str | None = None
    failed: str | None = None
    listening: PortSet = NO_PORTS
    open_tcp: PortSet = NO_PORTS
    open_udp: PortSet = NO_PORTS


def system_resolver(name: str) -> list[str]:
    """The addresses of ``name`` by getaddrinfo(3), in its order. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def read_targets(entries: Iterable[Mapping[str, Any]], resolver: Resolver = system_resolver) -> list[Target]:
    """Each ``{host, address, listening, own_addresses}`` as a Target; no entry is dropped.

    ``own_addresses`` are those that a name may resolve to; None: any.

    Raises ``PortError`` for ports of an entry that are none: no other text of it raises.
    """
    return [
        replace(
            _read(str(entry["host"]), str(entry["address"]), entry.get("own_addresses"), resolver),
            listening=_ports(number, entry, "listening"),
            open_tcp=_ports(number, entry, "open"),
            open_udp=_ports(number, entry, "open_udp"),
        )
        for number, entry in enumerate(entries)
    ]


def _ports(number: int, entry: Mapping[str, Any], key: str) -> PortSet:
    try:
        return PortSet.parse(entry.get(key) or ())
    except PortError as error:
        raise PortError([f"targets[{number}].{key}: {one}" for one in error.errors]) from error


def _read(host: str, given: str, own: Sequence[str] | None, resolver: Resolver) -> Target:
    host, shown = visible(host, _SHOWN), visible(given, _SHOWN)
    address = _literal(given)
    if address is not None:
        why_not = _not_a_host(address)
        if why_not:
            return Target(host, shown, refused=why_not)
        return Target(host, shown, (_plain(address),))
    if _is_zoned(given):
        why_not = "is link-local: the part behind % is an interface of one machine, which means nothing on another"
        return Target(host, shown, refused=f"{shown} {why_not}; set vigil_addresses to an address that can be routed")
    if not _NAME.match(given) or _NUMBER.match(given.rstrip(".").rsplit(".", 1)[-1]):
        return Target(host, shown, refused=f"'{shown}' is neither an IP address nor a host name")
    try:
        answers = resolver(given)
    except (OSError, UnicodeError) as error:
        return Target(host, shown, failed=f"the name {shown} does not resolve here: {visible(str(error), _SHOWN)}")
    literals = [_literal(answer) for answer in answers]
    usable = [_plain(literal) for literal in literals if literal is not None and _not_a_host(literal) is None]
    if not usable:
        return Target(host, shown, failed=f"the name {shown} resolves to no address that can be scanned")
    strange = [address for address in usable if own is not None and address not in own]
    if strange:
        meant = f"which is no address of {host}: if it is meant, set vigil_addresses to it"
        return Target(host, shown, refused=f"the name {shown} resolves to {strange[0]}, {meant}")
    return Target(host, shown, tuple(dict.fromkeys(usable)))


def _is_zoned(text: str) -> bool:
    """Whether a text is an IPv6 address with a zone, such as fe80::1%eth0 (RFC 4007, section 11)."""
    address, percent, _zone = text.partition("%")
    return bool(percent) and ":" in address and _literal(address) is not None


def _literal(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    # A zone ("fe80::1%eth0") is an interface of one machine; nmap reports such a host without it.
    if "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _not_a_host(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    judged = getattr(address, "ipv4_mapped", None) or address
    if judged.is_unspecified or judged.is_multicast or (judged.version == 4 and judged.is_reserved):
        return f"{address} is no address of one host"
    if judged.version == 6 and judged.is_link_local:
        return f"{address} is link-local: it names a host only together with an interface, which is not supported"
    return None
