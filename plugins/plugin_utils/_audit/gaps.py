# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a listing or a scan did not see, by name. This module is private to the collection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._evidence.observed import ScannedTarget, spans_count
from .._evidence.records.listening import ListingCoverage, Unlisted
from .._inventory.problem import Problem
from .acceptance import with_ports
from .finding import Finding
from .own_addresses import Unscanned
from .rules.not_assessed import assessed, gap

#: Problems of a listing after which it may lack a socket (NLM_F_DUMP_INTR, netlink(7)).
LISTING_MAY_LACK = frozenset(("dump-interrupted",))

#: Kinds whose number is part of the gap's name, with what lists them. One more of them can be a program that listens
#: without a port; who accepted two has not accepted a third.
_COUNTED_BY_NAME = {"packet": "ss -0 -p", "raw": "ss -w -a -p", "xdp": "ss --xdp -p"}


#: The problem of a listing that could not count the sockets of the kinds that it does not list.
_NOT_COUNTED = "protocols-unreadable"

#: Problems of a listing after which there may be more to reach than it shows.
_NOT_KNOWN = {
    "translation-unknown": "which ports lead elsewhere by address translation",
    "translation-not-read": "which ports lead elsewhere by address translation",
    "namespaces-unknown": "whether containers have addresses of their own",
}

#: How scan_info marks a port of which a second, slow pass saw something else.
FIRST_OPEN = "first seen open"

#: So many addresses are written out in a sentence.
_MOST_ADDRESSES = 8

#: What every listing tells of; a source that it does not mention was not looked at.
_NOTHING_LISTED = dict.fromkeys(
    ("tcp_ipv4", "tcp_ipv6", "udp_ipv4", "udp_ipv6", "packet", "raw_ipv4", "raw_ipv6"), "failed"
)


_ASKED_BY = {"play": "the hosts of the play", "limit": "the limit"}


def unmatched_gaps(unmatched: Iterable[Mapping[str, str]]) -> Iterator[Finding]:
    """Hosts that were asked for by a pattern that matches none. Ansible only warns, and looks at the others."""
    asked: dict[str, list[str]] = {}
    for one in unmatched:
        asked.setdefault(one["pattern"], []).append(_ASKED_BY[one["asked_by"]])
    for pattern, where in asked.items():
        asked_by = " and ".join(where)
        message = f"{pattern} (in {asked_by}) matches no host of the inventory: it was asked for, and not looked at"
        yield gap(f"{pattern}:matches-nothing", message, host=None)


def inventory_gap(host: str, problems: Sequence[Problem]) -> Finding:
    """The declared inventory of the host has errors: no verdict can rest on it."""
    first, more = problems[0], len(problems) - 1
    message = f"the declared inventory is not valid: {first}" + (f" (and {more} more)" if more else "")
    return gap(f"{host}:inventory-invalid", message, host=host, details=[str(problem) for problem in problems])


def host_gap(host: str, status: str, why: str | None) -> Finding:
    """The host could not be looked at from inside."""
    return gap(f"{host}:{status}", f"the host was not looked at: {why or status}", host=host)


def unlisted_protocols(host: str, coverage: ListingCoverage) -> dict[str, str]:
    """Protocols of which the listing may lack a socket, each with the name of a gap that says so."""
    found: dict[str, str] = {}
    for source, how in _sources(coverage):
        if how == "failed":
            found.setdefault(source.partition("_")[0], f"{host}:not-listed:{source}")
    for one in coverage.not_looked_at:
        found.setdefault(one.what, _name_of_unlisted(host, one))
    return found


def _sources(coverage: ListingCoverage) -> list[tuple[str, str]]:
    """How each kind of socket was listed. 0.2 said of packet and raw sockets that it does not list them."""
    told_apart = {one.what for one in coverage.not_looked_at} - set(coverage.sources)
    expected = {source: how for source, how in _NOTHING_LISTED.items() if source.partition("_")[0] not in told_apart}
    return sorted({**expected, **coverage.sources}.items())


def _name_of_unlisted(host: str, row: Unlisted) -> str:
    what, in_use = row.what, row.in_use
    return f"{host}:not-listed:{what}" + (f":{in_use}" if what in _COUNTED_BY_NAME and in_use else "")


def listing_gaps(
    host: str, coverage: ListingCoverage, declared_protocols: Iterable[str], declared_namespaces: Iterable[str]
) -> Iterator[Finding]:
    """What the listing on the host left out and the audit would have needed."""
    for source, how in _sources(coverage):
        if how == "failed":
            why = "; ".join(f"{one.code}: {one.message}" for one in coverage.problems) or "no reason given"
            yield gap(
                f"{host}:not-listed:{source}",
                f"{source.replace('_', ' ')} sockets could not be listed: {why}",
                host=host,
            )
    for problem in coverage.problems:
        if problem.code in LISTING_MAY_LACK:
            yield gap(f"{host}:{problem.code}", f"the listing may lack a socket: {problem.message}", host=host)
        if problem.code in _NOT_KNOWN:
            message = f"{_NOT_KNOWN[problem.code]} is not known: {problem.message}"
            yield gap(f"{host}:{problem.code}", message, host=host)
    yield from _unlisted_gaps(host, coverage, frozenset(declared_protocols))
    if coverage.namespaces.asked == "host":
        for namespace in sorted(set(declared_namespaces) - {"host"}):
            message = f"network namespace {namespace} is declared, but only the host's own was asked (audit_namespaces)"
            yield gap(f"{host}:namespace-missed:{namespace}", message, host=host)
    yield from _left_out_namespaces(host, coverage.namespaces.left_out or ())  # 0.2 did not look for them
    for missed in coverage.namespaces.missed:
        name = f"{host}:namespace-missed:{missed.namespace}"
        yield gap(name, f"network namespace {missed.namespace} could not be entered: {missed.reason}", host=host)


def _left_out_namespaces(host: str, names: Sequence[str]) -> Iterator[Finding]:
    """Containers and the like that another machine can reach, on a host of which only its own namespace was asked."""
    if names:
        more = len(names) - _MOST_ADDRESSES
        listed = ", ".join(names[:_MOST_ADDRESSES]) + (f" and {more} more" if more > 0 else "")
        message = (
            f"{len(names)} other network namespace{'s have' if len(names) > 1 else ' has'} addresses of their own, and"
            f" what listens there was not listed: {listed}; audit_namespaces: all lists it"
        )
        yield gap(f"{host}:namespaces-not-listed:{len(names)}", message, host=host, details=list(names))


def _unlisted_gaps(host: str, coverage: ListingCoverage, declared: frozenset[str]) -> Iterator[Finding]:
    """Kinds of sockets that nobody listed: those that are declared, and those of which the host has some."""
    uncounted = [problem.message for problem in coverage.problems if problem.code == _NOT_COUNTED]
    if uncounted:
        message = f"whether the host has raw, packet, SCTP or other sockets is not known: {'; '.join(uncounted)}"
        yield gap(f"{host}:{_NOT_COUNTED}", message, host=host)
    for one in sorted(coverage.not_looked_at, key=lambda one: one.what):
        what, reason, in_use = one.what, one.reason, one.in_use
        if what in declared:
            message = f"{what} is declared, but was not looked at: {reason}"
            yield gap(_name_of_unlisted(host, one), message, host=host)
        elif in_use:  # runs of 0.2 do not have the number
            listed_by = f"; {_COUNTED_BY_NAME[what]} lists them" if what in _COUNTED_BY_NAME else ""
            message = f"{in_use} {what} sockets are in use, and were not looked at: {reason}{listed_by}"
            yield gap(_name_of_unlisted(host, one), message, host=host)


def scan_gaps(host: str, vantage: str, targets: Sequence[ScannedTarget], why_none: str | None) -> Iterator[Finding]:
    """What a vantage point did not see of the host; a pass for each address it saw all of."""
    if not targets:
        yield not_scanned(host, vantage, why_none)
    for target in targets:
        doubtful = [row for row in target.states if row.state != "open" and FIRST_OPEN in row.reason]
        if doubtful:
            ports = ", ".join(f"{row.protocol} {_spans_text(row.ports)}" for row in doubtful)
            message = f"{target.address} from {vantage}: {ports} answered open first, and otherwise when asked again"
            doubted: dict[str, list[tuple[int, int]]] = {}
            for row in doubtful:
                doubted.setdefault(row.protocol, []).extend(row.ports)
            name = with_ports(f"{host}:not-confirmed@{vantage}", target.address, doubted)
            yield gap(name, message, host=host, vantage=vantage, address=target.address)
        if target.status == "complete" and not target.unknown:
            message = f"{target.address} was scanned from {vantage}"
            yield assessed(host, message, vantage=vantage, address=target.address)
            continue
        missing = ", ".join(
            f"{spans_count(spans)} {protocol} ports ({_spans_text(spans)})"
            for protocol, spans in sorted(target.unknown.items())
        )
        seen = "scan-partial" if target.states else "scan-failed"
        what = "scan-untrusted" if target.status == "untrusted" else seen
        name = f"{host}:{what}@{vantage}"
        message = f"{target.address} was not fully scanned from {vantage}: {target.reason or target.status}"
        yield gap(
            with_ports(name, target.address, target.unknown if what == "scan-partial" else {}),
            f"{message}{f'; nothing is known of {missing}' if missing else ''}",
            host=host,
            vantage=vantage,
            address=target.address,
        )


def own_address_gap(
    host: str, vantage: str, left: Sequence[Unscanned], scanned: Iterable[str], given: Mapping[str, Any] | None
) -> Iterator[Finding]:
    """One gap for the addresses that the host has and nobody scanned from a vantage point.

    ``scanned`` are those that were to be scanned, ``given`` what ``vigil_addresses`` says of other vantage points.
    """
    if left:
        shown, more = left[:_MOST_ADDRESSES], len(left) - _MOST_ADDRESSES
        listed = ", ".join(f"{one.address} ({one.interface})" for one in shown)
        now = list(dict.fromkeys(scanned))
        to_leave_out = _vigil_addresses(now, vantage, given)
        to_scan = _vigil_addresses([*now, *(str(one.address) for one in left)], vantage, given)
        message = (
            f"the host also has {listed}{f' and {more} more' if more > 0 else ''}, which nobody scanned from {vantage}:"
            + (
                f" if it says so rightly, scan it with {to_scan}"
                if more <= 0
                else " list in vigil_addresses what to scan"
            )
            + f", or leave it out on purpose with {to_leave_out}"
        )
        names = ",".join(str(one.address) for one in shown)
        if more > 0:
            rest = "\n".join(str(one.address) for one in left[_MOST_ADDRESSES:])
            names += f",{more}-more-{hashlib.sha256(rest.encode()).hexdigest()[:8]}"
        yield gap(f"{host}:own-addresses-not-scanned@{vantage}:{names}", message, host=host, vantage=vantage)


def _vigil_addresses(addresses: Sequence[str], vantage: str, given: Mapping[str, Any] | None) -> str:
    """The variable to paste; JSON is YAML."""
    value = list(addresses) if given is None else {**given, vantage: list(addresses)}
    return f"vigil_addresses: {json.dumps(value)}"


def not_scanned(host: str, vantage: str, why: str | None, address: str | None = None) -> Finding:
    """No scanner of the vantage point reported on the host, or on one address of it."""
    message = f"{address or 'the host'} was not scanned from {vantage}: {why or 'no scanner reported on it'}"
    return gap(f"{host}:not-scanned@{vantage}", message, host=host, vantage=vantage, address=address)


def _spans_text(spans: Sequence[tuple[int, int]], limit: int = 12) -> str:
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in spans]
    return ",".join(texts[:limit]) + (f" and {len(texts) - limit} more spans" if len(texts) > limit else "")
