# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What could not be told of a host: by its own listing, and from each vantage point. Private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._evidence.observed import ScannedTarget, plain_address
from .._evidence.records.host import HostEvidence
from .._evidence.translated import translated_of
from .._plan.outside_addresses import addresses_for
from .finding import Finding
from .gaps import (
    host_gap,
    listing_gaps,
    not_scanned,
    own_address_gap,
    scan_gaps,
)
from .host_view import HostView
from .own_addresses import unscanned
from .rules.not_assessed import assessed, gap
from .seen_from_outside import SeenFromOutside
from .translation_gaps import translation_gaps


def gaps_of_host(
    view: HostView,
    evidence: HostEvidence,
    seen: Mapping[str, Sequence[ScannedTarget]],
    outside: SeenFromOutside,
) -> Iterator[Finding]:
    listening = evidence.listening
    if listening is None:
        yield host_gap(view.host, evidence.status, evidence.message)
    else:
        protocols = {declaration.protocol for declaration in view.inventory.declarations}
        namespaces = {declaration.namespace for declaration in view.inventory.declarations}
        gaps = [
            *listing_gaps(view.host, listening.coverage, protocols, namespaces),
            *translation_gaps(view, translated_of(listening)),
        ]
        yield from gaps
        if not gaps:
            yield assessed(view.host, f"{len(listening.listeners)} listeners were listed on the host")
    for name, vantage, doubt in outside.doubtful_scanners(view.host, evidence):
        yield gap(name, doubt, host=view.host, vantage=vantage)
    for vantage, targets in seen.items():
        yield from scan_gaps(view.host, vantage, targets, outside.why_none(vantage))
        if targets and listening is not None:
            to_scan = list(_to_scan(evidence, vantage, targets))
            left = [one for one in unscanned(evidence, vantage, to_scan) if one.reason is None]
            others = evidence.inventory.get("vigil_addresses")
            others = others if isinstance(others, Mapping) else None
            yield from own_address_gap(view.host, vantage, left, to_scan, others)
        if targets:
            expected = addresses_for(evidence.outside_addresses, vantage)
            for address, why in outside.unseen(view.host, vantage, expected):
                yield not_scanned(view.host, vantage, why, address)
    declared = {name for declaration in view.inventory.declarations for name in declaration.reachable_from or ()}
    for vantage in sorted(declared - set(seen)):
        why = "a declaration names this vantage point, and nobody stands there (vigil_vantages)"
        yield from scan_gaps(view.host, vantage, (), why)


def unscanned_rows(evidence: HostEvidence, seen: Iterable[tuple[str, Sequence[ScannedTarget]]]) -> list[dict[str, Any]]:
    """Addresses of the host that were left out of the scans, and why that is no gap."""
    if evidence.listening is None:
        return []
    rows: dict[tuple[str, str, str], list[str]] = {}
    for vantage, targets in seen:
        for one in unscanned(evidence, vantage, _to_scan(evidence, vantage, targets)) if targets else ():
            if one.reason is not None:
                rows.setdefault((str(one.address), one.interface, one.reason), []).append(vantage)
    return [
        {"address": address, "interface": interface, "reason": reason, "vantages": vantages}
        for (address, interface, reason), vantages in rows.items()
    ]


def _to_scan(evidence: HostEvidence, vantage: str, targets: Sequence[ScannedTarget]) -> Iterator[str]:
    """Addresses that a vantage point scanned, and those that it was to scan; a name only where it did not resolve."""
    yield from (target.address for target in targets)
    given = addresses_for(evidence.outside_addresses, vantage)
    yield from (address for address in given if plain_address(address) is not None)
