# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is reachable, as scanners at vantage points saw it. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._evidence.observed import ScannedTarget, plain_address
from ..._evidence.records.host import HostEvidence
from ..._evidence.records.reachable import SCANS
from ..._plan.outside_addresses import addresses_for
from ..finding import Finding
from ..gaps import not_scanned, own_address_gap, scan_gaps
from ..leg import Leg, Looked
from ..own_addresses import unscanned
from ..rules.not_assessed import gap
from . import listening


def _gaps(looked: Looked) -> Iterator[Finding]:
    view, outside, evidence = looked.view, looked.outside, listening.LEG.of(looked.evidence)
    if evidence is None:
        return
    seen = dict(outside.of(view.host, evidence))
    for name, vantage, doubt in outside.doubtful_scanners(view.host, evidence):
        yield gap(name, doubt, host=view.host, vantage=vantage)
    for vantage, targets in seen.items():
        yield from scan_gaps(view.host, vantage, targets, outside.why_none(vantage))
        if targets and evidence.listening is not None:
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


def _told(looked: Looked) -> bool:
    return bool(looked.view.targets)


LEG = Leg(name="reachable", title="what is reachable, by scans from vantage points", kept=SCANS, told=_told, gaps=_gaps)
