# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is one part of a whole: what it may leave out, and what it says of itself. Pure.

A part is opened like any run, and its evidence is sealed. It has no verdict: the merge of all parts has one. This
module is private to the collection.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._evidence.atomic import json_bytes
from .._inventory.plain import Plain
from .._inventory.problem import Problem, shown
from .._plan.vantage_points import vantage_problems

#: Names of campaigns: they are names of directories and archives as well.
CAMPAIGN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

#: Below a report directory. No run lies there, so that nothing takes a part for a run.
PARTS = "parts"

#: Made by Ansible: in it are hosts of which a slice shows no group.
_MADE_GROUPS = frozenset(("ungrouped",))


def campaign_problems(name: str, value: str) -> list[Problem]:
    """What is wrong with the name of a campaign."""
    if CAMPAIGN.fullmatch(value):
        return []
    allowed = "up to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or a digit"
    return [Problem(name, shown(value), "is no name of a campaign", allowed)]


def part_problems(
    part: str, inside: bool, scanned: Sequence[str], vantages: Plain, known_hosts: Collection[str], depth: str
) -> list[Problem]:
    """Everything that is wrong in what is asked of a part. Only scanners of the vantage points that it scans from have
    to be in its inventory."""
    problems = [*campaign_problems("part", part), *vantage_problems(vantages, known_hosts, "none")]
    if problems or not isinstance(vantages, list):
        return problems
    rows: Any = vantages
    names = [one["name"] for one in rows]
    for index, name in enumerate(scanned):
        if name not in names:
            place, allowed = f"part_vantages[{index}]", f"a vantage point of vigil_vantages: {', '.join(names)}"
            problems.append(Problem(place, shown(name), "is no vantage point", allowed))
    if not inside and not (scanned and depth != "none"):
        message = "the part would look at nothing: it neither lists hosts nor scans"
        problems.append(Problem("part_inside", "false", message, "true, or part_vantages with a scan_depth"))
    to_scan: Any = _scanned(rows, scanned)
    return [*problems, *vantage_problems(to_scan, known_hosts, depth)] if to_scan else problems


def scanned_vantages(part: Mapping[str, Any] | None, vantages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The vantage points that a run scans from: all, or of a part those that it names."""
    return list(vantages) if part is None else _scanned(vantages, part["vantages"])


def _scanned(vantages: Sequence[Mapping[str, Any]], names: Collection[str]) -> list[Mapping[str, Any]]:
    return [one for one in vantages if one["name"] in names]


class InventoryNames:
    """The groups of an inventory and their hosts, by name."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self.hosts = frozenset(groups.get("all", ()))
        self._groups_of: dict[str, list[str]] = {}
        for group in sorted(set(groups) - _MADE_GROUPS):
            for host in set(groups[group]):
                self._groups_of.setdefault(host, []).append(group)

    def digest(self, hosts: Iterable[str] | None = None) -> str:
        """SHA-256 of the hosts, each with its groups: of all, or of as much of the inventory as a slice with these
        hosts shows. So a merge can compute what each part has seen, however little that was."""
        names = self.hosts if hosts is None else self.hosts.intersection(hosts)
        return hashlib.sha256(json_bytes({host: self._groups_of.get(host, []) for host in names})).hexdigest()


def part_of(arguments: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> dict[str, Any] | None:
    """What ``evidence/run.json`` says of a part; None for a run that is whole."""
    if not arguments["part"]:
        return None
    return {
        "campaign": arguments["part"],
        "inside": arguments["part_inside"],
        "vantages": sorted(arguments["part_vantages"]),
        "inventory": InventoryNames(groups).digest(),
    }


def no_verdict(part: Mapping[str, Any]) -> str:
    """What a part says in place of a verdict. It holds no text from outside: the campaign's name is checked."""
    return f"Part of campaign {part['campaign']}: it has no verdict of its own; vigil.ports.merge judges it."
