# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to ask from outside, from what is known inside. Pure. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

from .._audit.owner_match import is_match
from .._evidence.observed import Listener, plain_address
from .._evidence.records.host import HostEvidence
from .._evidence.records.reachable import ScanEvidence
from .._evidence.translated import known_spans, translated_of
from .._inventory.declared import Inventory
from .._inventory.loader import load_inventory
from .._inventory.port_range import PortRange
from .outside_addresses import addresses_for

#: How many of the most frequent TCP ports ``common`` asks besides those that are known.
COMMON_PORTS = 1000

#: A host that claims to listen on more TCP ports than this adds none of them to what others are asked. It is asked for
#: its own claims alone, up to the second number; those above it are not asked, and unknown.
MOST_CLAIMS_FOR_OTHERS = 1000
MOST_CLAIMS = 10_000

EVERY_TCP_PORT = PortSet(((1, 65535),))

#: With ``none`` nobody looks from outside.
DEPTHS = ("none", "known", "common", "full")


_TARGET_KEYS = ("host", "address", "udp_ports", "own", "left_out")


@dataclasses.dataclass(frozen=True, slots=True)
class ScanPlan:
    """The question to one scanner.

    A target is a mapping of ``host``, ``address``, ``listening`` and ``own_addresses`` as scan_info takes them, and of
    what it alone is asked: ``udp_ports``, ``own`` (TCP ports), and ``left_out``, which it claims and nobody asks.

    ``known`` TCP ports are asked first: those that some host declares or shows, and those that were open
    in earlier evidence. ``sweep`` TCP ports and the ``top_ports`` most frequent ones come after them.
    ``refused`` are targets that the scanner must not be sent to, with the reason.
    """

    depth: str
    targets: tuple[Mapping[str, Any], ...]
    refused: tuple[Mapping[str, str], ...]
    known: PortSet
    sweep: PortSet
    top_ports: int

    @property
    def udp_ports(self) -> PortSet:
        """The UDP ports that some target is asked."""
        return PortSet.parse(sorted({text for target in self.targets if (text := target.get("udp_ports"))}))

    def as_dict(self) -> dict[str, Any]:
        return {
            "depth": self.depth,
            "targets": [{key: target[key] for key in _TARGET_KEYS if target.get(key)} for target in self.targets],
            "refused": list(self.refused),
            "known": str(self.known),
            "udp_ports": str(self.udp_ports),
            "sweep": str(self.sweep),
            "top_ports": self.top_ports,
        }


def scan_plan(
    hosts: Iterable[HostEvidence],
    share: Mapping[str, Any],
    depth: str,
    *,
    scanner_is_control: bool,
    seen_open: Iterable[tuple[str, str, int]] = (),
) -> ScanPlan:
    """The plan for one share (see :func:`vantage_points.shares`) from the evidence of every host.

    All TCP ports that matter on some host are asked of each: what is declared on one host and open on
    another is what an audit looks for. UDP, where silence costs a second a port, is asked only of the host
    that has it. ``seen_open`` are hosts, protocols and ports that an earlier run found open.
    """
    shared: set[tuple[int, int]] = set()
    udp_open: dict[str, set[tuple[int, int]]] = {}
    for name, protocol, port in seen_open:
        if protocol == "tcp":
            shared.add((port, port))
        elif protocol == "udp":
            udp_open.setdefault(name, set()).add((port, port))
    targets: list[dict[str, Any]] = []
    refused: list[Mapping[str, str]] = []
    for evidence in hosts:
        declared, udp, claims = _known_ports(evidence)
        shared |= declared
        if len(claims) <= MOST_CLAIMS_FOR_OTHERS:
            shared.update((port, port) for port in claims)
        udp_ports = str(_ports(udp | udp_open.get(evidence.host, set())))
        listening = [str(PortSet.of(_listening(evidence)))]
        asked, left_out = PortSet.of(sorted(claims)[:MOST_CLAIMS]), PortSet.of(sorted(claims)[MOST_CLAIMS:])
        for address in addresses_for(evidence.outside_addresses, share["vantage"]):
            row = {"host": evidence.host, "address": address}
            reason = _refusal(evidence, address, share["scanner"], scanner_is_control=scanner_is_control)
            if reason:
                refused.append({**row, "reason": reason})
            else:
                own = _own_addresses(evidence, share["scanner"], scanner_is_control=scanner_is_control)
                more = {"udp_ports": udp_ports, "own": asked, "left_out": left_out}
                targets.append({**row, "listening": [text for text in listening if text], "own_addresses": own, **more})
    mine = slice(share["index"], None, share["of"])
    tcp = _ports(shared)
    everywhere = EVERY_TCP_PORT if depth == "full" else tcp
    for target in targets[mine]:
        target["own"] = str(target["own"] - everywhere)
        target["left_out"] = str(target["left_out"] - everywhere)
    return ScanPlan(
        depth=depth,
        targets=tuple(targets[mine]),
        refused=tuple(refused[mine]),
        known=tcp,
        sweep=EVERY_TCP_PORT - tcp if depth == "full" else PortSet(),
        top_ports=COMMON_PORTS if depth == "common" else 0,
    )


def left_over(plan: ScanPlan, done: Iterable[tuple[str, str]], number: int, of: int) -> ScanPlan:
    """The part ``number`` of ``of`` of what is not done of a plan whose scanner was lost.

    ``done`` are hosts and addresses that the lost scanner had finished.
    """
    finished = set(done)
    rest = [target for target in plan.targets if (target["host"], target["address"]) not in finished]
    return dataclasses.replace(plan, targets=tuple(rest[number::of]), refused=())


def open_ports(scans: Iterable[ScanEvidence]) -> Iterator[tuple[str, str, int]]:
    """Hosts, protocols and ports that a run's scans found open."""
    for scan in scans:
        for share in scan.shares:
            for target in share.targets:
                for endpoint in target.endpoints:
                    if endpoint.state == "open" and target.status != "untrusted":
                        yield target.host, endpoint.protocol, endpoint.port


def _known_ports(
    evidence: HostEvidence,
) -> tuple[set[tuple[int, int]], set[tuple[int, int]], set[int]]:
    """TCP that is declared, UDP that is declared, excepted, listens or leads elsewhere, and TCP that does, where
    something outside might reach it.

    What is declared is the operator's word, what listens is only the host's.
    """
    found: dict[str, set[tuple[int, int]]] = {"tcp": set(), "udp": set()}
    inventory, _problems = load_inventory(evidence.inventory)
    for declaration in (*inventory.declarations, *inventory.proposals):
        if (
            declaration.namespace == "host"
            and declaration.protocol in found
            and isinstance(declaration.port, PortRange)
        ):
            found[declaration.protocol].add((declaration.port.first, declaration.port.last))
    claims: set[int] = set()
    for protocol, spans in _further_ports(evidence, inventory).items():
        if protocol == "udp":
            found["udp"] |= spans
        else:
            claims.update(port for first, last in spans for port in range(first, last + 1))
    for listener in _reachable_listeners(evidence):
        is_declared = any(one.protocol == listener.protocol and is_match(one, listener) for one in inventory.dynamic)
        if listener.ephemeral and not is_declared:
            continue
        if listener.protocol == "tcp":
            claims.add(listener.port)
        elif listener.protocol == "udp":
            found["udp"].add((listener.port, listener.port))
    return found["tcp"], found["udp"], claims


def _further_ports(evidence: HostEvidence, inventory: Inventory) -> dict[str, set[tuple[int, int]]]:
    """What is excepted, as what nobody asks cannot be called unused, and what leads elsewhere by address translation.

    A range without end is asked no further than the depth goes.
    """
    rows = translated_of(evidence.listening) if evidence.listening else ()
    found = {protocol: known_spans(rows, protocol) for protocol in ("tcp", "udp")}
    for exception in inventory.exceptions:
        if exception.namespace == "host" and exception.protocol in found:
            found[exception.protocol].add((exception.port.first, exception.port.last))
    return {
        protocol: {(first, last) for first, last in spans if last - first < MOST_CLAIMS_FOR_OTHERS}
        for protocol, spans in found.items()
    }


def _listening(evidence: HostEvidence) -> set[int]:
    return {listener.port for listener in _reachable_listeners(evidence) if listener.protocol == "tcp"}


def _reachable_listeners(evidence: HostEvidence) -> Iterator[Listener]:
    for listener in map(Listener.of, evidence.listening.listeners) if evidence.listening else ():
        if not listener.loopback_only and listener.namespace == "host":
            yield listener


def _refusal(evidence: HostEvidence, address: str, scanner: str, *, scanner_is_control: bool) -> str | None:
    """Why a scanner must not be sent to the address: a loopback address is another machine's everywhere else."""
    if _asks_itself(evidence, scanner, scanner_is_control=scanner_is_control):
        return None
    if address == "localhost" or _is_loopback(address):
        return f"{address} is a loopback address: seen from {scanner} it is {scanner} itself; set vigil_addresses"
    return None


def _asks_itself(evidence: HostEvidence, scanner: str, *, scanner_is_control: bool) -> bool:
    return bool(scanner == evidence.host or (scanner_is_control and evidence.is_control))


def _own_addresses(evidence: HostEvidence, scanner: str, *, scanner_is_control: bool) -> list[str]:
    """The addresses that a name of the host may stand for: those it has, and those its inventory writes out.

    The scanner holds its own answer against them, so that a name which leads elsewhere by then is not scanned.
    """
    has = [row.address for row in evidence.listening.addresses] if evidence.listening else []
    written = [address for some in evidence.outside_addresses.values() for address in some]
    known = {plain for address in (*has, *written) if (plain := plain_address(address)) is not None}
    itself = _asks_itself(evidence, scanner, scanner_is_control=scanner_is_control)
    return sorted(address for address in known if itself or not _is_loopback(address))


def _is_loopback(address: str) -> bool:
    plain = plain_address(address)
    return plain is not None and ipaddress.ip_address(plain).is_loopback


def _ports(spans: Iterable[tuple[int, int]]) -> PortSet:
    return PortSet.parse([str(first) if first == last else f"{first}-{last}" for first, last in spans])
