# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each vantage point saw of a port, address by address, and whether a finding says that it is wrong.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._evidence.observed import ScannedTarget, spans_hold

NOT_ASKED, NOT_KNOWN = "not asked", "not known"

#: Vantage point and address to what is wrong there; the address is None for what is wrong at each of them.
Wrong = set[tuple[str, str | None]]


def cells(
    protocol: str, ports: Sequence[int], by_vantage: Mapping[str, Sequence[ScannedTarget]], *, inside_only: bool
) -> dict[str, list[dict[str, Any]]]:
    """By vantage point a cell for each address: ``address``, ``states`` and ``wrong``, which is False until judged.

    Without a look from there the address is None. Of a range, ``ports`` are those that say something.
    """
    nothing = [_cell(None, [NOT_ASKED if inside_only else NOT_KNOWN])]
    return {
        vantage: [_cell(target.address, _states(target, protocol, ports)) for target in targets] or list(nothing)
        for vantage, targets in by_vantage.items()
    }


def judged(found: Mapping[str, list[dict[str, Any]]], wrong: Wrong) -> None:
    """Marks the cells of which a finding says that they are wrong."""
    for vantage, some in found.items():
        for cell in some:
            cell["wrong"] = (vantage, None) in wrong or (vantage, cell["address"]) in wrong


def is_known(found: Mapping[str, Iterable[Mapping[str, Any]]]) -> bool:
    """False where a vantage point looked, or was to look, and cannot tell."""
    return not any(NOT_KNOWN in cell["states"] for some in found.values() for cell in some)


def _cell(address: str | None, states: list[str]) -> dict[str, Any]:
    return {"address": address, "states": states, "wrong": False}


def _states(target: ScannedTarget, protocol: str, ports: Sequence[int]) -> list[str]:
    states = {target.state_of(protocol, port) or _why_none(target, protocol, port) for port in ports}
    return ["open"] if "open" in states else sorted(states) or [NOT_ASKED]


def _why_none(target: ScannedTarget, protocol: str, port: int) -> str:
    return NOT_KNOWN if spans_hold(target.unknown.get(protocol, ()), port) else NOT_ASKED
