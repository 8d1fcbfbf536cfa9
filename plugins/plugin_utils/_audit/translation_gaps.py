# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that a host leads elsewhere, and of which no scan could say whether they are open. Private to the collection.

Nothing listens on them, so the host's listing does not have them. What a scan saw open is judged by the rules over
exposures; what it could not tell is a gap, unless somebody declared it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

from .._evidence.observed import spans_count
from .._evidence.translated import Translated, known_spans
from .._inventory.port_range import PortRange
from .acceptance import port_texts
from .finding import Finding
from .host_view import HostView
from .rules.not_assessed import gap

#: What a scan can be sure of. A silent UDP port may be open (open|filtered).
_TOLD = ("open", "closed", "filtered")


def translation_gaps(view: HostView, rows: tuple[Translated, ...]) -> Iterator[Finding]:
    """One gap for the ports that are not known, and one for the rules of which not even the ports are."""
    if view.depth == "none":  # then nothing is said of what can be reached
        return
    unknown = {protocol: spans for protocol in ("tcp", "udp") if (spans := _untold(view, rows, protocol).ranges)}
    if unknown:
        ports, number = port_texts(unknown), sum(map(spans_count, unknown.values()))
        message = (
            f"{ports} {'lead' if number > 1 else 'leads'} elsewhere by address translation, which nobody declared"
            f" (forwarded: true), and no scan could tell whether {'they are' if number > 1 else 'it is'} open"
        )
        yield gap(f"{view.host}:translated:{ports}", message, host=view.host)
    asked_all = ("tcp",) if view.depth == "full" else ()
    unread = sum(row.ports is None and row.protocol not in asked_all for row in rows)
    if unread:
        message = (
            f"the ports of {unread} rule{'s' if unread > 1 else ''} of address translation could not be read, and scans"
            f" of depth {view.depth} do not ask all that they may be"
        )
        yield gap(f"{view.host}:translated:{unread}-rules", message, host=view.host)


def _untold(view: HostView, rows: tuple[Translated, ...], protocol: str) -> PortSet:
    """The ports that lead elsewhere, are not declared, and of which some vantage point does not know the state."""
    declared = PortSet.of_ranges(
        (one.port.first, one.port.last)
        for one in view.inventory.declarations
        if one.protocol == protocol and one.namespace == "host" and isinstance(one.port, PortRange)
    )
    left = PortSet.of_ranges(known_spans(rows, protocol)) - declared
    if not left or not view.targets:
        return left
    told = left
    for target in view.targets:
        of_target = (target.ports_in(protocol, state) for state in _TOLD)
        told = told & functools.reduce(PortSet.__or__, of_target)
    return left - told
