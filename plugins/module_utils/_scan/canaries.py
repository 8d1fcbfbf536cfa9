# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that nobody uses, asked to find out whether something answers for ports that nobody serves.

Tarpits, SYN proxies and DDoS shields complete a handshake on every port: their "open" says nothing.

This module is private to the collection.
"""

from __future__ import annotations

import random

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import OPEN, Seen
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import HIGHEST, PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.top_ports import COMMON

#: One canary may be a port that somebody uses after all; two of them and half of all are not.
FEWEST = 2
MOST = 64

_FEWEST_LEFT = 10_000
_UNRESERVED = PortSet(((1024, HIGHEST),))
_BY_CHANCE = random.SystemRandom()


def choose_canaries(count: int, asked: PortSet, used: PortSet, chance: random.Random = _BY_CHANCE) -> PortSet:
    """``count`` TCP ports by chance, none of them usual or in ``used``, and not ``asked`` where others are left.

    ``used`` is what hosts say: where they leave too few, it is not believed, as one host would blind the scan of all.
    New ones each time: a shield that learnt the last ones would be found all the same.
    """
    unused = _UNRESERVED - used - COMMON
    if len(unused) < _FEWEST_LEFT:
        unused = _UNRESERVED - COMMON
    free = list(unused - asked)
    if len(free) < count:
        free = list(unused)
    return PortSet.of(chance.sample(free, min(count, len(free))))


def distrust(seen: Seen, canaries: PortSet) -> str | None:
    """Why the answers of an address say nothing, as a sentence; None where they do."""
    answered = PortSet()
    for row in seen.rows:
        if row.protocol == "tcp" and row.state == OPEN:
            answered |= row.ports & canaries
    if len(answered) < FEWEST or 2 * len(answered) < len(canaries):
        return None
    return (
        f"{len(answered)} of {len(canaries)} ports that nobody uses answered open ({answered}): a tarpit, a SYN proxy "
        "or a DDoS shield answers here, so an open port says nothing about the host"
    )
