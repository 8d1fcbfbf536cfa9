# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All sources of evidence, in the order in which they are read. This module is private to the collection.

What a host declares is kept beside its listing. What history remembered (``evidence/history.json``) is read by lines,
host by host, and is no leg: it changes how findings are told, and never whether there are any.
"""

from __future__ import annotations

from typing import Any

from ..leg import Leg
from . import listening, reachable, relisted

LEGS: tuple[Leg[Any], ...] = (
    listening.LEG,
    relisted.LEG,
    reachable.LEG,
)

#: Those of which each host has a file of its own.
OF_HOSTS = tuple(leg for leg in LEGS if leg.is_of_hosts)
