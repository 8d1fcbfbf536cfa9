# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to ask from outside, from what is known inside. Pure. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._evidence.observed import Listener
from .._inventory.loader import load_inventory
from .outside_addresses import addresses_for

#: How many of the most frequent TCP ports ``common`` asks besides those that are known.
COMMON_PORTS = 1000

DEPTHS = ("known", "common", "full")


@dataclasses.dataclass(frozen=True, slots=True)
class ScanPlan:
    """The question to one scanner. ``refused`` are targets that it must not be sent to, with the reason."""

    targets: tuple[dict[str, str], ...]
    refused: tuple[dict[str, str], ...]
    ports: tuple[str, ...]
    udp_ports: tuple[str, ...]
    top_ports: int

    def as_dict(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def scan_plan(
    hosts: Iterable[Mapping[str, Any]], share: Mapping[str, Any], depth: str, *, scanner_is_control: bool
) -> ScanPlan:
    """The plan for one share (see :func:`vantage_points.shares`) from the evidence of every host.

    All ports that matter on some host are asked of each: what is declared on one host and open on
    another is what an audit looks for.
    """
    known: dict[str, set[tuple[int, int]]] = {"tcp": set(), "udp": set()}
    targets: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for evidence in hosts:
        for protocol, span in _known_ports(evidence):
            if protocol in known:
                known[protocol].add(span)
        for address in addresses_for(evidence["outside_addresses"], share["vantage"]):
            row = {"host": evidence["host"], "address": address}
            reason = _refusal(evidence, address, share["scanner"], scanner_is_control=scanner_is_control)
            (refused if reason else targets).append({**row, "reason": reason} if reason else row)
    mine = slice(share["index"], None, share["of"])
    return ScanPlan(
        targets=tuple(targets[mine]),
        refused=tuple(refused[mine]),
        ports=("1-65535",) if depth == "full" else _texts(known["tcp"]),
        udp_ports=_texts(known["udp"]),
        top_ports=COMMON_PORTS if depth == "common" else 0,
    )


def _known_ports(evidence: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Ports that are declared, and ports that listen where something outside might reach them."""
    inventory, _problems = load_inventory(evidence["inventory"])
    for declaration in inventory.declarations:
        if declaration.namespace == "host":
            yield declaration.protocol, (declaration.port.first, declaration.port.last)
    if evidence["listening"]:
        for row in evidence["listening"]["listeners"]:
            listener = Listener.read(row)
            if not listener.loopback_only and not listener.ephemeral and listener.namespace == "host":
                yield listener.protocol, (listener.port, listener.port)


def _refusal(evidence: Mapping[str, Any], address: str, scanner: str, *, scanner_is_control: bool) -> str | None:
    """Why a scanner must not be sent to the address: a loopback address is another machine's everywhere else."""
    if scanner == evidence["host"] or (scanner_is_control and evidence["is_control"]):
        return None
    if address == "localhost" or _is_loopback(address):
        return f"{address} is a loopback address: seen from {scanner} it is {scanner} itself; set vigil_addresses"
    return None


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _texts(spans: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    return tuple(str(first) if first == last else f"{first}-{last}" for first, last in sorted(spans))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
