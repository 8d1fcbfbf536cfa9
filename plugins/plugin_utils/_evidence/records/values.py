# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that records are made of. This module is private to the collection."""

from __future__ import annotations

from typing import Annotated

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import HIGHEST

from ..codec import Meta, Record
from ..observed import spans_of

#: A moment in UTC.
Time = Annotated[
    str,
    Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", extra_json_schema={"format": "date-time"}),
]

#: Ports as ``22,80-90``.
Ports = Annotated[str, Meta(pattern="^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$", description="Ports as 22,80-90.")]

#: One port.
Port = Annotated[int, Meta(ge=0, le=65535)]

#: How many of something.
Count = Annotated[int, Meta(ge=0)]


class Problem(Record, frozen=True, kw_only=True):
    """What did not go as it should."""

    code: str
    """What kind of problem. Codes do not change."""
    message: str
    """What happened."""


class AskedPorts(Record, frozen=True, kw_only=True):
    """The ports that something was done for, by protocol."""

    tcp: Ports
    """TCP ports."""
    udp: Ports
    """UDP ports."""


class Machine(Record, frozen=True, kw_only=True):
    """Which machine answered."""

    id: str | None
    """A digest of machine-id(5): the same for years. Clones of one image share it."""
    stack: str | None
    """A digest of the boot id and of the network namespace: no two network stacks share it."""
    addresses: tuple[str, ...]
    """Its addresses, without those of loopback."""


def check_ports(text: str, lowest: int = 1) -> None:
    """Raises ValueError where a text of the pattern of ``Ports`` names what are no ports."""
    if not all(lowest <= first <= last <= HIGHEST for first, last in spans_of(text)):
        raise ValueError(f"{text[:100]} are no ports")
