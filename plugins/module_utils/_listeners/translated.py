# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that lead elsewhere by address translation: published ports of containers, NodePorts, virtual servers.

No socket listens for them. Rules of nftables are asked for over netlink, those that ``iptables`` writes into nftables
too; virtual servers are read from /proc/net/ip_vs. Sources: include/uapi/linux/netfilter/nf_tables.h and
nf_tables_compat.h, xt_tcpudp.h, xt_multiport.h, net/netfilter/ipvs/ip_vs_ctl.c (ip_vs_info_seq_show). This module is
private to the collection.
"""

from __future__ import annotations

import errno
import ipaddress
import struct
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import (
    NetlinkError,
    Opener,
    attributes,
    attributes_in_order,
    dump,
    packed_attribute,
)

_NETFILTER = 12
_NF_TABLES = 10 << 8
_GET_CHAIN, _GET_RULE, _GET_ELEMENTS = _NF_TABLES | 4, _NF_TABLES | 7, _NF_TABLES | 13
_ANY_FAMILY = struct.pack("=BBH", 0, 0, 0)  # nfgenmsg
_HEADER = 4
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _HOOK_NUMBER = 1, 3, 4, 1
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS = 1, 2, 4
_NAME, _DATA = 1, 2  # of an expression
_ELEMENTS, _KEY, _FLAGS, _KEY_END, _INTERVAL_END = 3, 1, 3, 10, 1  # of a set
_LOCAL_OUT = 3  # NF_INET_LOCAL_OUT: what the host itself sends
_L4_PROTOCOL, _NETWORK, _TRANSPORT = 16, 1, 2
_DESTINATION_PORT = (_TRANSPORT, 2, 2)  # base, offset and length of a payload expression
_DESTINATIONS = ((_NETWORK, 16, 4), (_NETWORK, 24, 16))
_EQUAL, _NOT_EQUAL, _LESS, _LESS_EQUAL, _GREATER, _GREATER_EQUAL = range(6)
_DNAT = 1
_LEAD_ELSEWHERE = ("DNAT", "REDIRECT", "TPROXY")
_JUMPS = (-3, -4)  # NFT_JUMP, NFT_GOTO
_PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp"}
#: Chains lead to chains; nobody nests them deeper.
_DEEPEST = 16


class Translated(NamedTuple):
    """What is led elsewhere. ``protocol``, ``ports`` (first and last) and ``address`` are None where a rule leaves them
    open, or says them in a way that is not read here (sets, maps)."""

    protocol: str | None
    ports: tuple[int, int] | None
    address: str | None
    by: str  # nftables or ip_vs


class _Match(NamedTuple):
    protocol: str | None = None
    ports: tuple[tuple[int, int], ...] | None = None
    address: str | None = None

    def within(self, other: _Match) -> _Match:
        """This match below another one, from which a chain was jumped to."""
        return _Match(self.protocol or other.protocol, self.ports or other.ports, self.address or other.address)


class _Rule(NamedTuple):
    chain: tuple[int, bytes, bytes]  # family, table, name
    match: _Match
    leads_elsewhere: bool
    jumps_to: bytes | None


def translated(opener: Opener, read: Callable[[str], bytes]) -> list[Translated]:
    """All of the thread's network namespace, sorted. ``read`` reads a file below /proc/net.

    Raises NetlinkError where the kernel refuses to tell (CAP_NET_ADMIN is needed), and OSError.
    """
    found = {*_of_nftables(opener), *_of_ip_vs(read)}
    return sorted(found, key=lambda one: (one.by, one.protocol or "", one.ports or (0, 0), one.address or ""))


def as_rows(found: Sequence[Translated]) -> list[dict[str, Any]]:
    """In the shape that the module documents; what differs in its ports alone is one row."""
    ports: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for one in found:
        spans = ports.setdefault((one.by, one.protocol, one.address, one.ports is None), [])
        spans.extend([] if one.ports is None else [one.ports])
    return [
        {
            "protocol": protocol,
            "ports": None if is_open else ",".join(str(low) if low == high else f"{low}-{high}" for low, high in spans),
            "address": address,
            "by": by,
        }
        for (by, protocol, address, is_open), spans in ports.items()
    ]


def has_legacy_rules(read: Callable[[str], bytes]) -> bool:
    """Whether the old iptables translates addresses, of which netlink does not tell: its table is there, and what leads
    elsewhere was loaded for it (built in, where the kernel has no modules). Raises OSError."""
    return any(
        b"nat" in _lines(read, f"{family}_tables_names")
        and not {name.encode() for name in _LEAD_ELSEWHERE}.isdisjoint(_lines(read, f"{family}_tables_targets"))
        for family in ("ip", "ip6")
    )


def _of_nftables(opener: Opener) -> Iterator[Translated]:
    try:
        bodies = [dump(opener, _NETFILTER, kind, _ANY_FAMILY).bodies for kind in (_GET_CHAIN, _GET_RULE)]
    except NetlinkError as refusal:
        if refusal.number in (errno.EINVAL, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT):
            return  # the kernel has no nftables
        raise
    own = {_chain_of(body, _CHAIN_NAME) for body in bodies[0] if _hook(body) == _LOCAL_OUT}
    rules = [_rule(body, opener) for body in bodies[1]]
    callers: dict[tuple[int, bytes, bytes], list[_Rule]] = {}
    for rule in rules:
        if rule.jumps_to is not None:
            callers.setdefault((*rule.chain[:2], rule.jumps_to), []).append(rule)
    for rule in rules:
        if rule.leads_elsewhere and rule.chain not in own:
            for match in _with_callers(rule.match, rule.chain, callers, own, _DEEPEST):
                for ports in match.ports or (None,):
                    yield Translated(match.protocol, ports, match.address, "nftables")


def _with_callers(
    match: _Match,
    chain: tuple[int, bytes, bytes],
    callers: Mapping[tuple[int, bytes, bytes], Sequence[_Rule]],
    own: set[tuple[int, bytes, bytes]],
    deepest: int,
) -> Iterator[_Match]:
    """The match by each way that leads to its chain; what it says itself needs no other."""
    above = callers.get(chain, ())
    if (match.protocol and match.ports) or not above or not deepest:
        yield match
        return
    for rule in above:
        if rule.chain not in own:
            yield from _with_callers(match.within(rule.match), rule.chain, callers, own, deepest - 1)


def _chain_of(body: bytes, name: int) -> tuple[int, bytes, bytes]:
    found = attributes(body[_HEADER:])
    return body[0], found.get(_CHAIN_TABLE, b""), found.get(name, b"")


def _hook(body: bytes) -> int | None:
    number = attributes(attributes(body[_HEADER:]).get(_CHAIN_HOOK, b"")).get(_HOOK_NUMBER)
    return None if number is None else _big(number)


def _rule(body: bytes, opener: Opener) -> _Rule:
    found = attributes(body[_HEADER:])

    reader = _Expressions()
    for _kind, element in attributes_in_order(found.get(_RULE_EXPRESSIONS, b"")):
        parts = attributes(element)
        reader.read(_text(parts.get(_NAME, b"")), attributes(parts.get(_DATA, b"")))
    if reader.set_name is not None and (reader.leads_elsewhere or reader.jumps_to is not None):
        reader.ports += _ports_of_set(opener, body[0], found.get(_RULE_TABLE, b""), reader.set_name)
    chain = (body[0], found.get(_RULE_TABLE, b""), found.get(_RULE_CHAIN, b""))
    ports = tuple(reader.all_ports()) or None
    return _Rule(chain, _Match(reader.protocol, ports, reader.address), reader.leads_elsewhere, reader.jumps_to)


class _Expressions:
    """Reads the expressions of one rule in their order, as the kernel would run them."""

    def __init__(self) -> None:
        self.protocol: str | None = None
        self.set_name: bytes | None = None  # of ports
        self.ports: list[tuple[int, int]] = []
        self.address: str | None = None
        self.leads_elsewhere = False
        self.jumps_to: bytes | None = None
        self._holds: dict[bytes, object] = {}  # register -> what was loaded into it
        self._lowest: int | None = None

    def read(self, name: str, data: Mapping[int, bytes]) -> None:
        known = {
            "meta": self._meta, "payload": self._payload, "cmp": self._compare, "range": self._range, "nat": self._nat,
            "match": self._match, "target": self._target, "immediate": self._immediate, "lookup": self._lookup,
        }  # fmt: skip
        if name in ("redir", "tproxy"):
            self.leads_elsewhere = True
        elif name in known:
            known[name](data)

    def all_ports(self) -> list[tuple[int, int]]:
        """The ports that were compared; those above a lower bound where no upper one followed."""
        return self.ports if self._lowest is None else [*self.ports, (self._lowest, 65535)]

    def _meta(self, data: Mapping[int, bytes]) -> None:
        if 1 in data:
            self._holds[data[1]] = _L4_PROTOCOL if _big(data.get(2, b"")) == _L4_PROTOCOL else None

    def _payload(self, data: Mapping[int, bytes]) -> None:
        if 1 in data:
            self._holds[data[1]] = tuple(_big(data.get(key, b"")) for key in (2, 3, 4))

    def _compare(self, data: Mapping[int, bytes]) -> None:
        held, operation = self._holds.get(data.get(1, b"")), _big(data.get(2, b""))
        value = attributes(data.get(3, b"")).get(1, b"")
        if held == _L4_PROTOCOL and operation == _EQUAL and value:
            self.protocol = _PROTOCOLS.get(value[0], f"ip-{value[0]}")
        elif held == _DESTINATION_PORT and len(value) == 2:
            self._compare_port(operation, _big(value))
        elif held in _DESTINATIONS and operation == _EQUAL and len(value) in (4, 16):
            self.address = str(ipaddress.ip_address(value))

    def _compare_port(self, operation: int, port: int) -> None:
        if operation == _EQUAL:
            self.ports.append((port, port))
        elif operation in (_GREATER, _GREATER_EQUAL):  # nft writes a range as two comparisons, the lower bound first
            self._lowest = port + (operation == _GREATER)
        elif operation in (_LESS, _LESS_EQUAL):
            self.ports.append((self._lowest or 0, port - (operation == _LESS)))
            self._lowest = None

    def _range(self, data: Mapping[int, bytes]) -> None:
        first, last = (attributes(data.get(key, b"")).get(1, b"") for key in (3, 4))
        is_port = self._holds.get(data.get(1, b"")) == _DESTINATION_PORT
        if is_port and _big(data.get(2, b"")) == _EQUAL and len(first) == len(last) == 2:
            self.ports.append((_big(first), _big(last)))

    def _lookup(self, data: Mapping[int, bytes]) -> None:
        """In a set of ports, or in a map from ports to where they lead; what is not in a set is any port."""
        if self._holds.get(data.get(2, b"")) == _DESTINATION_PORT and not _big(data.get(5, b"")):
            self.set_name = data.get(1)

    def _nat(self, data: Mapping[int, bytes]) -> None:
        self.leads_elsewhere = self.leads_elsewhere or _big(data.get(1, b"")) == _DNAT

    def _target(self, data: Mapping[int, bytes]) -> None:
        self.leads_elsewhere = self.leads_elsewhere or _text(data.get(1, b"")) in _LEAD_ELSEWHERE

    def _match(self, data: Mapping[int, bytes]) -> None:
        """Matches of iptables: numbers are in the machine's own byte order."""
        name, info = _text(data.get(1, b"")), data.get(3, b"")
        if name in ("tcp", "udp") and len(info) >= 8:
            first, last = struct.unpack_from("=HH", info, 4)
            self.protocol = self.protocol or name
            if (first, last) != (0, 65535):
                self.ports.append((first, last))
        elif name == "multiport" and len(info) >= 48 and info[0] and not info[47]:
            ports = struct.unpack_from(f"={min(info[1], 15)}H", info, 2)
            self.ports.extend(_joined(ports, info[32:47]))

    def _immediate(self, data: Mapping[int, bytes]) -> None:
        verdict = attributes(attributes(data.get(2, b"")).get(2, b""))
        if 1 in verdict and 2 in verdict and int.from_bytes(verdict[1], "big", signed=True) in _JUMPS:
            self.jumps_to = verdict[2]


def _ports_of_set(opener: Opener, family: int, table: bytes, name: bytes) -> list[tuple[int, int]]:
    """The ports of a set or map. Those of ranges are told as where one begins and where it has ended."""
    body = struct.pack("=BBH", family, 0, 0) + packed_attribute(1, table) + packed_attribute(2, name)
    ends: list[tuple[int, bool]] = []
    found: list[tuple[int, int]] = []
    for answer in dump(opener, _NETFILTER, _GET_ELEMENTS, body).bodies:
        for _kind, element in attributes_in_order(attributes(answer[_HEADER:]).get(_ELEMENTS, b"")):
            parts = attributes(element)
            key = attributes(parts.get(_KEY, b"")).get(1, b"")
            if len(key) != 2:
                continue
            if _KEY_END in parts:
                found.append((_big(key), _big(attributes(parts[_KEY_END]).get(1, key))))
            else:
                ends.append((_big(key), bool(_big(parts.get(_FLAGS, b"")) & _INTERVAL_END)))
    has_ranges = any(is_end for _port, is_end in ends)
    starts = sorted(ends, key=lambda end: (end[0], not end[1]))
    for at, (port, is_end) in enumerate(starts):
        if not is_end:
            following = starts[at + 1] if at + 1 < len(starts) else (65536, True)
            found.append((port, following[0] - 1 if has_ranges else port))
    return found


def _joined(ports: Sequence[int], is_first: bytes) -> Iterator[tuple[int, int]]:
    """Ports of xt_multiport: where ``is_first`` is set, the next one ends a range."""
    at = 0
    while at < len(ports):
        step = 2 if is_first[at] and at + 1 < len(ports) else 1
        yield ports[at], ports[at + step - 1]
        at += step


def _of_ip_vs(read: Callable[[str], bytes]) -> Iterator[Translated]:
    """Virtual servers: ``TCP  C0A80001:0050 rr``. One by a mark of the firewall (FWM) has no port of its own."""
    for line in _lines(read, "ip_vs"):
        kind, where = (*line.split(), b"", b"")[:2]
        if kind == b"FWM":
            yield Translated(None, None, None, "ip_vs")
        elif kind in (b"TCP", b"UDP", b"SCTP"):
            address, _colon, port = where.rpartition(b":")
            yield Translated(kind.decode().lower(), (int(port, 16),) * 2, _ip_vs_address(address), "ip_vs")


def _ip_vs_address(text: bytes) -> str | None:
    """Hexadecimal digits of IPv4, or IPv6 in brackets."""
    try:
        if text.startswith(b"["):
            return str(ipaddress.ip_address(text.strip(b"[]").decode("ascii")))
        return str(ipaddress.ip_address(int(text, 16)))
    except ValueError:
        return None


def _lines(read: Callable[[str], bytes], name: str) -> list[bytes]:
    """The lines of a file; none where the kernel does not have it."""
    try:
        return [line.strip() for line in read(name).splitlines()]
    except FileNotFoundError:
        return []


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("ascii", "replace")


def _big(value: bytes) -> int:
    return int.from_bytes(value, "big")
