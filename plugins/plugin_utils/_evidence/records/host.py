# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of one host: what it declares and what listens on it. This module is private to the collection."""

from __future__ import annotations

from typing import Any, Literal

from ..codec import Record
from ..kept import Kept
from .listening import Listening
from .values import AskedPorts

HOST_SHAPE: Literal["vigil.ports/evidence/host/1"] = "vigil.ports/evidence/host/1"
RELISTED_SHAPE: Literal["vigil.ports/evidence/relisted/1"] = "vigil.ports/evidence/relisted/1"


#: Evidence of a host is refused where it is larger. 10,000 listeners, each with its process, are 8 MB.
MOST_BYTES = 64 << 20


class InventoryError(Record, frozen=True, kw_only=True):
    """What is wrong with a variable of the inventory, besides what its schema says."""

    place: str
    """Where."""
    value: str
    """What stands there."""
    message: str
    """What is wrong with it."""
    allowed: str
    """What may stand there."""


class HostEvidence(Record, frozen=True, kw_only=True):
    """``evidence/hosts/HOST.json``: what one host declares, and what listens on it."""

    shape: Literal["vigil.ports/evidence/host/1"]
    """Marks the file."""
    host: str
    """The host, as the inventory names it."""
    inventory: dict[str, Any]
    """The host's inventory variables, resolved, as schemas/inventory.schema.json describes them; kept even when they
    break it."""
    inventory_errors: tuple[InventoryError, ...]
    """What is wrong with variables that could not be resolved, or that a host gave."""
    outside_addresses: dict[str, tuple[str, ...]]
    """By which addresses or names the host is to be scanned, by vantage point or default."""
    is_control: bool
    """Ansible reaches it without a network: it is the control node."""
    status: Literal["gathered", "failed", "unreachable"]
    """What came of the listing."""
    message: str | None
    """Why there is none; null where there is one."""
    listening: Listening | None
    """What listens; null where it could not be listed."""


class RelistedEvidence(Record, frozen=True, kw_only=True):
    """``evidence/relisted/HOST.json``: a host that was listed again after the scans."""

    shape: Literal["vigil.ports/evidence/relisted/1"]
    """Marks the file."""
    host: str
    """The host, as the inventory names it."""
    asked: AskedPorts
    """The ports for which it was."""
    status: Literal["listed", "failed", "unreachable"]
    """What came of the listing."""
    message: str | None
    """Why there is none; null where there is one."""
    listening: Listening | None
    """What listens; null where it could not be listed."""


#: What each host declares, and what listens there.
HOSTS = Kept("evidence/hosts", HostEvidence, HOST_SHAPE, "host", MOST_BYTES)
#: What listened when a host was asked again.
RELISTED = Kept("evidence/relisted", RelistedEvidence, RELISTED_SHAPE, "host", MOST_BYTES)
