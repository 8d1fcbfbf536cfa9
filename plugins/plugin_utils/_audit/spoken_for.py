# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which declarations speak of a port as it is seen from outside. This module is private to the collection.

A declaration with ports speaks of them whoever listens. A dynamic one speaks of what its own listeners answer, and of
nothing else: a port is never approved by it because the process has the same one at another address. So it is with
declarations of different processes that share a port: who listens tells which of them speaks.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._evidence.observed import Listener, address_of
from .._inventory.declared import Declaration
from .host_view import HostView, would_answer


def speaks_of(declaration: Declaration, address: str, view: HostView) -> bool:
    """Whether a declaration may speak of an address: not when the host has it and it is another than the declared."""
    known = address_of(address)
    return known not in view.own_addresses or declaration.address.allows(known, loopback_only=known.is_loopback)


def spoken_for(view: HostView, protocol: str, port: int, address: str) -> list[Sequence[Declaration]]:
    """The declarations of an open port, for each listener that may answer there; once where that makes no difference.

    Each of them must let the port be open; one without a declaration is undeclared.
    """
    fixed = [one for one in view.inventory.declarations_for(protocol, port, "host") if speaks_of(one, address, view)]
    rivals = view.inventory.rivals
    if not view.inventory.dynamic and not any(id(one) in rivals for one in fixed):
        return [fixed]
    return [
        [one for one in view.inventory.dynamic if _has(view, one, listener)]
        or [one for one in fixed if id(one) not in rivals or _has(view, one, listener)]
        for listener in view.listeners_on(protocol, port)
        if would_answer(listener, address, view.own_addresses) is not False
    ] or [fixed]


def _has(view: HostView, declaration: Declaration, listener: Listener) -> bool:
    return any(listener is one for one in view.listeners_of(declaration))


def is_approved(view: HostView, protocol: str, port: int, address: str, vantage: str) -> bool:
    """Whether the port may be open there, from there."""
    every = spoken_for(view, protocol, port, address)
    return all(any(one.is_reachable_from(vantage) for one in some) for some in every)
