# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses as text, and the host's own addresses (rtnetlink(7)). This module is private to the collection."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from typing import Callable, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import (
    ROUTE,
    NetlinkError,
    Opener,
    attributes,
    dump,
    open_netlink,
)

_GETADDR = 22
_HEADER = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, interface index
_ADDRESS, _LOCAL = 1, 2


class OwnAddress(NamedTuple):
    interface: str
    address: str
    prefix: int
    family: str


def inner_bridges(proc: str = "/proc", sys: str = "/sys") -> frozenset[str]:
    """Bridges of this host by which no packet leaves it: no route with a gateway is on them, nor a port to a wire.

    Containers and virtual machines hang on such a one (docker0, virbr0); nobody outside reaches its address.
    Sources: Documentation/ABI/testing/sysfs-class-net, proc_net_route(5).
    """
    links = os.path.join(sys, "class", "net")
    try:
        bridges = {name for name in os.listdir(links) if os.path.isdir(os.path.join(links, name, "bridge"))}
        wired = {name for name in bridges if not all(_is_inner_port(links, port) for port in _ports_of(links, name))}
    except OSError:
        return frozenset()
    return frozenset(bridges - wired - _with_gateway(proc)) if bridges else frozenset()


def _ports_of(links: str, bridge: str) -> list[str]:
    return os.listdir(os.path.join(links, bridge, "brif"))


def _is_inner_port(links: str, port: str) -> bool:
    """Whether a port leads to a container (veth) or a virtual machine (tap): not to a wire, a VLAN or a tunnel."""
    place = os.path.join(links, port)
    if os.path.exists(os.path.join(place, "tun_flags")):
        return True
    numbers = []
    for name in ("ifindex", "iflink"):
        with open(os.path.join(place, name), encoding="ascii", errors="replace") as stream:
            numbers.append(stream.read().strip())
    with open(os.path.join(place, "uevent"), encoding="ascii", errors="replace") as stream:
        is_of_a_kind = "DEVTYPE=" in stream.read()  # vlan, bond, vxlan, wlan...; veth has none
    return numbers[0] != numbers[1] and not is_of_a_kind and not os.path.exists(os.path.join(place, "device"))


def _with_gateway(proc: str) -> set[str]:
    """Interfaces with a route that has a gateway. Where the routes cannot be read, none is said to lack one."""
    found: set[str] = set()
    for name, column, device in (("route", 2, 0), ("ipv6_route", 4, -1)):
        try:
            with open(os.path.join(proc, "net", name), encoding="utf-8", errors="replace") as stream:
                rows = [line.split() for line in stream]
        except FileNotFoundError:  # no such family
            continue
        found.update(row[device] for row in rows if len(row) > column and row[column].strip("0") and row[0] != "Iface")
    return found


def family_and_address(family: int, raw: bytes) -> tuple[str, str]:
    """("ipv4" or "ipv6", text) of an address in network order; what follows 4 bytes of IPv4 is not read.

    An IPv4-mapped IPv6 address is IPv4: that is what a socket bound to it takes (ipv6(7)).
    Raises NetlinkError for another family or too few bytes.
    """
    if family == socket.AF_INET and len(raw) >= 4:
        return "ipv4", str(ipaddress.IPv4Address(raw[:4]))
    if family == socket.AF_INET6 and len(raw) >= 16:
        address = ipaddress.IPv6Address(raw[:16])
        if address.ipv4_mapped is not None:
            return "ipv4", str(address.ipv4_mapped)
        return "ipv6", str(address)
    raise NetlinkError(f"no address: family {family}, {len(raw)} bytes")


def own_addresses(opener: Opener, interface_name: Callable[[int], str]) -> tuple[OwnAddress, ...]:
    """The addresses of this network namespace, sorted. Raises NetlinkError."""
    answer = dump(opener, ROUTE, _GETADDR, _HEADER.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
    if answer.interrupted:
        raise NetlinkError("the addresses changed while they were listed")
    found = {parse(body, interface_name) for body in answer.bodies}
    return tuple(sorted(found, key=lambda own: (own.interface, own.family, own.address, own.prefix)))


def addresses_here() -> list[str]:
    """The addresses of this network namespace as text; none where the system has no such list."""
    try:
        return [own.address for own in own_addresses(open_netlink, str)]
    except (NetlinkError, OSError, AttributeError):  # no AF_NETLINK in socket: not Linux
        return []


def parse(body: bytes, interface_name: Callable[[int], str]) -> OwnAddress:
    """One ifaddrmsg. On a point-to-point link IFA_LOCAL is ours and IFA_ADDRESS the peer's. Raises NetlinkError."""
    if len(body) < _HEADER.size:
        raise NetlinkError("an address is cut off")
    family, prefix, _flags, _scope, index = _HEADER.unpack_from(body)
    found = attributes(body[_HEADER.size :])
    name, address = family_and_address(family, found.get(_LOCAL) or found.get(_ADDRESS, b""))
    return OwnAddress(interface_name(index), address, prefix, name)
