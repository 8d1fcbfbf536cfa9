# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is about, settled before anything is looked at. This module is private to the collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from .._audit.catalogue import SEVERITIES
from .scan_plan import DEPTHS

FAIL_ON = (*SEVERITIES, "never")

#: Options of a run with their argument specs; the action, its documentation and the role share them by name.
SETTINGS: dict[str, dict[str, Any]] = {
    "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "medium"},
    "accept_gaps": {"type": "list", "elements": "str", "default": []},
    "expiring_days": {"type": "int", "default": 14},
    "scan_depth": {"type": "str", "choices": list(DEPTHS), "default": "common"},
}


def settle_date(given: str | None, now: dt.datetime) -> str:
    """The day against which expiry is judged. Raises ValueError for what is no day."""
    if not given:
        return now.date().isoformat()
    return dt.date.fromisoformat(given).isoformat()


def left_out(scope: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Hosts of the inventory that this run does not look at."""
    return sorted(set(groups.get("all", ())) - set(scope))


def is_serial(batch: Sequence[str], everyone: Sequence[str]) -> bool:
    """True when the play runs in batches: each batch would be a run of its own, and call the others not assessed."""
    return set(batch) < set(everyone)
