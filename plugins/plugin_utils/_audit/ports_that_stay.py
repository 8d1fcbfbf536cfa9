# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UDP ports that look ephemeral, and on which an earlier run saw the same process. Private to the collection.

The kernel picks an ephemeral port anew for each socket. What is on the port that it was on before was bound to it, or
is a socket that lives for as long as its process, which takes what anybody sends to it: no client that comes and goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._evidence.observed import Listener
from .what_was_seen import processes_of


def with_ports_that_stay(
    listeners: tuple[Listener, ...] | None, known: Mapping[str, Any] | None
) -> tuple[Listener, ...] | None:
    """The listeners, those that stay no longer ``ephemeral``. ``known`` is what history believed of the host."""
    if not listeners or known is None or not any(one.ephemeral for one in listeners):
        return listeners
    keys = ("namespace", "protocol", "address", "port", "process", "user", "unit")
    believed = {
        tuple(row[key] for key in keys): str(row["first_seen"])
        for row in known["now"]["endpoints"]
        if row["open"] and row["vantage"] is None
    }
    return tuple(_as_believed(one, believed) if one.ephemeral else one for one in listeners)


def _as_believed(one: Listener, believed: Mapping[tuple[Any, ...], str]) -> Listener:
    since = believed.get((one.namespace, one.protocol, one.where, one.port, processes_of(one), one.user, one.unit))
    return one if since is None else one._replace(ephemeral=False, stays_since=since)
