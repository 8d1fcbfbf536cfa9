# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is about, settled before anything is looked at. This module is private to the collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import NAME_LIMIT, visible

from .._audit.rule import SEVERITIES
from .._inventory.problem import Problem, shown
from .report_formats import FORMATS
from .scan_plan import DEPTHS

FAIL_ON = (*SEVERITIES, "never")

#: Options of a run with their argument specs; the action, its documentation and the role share them by name.
SETTINGS: dict[str, dict[str, Any]] = {
    "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "medium"},
    "accept_gaps": {"type": "list", "elements": "str", "default": []},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(FORMATS)},
    "expiring_days": {"type": "int", "default": 14},
    "too_broad_ports": {"type": "int", "default": 500},
    "too_broad_days": {"type": "int", "default": 730},
    "verify_bind": {"type": "str", "choices": ["disagreements", "all", "never"], "default": "disagreements"},
    "every": {"type": "int", "default": 0},
    "scan_depth": {"type": "str", "choices": list(DEPTHS), "default": "common"},
    "scan_engine": {"type": "str", "choices": ["auto", "nmap", "connect"], "default": "auto"},
    "scan_versions": {"type": "bool", "default": True},
    "scan_rate": {"type": "int", "default": 2000},
    "scan_target_rate": {"type": "int", "default": 500},
    "scan_retries": {"type": "int", "default": 1},
    "scan_timeout": {"type": "int", "default": 3600},
    "scan_host_timeout": {"type": "int", "default": 0},
}

_WEEK = 7 * 24 * 3600

#: Least and most of each number, and what it counts.
_BOUNDS = {
    "expiring_days": (0, 3650, "days"),
    "too_broad_ports": (1, 65535, "ports"),
    "too_broad_days": (1, 36500, "days"),
    "every": (0, 366 * 24 * 3600, "seconds between runs of this label, 0 when none are due"),
    "scan_rate": (1, 1_000_000, "probes a second of each scanner"),
    "scan_target_rate": (0, 1_000_000, "probes a second to each target, 0 for no limit of its own"),
    "scan_retries": (0, 10, "tries after the first"),
    "scan_timeout": (0, _WEEK, "seconds, 0 for no limit"),
    "scan_host_timeout": (0, _WEEK, "seconds, 0 for no limit"),
}


def settings_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """Every number of the settings that makes no sense."""
    return [
        Problem(name, str(settings[name]), "out of bounds", f"{least} to {most} ({unit})")
        for name, (least, most, unit) in _BOUNDS.items()
        if not least <= settings[name] <= most
    ]


def name_problems(hosts: Sequence[str]) -> list[Problem]:
    """Every host whose name is not what is shown of it.

    Reports would show two such hosts alike, or one as another (``w\u0435b1`` with a Cyrillic letter), and Ansible
    itself prints the names of hosts as they are.
    """
    allowed = f"a name of at most {NAME_LIMIT} characters that print, in one alphabet"
    return [
        Problem("the inventory", shown(name), f"the host name shows as {visible(name, NAME_LIMIT)}", allowed)
        for name in hosts
        if visible(name, NAME_LIMIT) != name
    ]


def settle_date(given: str | None, now: dt.datetime) -> str:
    """The day against which expiry is judged. Raises ValueError for what is no day."""
    if not given:
        return now.date().isoformat()
    return dt.date.fromisoformat(given).isoformat()


def is_what_if(date: str, now: dt.datetime) -> bool:
    """True where the run is judged as of another day than today (UTC): a question, and not the state."""
    return date != now.date().isoformat()


def left_out(scope: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Hosts of the inventory that this run does not look at."""
    return sorted(set(groups.get("all", ())) - set(scope))


def is_serial(batch: Sequence[str], everyone: Sequence[str]) -> bool:
    """True when the play runs in batches: each batch would be a run of its own, and call the others not assessed."""
    return set(batch) < set(everyone)


def clock_set_back(run_id: str, later: str) -> str:
    """What to say where ``later`` was complete before this run was opened, and sorts after it."""
    return f"the clock was set back: run {run_id} follows run {later}, and does not sort after it by name"


def goes_together(strategy: str) -> bool:
    """False for strategies that run a task once for each host: each host would open a run of its own."""
    return strategy.rsplit(".", 1)[-1] not in ("free", "host_pinned")
