# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run looked at of a host. This module is private to the collection."""

from __future__ import annotations

from .._inventory.port_range import Ports, span_of
from .host_view import HostView
from .what_was_seen import known_from


def looked_inside(view: HostView, protocol: str) -> bool:
    """Whether the host listed its listeners of the protocol."""
    return view.listeners is not None and protocol not in view.unlisted


def looked_outside(view: HostView, protocol: str, port: Ports, vantage: str | None) -> bool:
    """Whether the state of each of the ports is known from the vantage point, or from each one, on every address."""
    targets = [one for one in view.targets if vantage in (None, one.vantage)]
    if view.depth == "none" or (vantage is not None and not targets):
        return False
    return all(known_from(one, protocol, *span_of(port.subject)) for one in targets)
