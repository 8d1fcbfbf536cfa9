# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules know of a host, from its evidence. This module is private to the collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from .._evidence.observed import Listener, address_of
from .._evidence.raw_sockets import raw_sockets_of
from .._evidence.relisted import Relisted, both_listings
from .._inventory.declared import Inventory
from .gaps import unlisted_protocols
from .host_view import HostView, TooBroad
from .leg import Evidence
from .legs.listening import LEG as LISTENING
from .legs.relisted import LEG as RELISTED
from .ports_that_stay import with_ports_that_stay
from .seen_from_outside import SeenFromOutside


def view_of_host(
    run: Mapping[str, Any],
    host: str,
    found: Evidence,
    outside: SeenFromOutside,
    inventory: Inventory,
    known: Mapping[str, Any] | None = None,
) -> HostView:
    """What the rules know of a host, from its evidence and from what it listed when it was asked again.

    ``known`` is what history believed of it. Raises LookupError for a host without a listing.
    """
    evidence, relisted = LISTENING.of(found), RELISTED.of(found)
    if evidence is None:
        raise LookupError(f"{host}: there is no listing of it")
    listening = evidence.listening
    again = None if relisted is None or listening is None else Relisted.of(relisted, listening)
    listings = [listening] if listening else []
    listeners = None if listening is None else tuple(map(Listener.of, listening.listeners))
    if listeners is not None and again is not None and again.listening is not None:
        listings.append(again.listening)
        later = map(Listener.of, again.listening.listeners)
        listeners = both_listings(listeners, later, can_be_gone=again.trouble is None)
    return HostView(
        host=host,
        inventory=inventory,
        listeners=with_ports_that_stay(listeners, known),
        own_addresses={address_of(row.address): row.interface for one in listings for row in one.addresses},
        # What answers on every port says nothing of any: an untrusted target is a gap, and no ground for a verdict.
        targets=tuple(
            target
            for _vantage, targets in outside.of(host, evidence)
            for target in targets
            if target.status != "untrusted"
        ),
        today=dt.date.fromisoformat(run["audit_date"]),
        expiring_days=run["settings"]["expiring_days"],
        depth=run["settings"]["scan_depth"],
        unlisted=unlisted_protocols(host, listening.coverage) if listening else {},
        relisted=again,
        verify_bind=run["settings"]["verify_bind"],
        vantages=frozenset(outside.vantages),
        too_broad=_limits(run["settings"]),
        raw_sockets=raw_sockets_of(listening) if listening else None,
        evidence=found,
    )


def _limits(settings: Mapping[str, Any]) -> TooBroad | None:
    if "too_broad_ports" not in settings:
        return None
    return TooBroad(settings["too_broad_ports"], settings["too_broad_days"])
