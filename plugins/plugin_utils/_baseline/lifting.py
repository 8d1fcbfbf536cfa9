# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What many hosts of a group share, as declarations of the group. Pure. This module is private to the collection."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .._inventory.placeholder import PROPOSED, layer_of_group

Entry = Mapping[str, Any]


def lifted(
    proposals: Mapping[str, Iterable[Entry]], groups: Mapping[str, Collection[str]], share: int = 100
) -> tuple[dict[str, list[Entry]], dict[str, list[Entry]]]:
    """The entries of groups, and those that stay with their hosts.

    ``proposals`` are the entries of each host, ``groups`` all hosts of each group of the inventory, also
    those that were not looked at. An entry goes to the group that covers most of the hosts that have it;
    of groups that cover the same, to the smallest. ``share`` is how many percent of a group's hosts must
    have it; what not all of them have is not required.
    """
    known = {name: frozenset(members) for name, members in groups.items() if name != "ungrouped" and len(members) > 1}
    entries: dict[str, Entry] = {}
    holders: dict[str, set[str]] = {}
    for host, some in proposals.items():
        for entry in some:
            key = json.dumps(entry, sort_keys=True)
            entries[key] = entry
            holders.setdefault(key, set()).add(host)
    of_groups: dict[str, list[Entry]] = {}
    of_hosts: dict[str, list[Entry]] = {host: [] for host in proposals}
    for key, entry in entries.items():
        left = set(holders[key])
        while (group := _best(left, holders[key], known, share)) is not None:
            whole = known[group] <= holders[key]
            of_groups.setdefault(group, []).append(entry if whole else _not_required(entry))
            left -= known[group]
        for host in left:
            of_hosts[host].append(entry)
    return of_groups, of_hosts


def _best(
    left: Collection[str], holders: Collection[str], groups: Mapping[str, frozenset[str]], share: int
) -> str | None:
    """The group to take for the hosts that are left; None when none is good enough."""
    fitting = [
        (-len(members.intersection(left)), len(members), name == "all", name)
        for name, members in groups.items()
        if len(members.intersection(left)) > 1 and 100 * len(members.intersection(holders)) >= share * len(members)
    ]
    return min(fitting)[-1] if fitting else None


def _not_required(entry: Entry) -> dict[str, Any]:
    """Of a group of which not every host has it: the others lack nothing."""
    changed: dict[str, Any] = {}
    for key, value in entry.items():
        if key == "justification":
            changed["required"] = False
        changed[key] = value
    return changed


def layers(
    of_groups: Mapping[str, list[Entry]], of_hosts: Mapping[str, list[Entry]]
) -> list[tuple[str, str, str, list[Entry]]]:
    """Each layer that has entries: ``group`` or ``host``, its name, the variable, the entries."""
    found = [("group", name, layer_of_group(name), some) for name, some in sorted(of_groups.items()) if some]
    return found + [("host", name, PROPOSED, some) for name, some in sorted(of_hosts.items()) if some]
