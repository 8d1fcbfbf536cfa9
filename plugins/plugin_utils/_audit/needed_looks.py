# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must have been looked at to judge a rule. History and the exceptions read the same.

A run that looked at less says nothing: it resolves no finding, calls no exception unused and makes no finding milder.
This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._inventory.port_range import Ports
from .host_view import HostView
from .looked import looked_inside, looked_outside
from .rule import EVERYTHING, Needs
from .rules.registry import CATALOGUE


def needed_to_resolve(rule: str) -> Needs:
    """Of a rule of another version: everything."""
    return CATALOGUE[rule].needs if rule in CATALOGUE else EVERYTHING


def needed_to_be_milder(rule: str) -> Needs:
    known = CATALOGUE.get(rule)
    return known.needs_to_be_milder if known and known.needs_to_be_milder else needed_to_resolve(rule)


def looked_for(
    view: HostView, rules: Iterable[str], protocol: str, port: Ports, namespace: str, vantage: str | None
) -> bool:
    """Whether the run looked at all that it takes to say that none of the rules fails for the ports."""
    needs: set[str] = set().union(*map(needed_to_resolve, rules))
    if not looked_inside(view, protocol) and needs & {"inside", "everything"}:
        return False
    # What is in another namespace is not what a scan of the host's addresses reaches.
    is_outside = namespace == "host" and bool(needs & {"outside", "everything"})
    return not is_outside or looked_outside(view, protocol, port, vantage)
