# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The declared inventory as typed values. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import datetime as dt

from .address_rule import AddressRule
from .port_range import PortRange


@dataclasses.dataclass(frozen=True, slots=True)
class Declaration:
    """What may be open: one port or range of one entry. An entry with a list of ports gives several."""

    place: str
    port: PortRange
    protocol: str
    address: AddressRule
    namespace: str
    service: str | None
    process: str | None
    user: str | None
    unit: str | None
    reachable_from: frozenset[str] | None  # None: any
    required: bool
    justification: str
    owner: str
    approved_by: str | None
    change: str | None
    review_by: dt.date | None

    def is_reachable_from(self, vantage: str) -> bool:
        return self.reachable_from is None or vantage in self.reachable_from

    @property
    def names_owner(self) -> bool:
        """True when the declaration says who must be listening."""
        return bool(self.process or self.user or self.unit)


@dataclasses.dataclass(frozen=True, slots=True)
class PortException:
    """A deviation that was approved for a time: one port or range of one entry."""

    place: str
    port: PortRange
    protocol: str
    address: AddressRule
    namespace: str
    vantage: str | None  # None: every one
    rules: frozenset[str] | None  # None: every one
    reason: str
    owner: str
    approved_by: str | None
    change: str | None
    expires: dt.date

    def is_active(self, today: dt.date) -> bool:
        """An exception holds to the end of its day, UTC."""
        return today <= self.expires


@dataclasses.dataclass(frozen=True, slots=True)
class Inventory:
    """What one host declares, in the order of its layers."""

    declarations: tuple[Declaration, ...]
    exceptions: tuple[PortException, ...]
