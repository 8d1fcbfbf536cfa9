# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What answers behind many open TCP ports: all at the same time, at a rate, until told to stop.

This module is private to the collection.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, Mapping, Tuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.open_files import sockets_to_use
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.conversation import (
    NOTHING,
    Conversation,
    Heard,
)

#: Ports of one address that are spoken with at the same time.
_AT_ONCE_PER_ADDRESS = 32
_CONNECTIONS_PER_PORT = 6
_LOOK = 0.2  # seconds between two looks at Stop

Port = Tuple[str, int]


def recognise(wanted: Mapping[str, PortSet], rate: int, stop: Stop) -> dict[Port, Heard]:
    """By address and port: what was heard. A port that ``stop`` left no time for is missing."""
    return asyncio.run(_Round(rate).all_of(wanted, stop)) if wanted else {}


class _Round:
    """One event loop's worth of conversations. ``rate`` is connections a second."""

    def __init__(self, rate: int) -> None:
        self._gap = 1.0 / rate
        self._next = 0.0
        self._heard: dict[Port, Heard] = {}

    async def all_of(self, wanted: Mapping[str, PortSet], stop: Stop) -> dict[Port, Heard]:
        asyncio.get_running_loop().set_exception_handler(_left_alone)
        everywhere = asyncio.Semaphore(max(1, sockets_to_use() // _CONNECTIONS_PER_PORT))
        each: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE_PER_ADDRESS))
        # Port by port over all addresses, so that no address is asked everything at once.
        order = sorted((port, address) for address, ports in wanted.items() for port in ports)
        tasks: list[asyncio.Future[None]] = [
            asyncio.ensure_future(self._one((address, port), each[address], everywhere)) for port, address in order
        ]
        pending = set(tasks)
        while pending and not stop.why():
            _done, pending = await asyncio.wait(pending, timeout=stop.wait_at_most(_LOOK))
        for task in pending:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=bool(pending))
        return self._heard

    async def _one(self, where: Port, mine: asyncio.Semaphore, everywhere: asyncio.Semaphore) -> None:
        async with mine, everywhere:
            self._heard[where] = await Conversation(where, self._slot).hold()

    async def _slot(self) -> None:
        now = asyncio.get_running_loop().time()
        self._next = max(now, self._next + self._gap)
        if self._next > now:
            await asyncio.sleep(self._next - now)


def _left_alone(_loop: asyncio.AbstractEventLoop, _context: Mapping[str, Any]) -> None:
    """What a peer does to a connection that is given up already is nobody's business any more."""


__all__ = ["NOTHING", "Heard", "Port", "recognise"]
