# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose look at a host is judged, where several parts looked. This module is private to the collection.

The newest part that listed a host is judged, and so is, for each vantage point, the newest that reported on it. That
two parts looked at one host is a gap by name, as nobody asked for it: one of them may be of a job that was thought
lost. What they saw differently is another one, of the host.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._evidence.codec import changed
from .._evidence.kept import EvidenceError
from .._evidence.records.host import HOSTS, HostEvidence
from .._evidence.records.merged import MergeGap
from .._evidence.records.reachable import SCANS, ScanEvidence, Share
from .checks import CLOCKS_DIFFER, Part
from .gaps import merge_gap

#: Of how many hosts of a part the clocks are looked at.
_CLOCKS = 9
_MOST_NAMES = 20


class Settled(NamedTuple):
    """``listed_by``: the part whose listing is judged, by host. ``scans``: the scan of each vantage point, joined."""

    listed_by: dict[str, Part]
    scans: dict[str, ScanEvidence]
    gaps: list[MergeGap]


class _Overlaps:
    """Hosts at which an older and a newer part looked, and of which of them they say different things."""

    def __init__(self) -> None:
        self._twice: dict[tuple[str, str], dict[str, None]] = {}
        self._differing: dict[str, tuple[str, str, list[str]]] = {}

    def add(self, host: str, older: Part, newer: Part, differing: str | None) -> None:
        self._twice.setdefault((older.run_id, newer.run_id), {})[host] = None
        if differing:
            known = self._differing.setdefault(host, (older.run_id, newer.run_id, []))
            known[2].append(differing)

    def gaps(self) -> Iterator[MergeGap]:
        for (older, newer), hosts in sorted(self._twice.items()):
            number = f"{len(hosts)} host{'' if len(hosts) == 1 else 's'}"
            message = (
                f"the newer part {newer} looked at {number} of it again, and is judged there: which job ran twice?"
            )
            yield merge_gap(f"part:{older}:twice:{newer}", message, details=_names(sorted(hosts)))
        for host, (older, newer, texts) in sorted(self._differing.items()):
            message = f"parts {older} and {newer} say different things of the host, and the newer one is judged"
            yield merge_gap(f"{host}:parts-disagree", message, host=host, details=texts)


def settle(parts: Sequence[Part], asked: Mapping[str, Any]) -> Settled:
    """Evidence of parts put together; files are only read. ``asked`` is what the merging run was asked: its hosts and
    vantage points count, and nothing else that a part looked at."""
    scope, vantages = frozenset(asked["hosts"]), [vantage["name"] for vantage in asked["vantages"]]
    newest = sorted(parts, key=lambda part: part.order, reverse=True)
    overlaps = _Overlaps()
    listed_by: dict[str, Part] = {}
    for part in newest:
        for host in scope.intersection(part.asked["hosts"]) if part.about["inside"] else ():
            newer = listed_by.setdefault(host, part)
            if newer is not part:
                overlaps.add(host, part, newer, _listings_differ(host, part, newer))
    scans: dict[str, ScanEvidence] = {}
    gaps: list[MergeGap] = []
    for vantage in vantages:
        joined = _joined(vantage, newest, scope, overlaps, gaps)
        if joined is not None:
            scans[vantage] = joined
    gaps += overlaps.gaps()
    gaps += (gap for part in newest for gap in _clock(part))
    return Settled(listed_by, scans, sorted(gaps, key=lambda gap: gap.gap))


def _names(names: Sequence[str]) -> tuple[str, ...]:
    more = len(names) - _MOST_NAMES
    return (*names[:_MOST_NAMES], *([f"and {more} more"] if more > 0 else []))


def _joined(
    vantage: str, newest: Sequence[Part], scope: Collection[str], overlaps: _Overlaps, gaps: list[MergeGap]
) -> ScanEvidence | None:
    """What all parts saw from one vantage point: of each host what the newest one that reported on it saw."""
    shares: list[Share] = []
    reported: dict[str, Part] = {}
    first: ScanEvidence | None = None
    opened: dict[str, frozenset[tuple[str, str, int]]] = {}
    for part in newest:
        if vantage not in part.about["vantages"]:
            continue
        try:
            scan = part.directory.read(SCANS, vantage)
        except EvidenceError as error:
            message = f"what it saw from {vantage} cannot be used: {part.directory.place_in(error)}"
            gaps.append(merge_gap(f"part:{part.run_id}:scan-damaged:{vantage}", message))
            continue
        if scan is None:
            continue
        first = first or scan
        here = _open_ports(scan)
        for host, ports in here.items():
            newer = reported.get(host)
            if newer is not None and host in scope:
                overlaps.add(host, part, newer, _differing(f"open from {vantage}", ports, opened[host]))
        for share in scan.shares:
            rows = tuple(row for row in share.targets if row.host not in reported)
            shares.append(changed(share, targets=rows))
        reported |= dict.fromkeys(here.keys() - reported.keys(), part)
        opened = {**here, **opened}
    if first is None:
        return None
    shares.sort(key=lambda share: (share.scanner, share.instead_of))  # stable: the newest part comes first
    return changed(first, shares=tuple(shares))


def _open_ports(scan: ScanEvidence) -> dict[str, frozenset[tuple[str, str, int]]]:
    found: dict[str, set[tuple[str, str, int]]] = {}
    for share in scan.shares:
        for target in share.targets:
            ports = found.setdefault(target.host, set())
            ports.update((one.protocol, target.address, one.port) for one in target.endpoints if one.state == "open")
    return {host: frozenset(ports) for host, ports in found.items()}


def _listings_differ(host: str, older: Part, newer: Part) -> str | None:
    """What two listings of a host say differently; None where it is nothing."""
    before, now = _read(older, host), _read(newer, host)
    if before is None or now is None:
        return None if before is now else "one of the two listings is missing, or cannot be read"
    if before.inventory != now.inventory or before.inventory_errors != now.inventory_errors:
        return "its declarations"
    if before.listening is None or now.listening is None:
        return None if before.status == now.status else f"listing: {before.status}, then {now.status}"
    return _differing("listening", *(_listening(one) for one in (before, now)))


def _read(part: Part, host: str) -> HostEvidence | None:
    try:
        return part.directory.read(HOSTS, host)
    except EvidenceError:  # it is said of the host where it is judged
        return None


def _listening(evidence: HostEvidence) -> frozenset[tuple[str, str, int]]:
    rows = evidence.listening.listeners if evidence.listening else ()
    return frozenset((one.protocol, one.address, one.port) for one in rows if not one.ephemeral)


def _differing(what: str, before: frozenset[tuple[str, str, int]], now: frozenset[tuple[str, str, int]]) -> str | None:
    """Ports of only one of two looks, as text."""
    if before == now:
        return None
    only = ((name, sorted(one)) for name, one in (("only before", before - now), ("only now", now - before)))
    texts = [f"{name} {', '.join(f'{a}/{c} at {b}' for a, b, c in rows[:5])}" for name, rows in only if rows]
    return f"{what}: {'; '.join(texts)}"


def _clock(part: Part) -> Iterator[MergeGap]:
    """A part whose clock is another one than those of the hosts that it looked at: nobody knows how old it is."""
    if not part.about["inside"]:
        return
    off = []
    for host in part.asked["hosts"][:_CLOCKS]:
        evidence = _read(part, host)
        if evidence is not None and evidence.listening is not None:
            off.append(_off(evidence.listening.coverage.finished, part))
    for side in (1, -1):
        agreeing = sorted(seconds for seconds in off if seconds * side > CLOCKS_DIFFER)
        if agreeing and len(agreeing) * 2 > len(off):
            seconds = agreeing[len(agreeing) // 2]
            message = (
                f"by {len(agreeing)} of {len(off)} hosts it was made {abs(seconds)} s"
                f" {'after' if seconds > 0 else 'before'} the time that its control node says"
                f" ({part.asked['controller']['host']}): set its clock, and make it again"
            )
            yield merge_gap(f"part:{part.run_id}:clock", message)


def _off(finished: Any, part: Part) -> int:
    """By how many seconds a host was listed after the part was sealed, or (negative) before it was opened."""
    at, started, ended = map(dt.datetime.fromisoformat, (finished, part.asked["started"], part.ended))
    return round(max((at - ended).total_seconds(), 0) + min((at - started).total_seconds(), 0))
