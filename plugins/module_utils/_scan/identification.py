# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What answers behind the open ports: recognised by the scan itself, and nmap is asked for what is left.

Each open port ends as identified, not identified, or timed out; none is left without a word.

This module is private to the collection.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, FrozenSet, Iterator, Mapping

from ansible_collections.vigil.ports.plugins.module_utils._scan.canaries import distrust
from ansible_collections.vigil.ports.plugins.module_utils._scan.connect_udp import UdpScan
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_identification import Asked, Place
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    IDENTIFIED,
    NOT_IDENTIFIED,
    OPEN,
    TIMED_OUT,
    Endpoint,
    Outcome,
    Problem,
    ScanRequest,
    Seen,
    Service,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.conversation import NOTHING, Heard
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.datagrams import recognise_datagram
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.recognise import recognise
from ansible_collections.vigil.ports.plugins.module_utils._scan.second_pass import MOST_AGAIN, confirmation_pace

#: Asks nmap about the places that spoke, and about those that were silent.
AskNmap = Callable[[FrozenSet[Place], FrozenSet[Place]], Asked]


def identified(outcome: Outcome, request: ScanRequest, ask_nmap: AskNmap | None, stop: Stop) -> Outcome:
    """The same outcome, with what is known of the services. Canaries and untrusted targets are left out."""
    wanted, problems = _wanted(outcome, request)
    if not wanted:
        return replace(outcome, problems=(*outcome.problems, *problems), whole=outcome.whole and not problems)
    heard = _heard(wanted, request, stop)
    asked = _asked(wanted, heard, request, ask_nmap) if ask_nmap else Asked({})
    seen = dict(outcome.seen)
    for address in {address for address, _protocol, _port in wanted}:
        seen[address] = _described(address, seen[address], wanted, heard, asked, request)
    problems += _incomplete(seen, wanted, heard, asked, nmap_is_asked=ask_nmap is not None, why=stop.why())
    return replace(
        outcome,
        seen=seen,
        commands=(*outcome.commands, *asked.commands),
        problems=tuple(dict.fromkeys((*outcome.problems, *asked.problems, *problems))),
        sent=None if outcome.sent is None or asked.sent is None else outcome.sent + asked.sent,
        whole=outcome.whole and asked.whole and not problems,
    )


def _wanted(outcome: Outcome, request: ScanRequest) -> tuple[dict[Place, Endpoint], list[Problem]]:
    """Every open port whose service is to be found out, and why those of an address are not."""
    wanted: dict[Place, Endpoint] = {}
    problems = []
    for address, seen in outcome.seen.items():
        if distrust(seen, outcome.canaries):
            continue
        unasked = request.canaries - request.tcp
        mine = [e for e in seen.endpoints if e.state == OPEN and not (e.protocol == "tcp" and e.port in unasked)]
        if len(mine) > MOST_AGAIN:
            message = f"{address}: more than {MOST_AGAIN} open ports, so none was asked what answers there"
            problems.append(Problem("too-many-open", message))
            continue
        wanted.update({(address, e.protocol, e.port): e for e in mine})
    return wanted, problems


def _heard(wanted: Mapping[Place, Endpoint], request: ScanRequest, stop: Stop) -> dict[Place, Heard]:
    if not request.versions:
        return {}
    ports = _ports(wanted, "tcp")
    answers = recognise(ports, request.pace(max(1, len(ports))), stop)
    over_tcp = {(address, "tcp", port): heard for (address, port), heard in answers.items()}
    return {**over_tcp, **_heard_over_udp(wanted, request, stop)}


def _heard_over_udp(wanted: Mapping[Place, Endpoint], request: ScanRequest, stop: Stop) -> dict[Place, Heard]:
    ports = _ports(wanted, "udp")
    if not ports:
        return {}
    scan = UdpScan(confirmation_pace(request), ports, stop)
    scan.run()
    heard = {(address, "udp", port): NOTHING for address in ports for port in ports[address]} if scan.whole else {}
    for (address, port), said in scan.said.items():
        found = recognise_datagram(port, said)
        heard[address, "udp", port] = Heard(found.service, True, found.whole) if found else Heard(None, spoke=True)
    return heard


def _ports(wanted: Mapping[Place, Endpoint], protocol: str) -> dict[str, PortSet]:
    addresses = sorted({address for address, name, _port in wanted if name == protocol})
    return {
        address: PortSet.of(port for where, name, port in wanted if (where, name) == (address, protocol))
        for address in addresses
    }


def _asked(
    wanted: Mapping[Place, Endpoint], heard: Mapping[Place, Heard], request: ScanRequest, ask_nmap: AskNmap
) -> Asked:
    left = {place for place in wanted if request.scripts or not heard.get(place, NOTHING).whole}
    # UDP that is open has answered once already, whatever it was asked now.
    silent = {place for place in left if place[1] == "tcp" and heard.get(place) == NOTHING}
    return ask_nmap(frozenset(left - silent), frozenset(silent))


def _incomplete(
    seen: Mapping[str, Seen],
    wanted: Mapping[Place, Endpoint],
    heard: Mapping[Place, Heard],
    asked: Asked,
    *,
    nmap_is_asked: bool,
    why: str | None,
) -> Iterator[Problem]:
    """For each address the ports that were not asked to the end, as far as nothing identified them."""
    named = {
        (address, e.protocol, e.port)
        for address, row in seen.items()
        for e in row.endpoints
        if e.identification == IDENTIFIED
    }
    open_end = [
        place
        for place in wanted
        if place not in named and place not in asked.found and (nmap_is_asked or place not in heard)
    ]
    for address in sorted({place[0] for place in open_end}):
        ports = ", ".join(f"{protocol}/{port}" for where, protocol, port in open_end if where == address)
        reason = why or ("they no longer answered nmap" if nmap_is_asked else "only nmap asks them")
        yield Problem("versions-incomplete", f"{address}: {ports} were not asked to the end what answers: {reason}")


def _described(
    address: str,
    seen: Seen,
    wanted: Mapping[Place, Endpoint],
    heard: Mapping[Place, Heard],
    asked: Asked,
    request: ScanRequest,
) -> Seen:
    endpoints = []
    for endpoint in seen.endpoints:
        place = (address, endpoint.protocol, endpoint.port)
        if place in wanted and endpoint.state == OPEN:
            by_nmap = asked.found.get(place)
            scripts = by_nmap.scripts if by_nmap else ()
            endpoint = replace(endpoint, scripts=scripts)
            if request.versions:
                before = endpoint.service
                endpoint = _named(endpoint, heard.get(place, NOTHING), by_nmap.service if by_nmap else before)
        endpoints.append(endpoint)
    return replace(seen, endpoints=tuple(endpoints))


def _named(endpoint: Endpoint, heard: Heard, by_nmap: Service | None) -> Endpoint:
    """The endpoint with the better of two answers, and with what came of asking."""
    nmap_knows = by_nmap is not None and by_nmap.identification == IDENTIFIED
    if heard.identification == IDENTIFIED and not (nmap_knows and _says_more(by_nmap, heard.service)):
        return replace(endpoint, service=heard.service, identification=IDENTIFIED)
    if nmap_knows:
        return replace(endpoint, service=by_nmap, identification=IDENTIFIED)
    hung_up = by_nmap is not None and by_nmap.identification == NOT_IDENTIFIED
    spoke = heard.identification == NOT_IDENTIFIED or hung_up
    service = heard.service or by_nmap or endpoint.service
    return replace(endpoint, service=service, identification=NOT_IDENTIFIED if spoke else TIMED_OUT)


def _says_more(by_nmap: Service | None, heard: Service | None) -> bool:
    """nmap's answer is the better one, unless it missed TLS or names no product where the scan itself does."""
    if by_nmap is None or heard is None:
        return by_nmap is not None
    return by_nmap.tunnel == heard.tunnel and (by_nmap.product is not None or heard.product is None)
