# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A call that asks what answers behind ports which earlier calls found open, and no port for its state.

This module is private to the collection.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    NOT_ASKED,
    OPEN,
    Endpoint,
    Outcome,
    ScanRequest,
    Seen,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import NO_PORTS
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import Target

_REASON = "found open by an earlier call"


def is_asked(rows: Sequence[Mapping[str, Any]] | None) -> bool:
    """Whether some target comes with ports that are known to be open."""
    return any(row.get("open") or row.get("open_udp") for row in rows or ())


def known_open(targets: Sequence[Target], request: ScanRequest, engine: str, version: str | None, raw: bool) -> Outcome:
    """What earlier calls saw, as an engine's outcome. ``raw``: whether nmap may send raw packets."""
    seen: dict[str, list[Endpoint]] = {}
    for target in targets:
        for address in target.addresses:
            known = seen.setdefault(address, [])
            known += [
                Endpoint(protocol, port, OPEN, _REASON, identification=NOT_ASKED)
                for protocol, ports in (("tcp", target.open_tcp), ("udp", target.open_udp))
                for port in ports
            ]
    return Outcome(
        engine=engine,
        engine_version=version,
        technique="syn" if raw else "connect",
        privileged=raw,
        seen={address: Seen(endpoints=tuple(dict.fromkeys(known))) for address, known in seen.items()},
        tcp=NO_PORTS,
        udp=NO_PORTS,
        rate=request.rate,
        retries=request.retries,
        target_rate=request.target_rate,
        sent=0,
    )
