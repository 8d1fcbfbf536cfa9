# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report of nmap says about each address.

Read with the standard library, because a scanner has nothing else, and once more with python-nmap where that is
installed. A port of which the two read different states is left out, and named.

This module is private to the collection.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from typing import Dict, Iterator, Mapping, Tuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_second_reading import second_reading
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_xml import host_address, read_nmap_xml
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    CLOSED,
    FILTERED,
    NOT_ASKED,
    OPEN,
    OPEN_OR_FILTERED,
    Endpoint,
    Problem,
    Script,
    Seen,
    Service,
    StateRow,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortError, PortSet
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

_SCRIPT_LIMIT = 8192
_ARGUMENTS_LIMIT = 1 << 17  # what Linux takes as one argument
_KNOWN = frozenset((OPEN, CLOSED, FILTERED, OPEN_OR_FILTERED))
_PROTOCOLS = ("tcp", "udp")  # what a scan here asks for; nmap can scan others
_PortTable = Dict[Tuple[str, int], ET.Element]


@dataclass(frozen=True)
class NmapReport:
    """``asked`` is what nmap itself says it scanned, by protocol. ``finished``: it ended with success."""

    seen: Mapping[str, Seen]
    asked: Mapping[str, PortSet]
    version: str | None
    technique: str | None
    arguments: str
    finished: bool
    error: str | None
    problems: tuple[Problem, ...]


def read_report(data: bytes) -> NmapReport:
    """The report in ``data``, cut short or not. Raises NmapXmlError when it is none."""
    report = read_nmap_xml(data)
    root = report.root
    problems = [Problem("nmap-xml-repaired", repair) for repair in report.repairs]
    if report.cut:
        message = f"nmap's report breaks off ({report.cut}): only the addresses it holds completely are used"
        problems.append(Problem("nmap-xml-cut-short", message))
    asked = {info.get("protocol", ""): _services(info) for info in root.findall("scaninfo")}
    hosts = {host_address(host) or "": host for host in root.findall("host")}
    again = second_reading(root)
    seen = {}
    for address, host in hosts.items():
        other = None if again is None else again.get(address, {})
        seen[address] = _one(address, host, asked, other, problems)
    ended = root.find("runstats/finished")
    return NmapReport(
        seen=seen,
        asked=asked,
        version=visible(root.get("version", "")) or None,
        technique=_technique(root),
        arguments=visible(root.get("args", ""), _ARGUMENTS_LIMIT),
        finished=report.finished,
        error=visible(ended.get("errormsg", "")) or None if ended is not None else None,
        problems=tuple(problems),
    )


def _technique(root: ET.Element) -> str | None:
    kinds = [info.get("type") for info in root.findall("scaninfo") if info.get("protocol") == "tcp"]
    return kinds[0] if kinds and kinds[0] in ("syn", "connect") else None


def _services(info: ET.Element) -> PortSet:
    try:
        return PortSet.parse([info.get("services", "")], lowest=0) if info.get("services") else PortSet()
    except PortError:
        return PortSet()


def _one(
    address: str,
    host: ET.Element,
    asked: Mapping[str, PortSet],
    other: Mapping[tuple[str, int], str] | None,
    problems: list[Problem],
) -> Seen:
    if host.get("timedout") == "true":
        return Seen(reason="nmap gave up on this target: its time-out was over")
    status = host.find("status")
    if status is not None and status.get("state") == "down":
        return Seen(reason=f"nmap: the host is down ({visible(status.get('reason', 'no reason given'))})")
    table: _PortTable = {
        (str(port.get("protocol")), int(port.get("portid", "0"))): port
        for port in host.findall("ports/port")
        if port.get("protocol") in _PROTOCOLS and _state(port) in _KNOWN
    }
    differing = [] if other is None else [place for place, port in table.items() if other.get(place) != _state(port)]
    for place in differing:
        states = f"{_state(table.pop(place))} for one reader of nmap's report, {(other or {}).get(place)} for the other"
        problems.append(Problem("readers-differ", f"{address}: {place[0]} port {place[1]} is {states}: it is unknown"))
    grouped: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for (protocol, port), entry in table.items():
        grouped[protocol, _state(entry), _reason(entry)].append(port)
    rows = [StateRow(*key, ports=PortSet.of(ports)) for key, ports in sorted(grouped.items())]
    listed = {protocol: PortSet.of(port for name, port in table if name == protocol) for protocol in _PROTOCOLS}
    rows += _summed_up(address, host, {name: asked.get(name, PortSet()) - listed[name] for name in listed}, problems)
    endpoints = list(_endpoints(table))
    told = dict(listed)
    for row in rows:
        if row.state in (OPEN, OPEN_OR_FILTERED):
            more = row.ports - told[row.protocol]
            told[row.protocol] |= more
            endpoints += [Endpoint(row.protocol, port, row.state, row.reason) for port in more]
    return Seen(tuple(rows), tuple(endpoints))


def _summed_up(address: str, host: ET.Element, rest: Mapping[str, PortSet], problems: list[Problem]) -> list[StateRow]:
    """The ports that nmap counts instead of listing them ("Not shown"). ``rest``: asked, not listed."""
    extras = host.findall("ports/extraports")
    rows = []
    for extra in extras:
        state, reasons = extra.get("state", ""), extra.findall("extrareasons")
        if state not in _KNOWN:
            problems.append(Problem("state-not-used", f"{address}: nmap's state '{visible(state)}' says nothing here"))
        elif reasons and all(reason.get("ports") and reason.get("proto") for reason in reasons):
            rows += [
                StateRow(str(reason.get("proto")), state, visible(reason.get("reason", "")), _ports(reason))
                for reason in reasons
                if reason.get("proto") in _PROTOCOLS
            ]
        elif len(extras) == 1 and extra.get("count") == str(sum(map(len, rest.values()))):
            # nmap before 7.92 gives counts only; with a single count all that is left must be it.
            named = ", ".join(sorted({visible(reason.get("reason", "")) for reason in reasons}))
            rows += [StateRow(protocol, state, named, ports) for protocol, ports in rest.items() if ports]
        else:
            message = f"{address}: nmap counts {visible(extra.get('count', '?'))} {state} ports and does not say which"
            problems.append(Problem("states-not-listed", message))
    return rows


def _ports(reason: ET.Element) -> PortSet:
    try:
        return PortSet.parse([reason.get("ports", "")], lowest=0)
    except PortError:
        return PortSet()


def _state(port: ET.Element) -> str:
    state = port.find("state")
    return state.get("state", "") if state is not None else ""


def _reason(port: ET.Element) -> str:
    state = port.find("state")
    return visible(state.get("reason", "")) if state is not None else ""


def _endpoints(table: _PortTable) -> Iterator[Endpoint]:
    for (protocol, port), entry in table.items():
        if _state(entry) not in (OPEN, OPEN_OR_FILTERED):
            continue
        told = {script.get("id", ""): script.get("output", "") for script in entry.findall("script")}
        scripts = tuple(Script(visible(name), visible(output, _SCRIPT_LIMIT)) for name, output in told.items())
        service = _service(entry.find("service"))
        asked = service.identification if service else NOT_ASKED
        yield Endpoint(protocol, port, _state(entry), _reason(entry), service, scripts, asked)


def _service(element: ET.Element | None) -> Service | None:
    if element is None:
        return None
    confidence = element.get("conf", "")
    return Service(
        name=_text(element.get("name")),
        product=_text(element.get("product")),
        version=_text(element.get("version")),
        extra=_text(element.get("extrainfo")),
        tunnel=_text(element.get("tunnel")),
        method=visible(element.get("method", "table")),
        confidence=int(confidence) if confidence.isdecimal() else None,
        cpes=tuple(visible(cpe.text) for cpe in element.findall("cpe") if cpe.text),
    )


def _text(value: str | None) -> str | None:
    return visible(value) if value else None
