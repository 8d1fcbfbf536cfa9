# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who stands where: the vantage points of a run, checked before anything is scanned. Private to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._inventory.plain import Plain
from .._inventory.problem import Problem, shown
from .._inventory.schema import schema_problems

#: The control node needs no entry in an inventory: Ansible knows it under this name.
CONTROL_NODE = "localhost"


def vantage_problems(vantages: Plain, known_hosts: Collection[str], depth: str = "full") -> list[Problem]:
    """Every error in ``vigil_vantages``: its shape, names that stand twice, scanners nobody knows.

    With the depth ``none`` nobody is sent out, and scanners may be missing: a part of an inventory is looked at.
    """
    problems = schema_problems({"vigil_vantages": vantages})
    if problems or not isinstance(vantages, list):
        return problems
    rows: list[Any] = vantages
    return list(_contradictions(rows, None if depth == "none" else known_hosts))


def absent_scanners(vantages: Iterable[Mapping[str, Any]], known_hosts: Collection[str]) -> list[str]:
    """Scanners that the inventory does not have."""
    return sorted({name for one in vantages for name in one["scanners"]} - {*known_hosts, CONTROL_NODE})


def _contradictions(vantages: list[Mapping[str, Any]], known_hosts: Collection[str] | None) -> Iterator[Problem]:
    if not vantages:
        yield Problem("vigil_vantages", "[]", "there is no vantage point", "at least one with a name and its scanners")
    places: dict[str, str] = {}
    for index, vantage in enumerate(vantages):
        place = f"vigil_vantages[{index}]"
        if vantage["name"] in places:
            earlier = places[vantage["name"]]
            yield Problem(
                f"{place}.name", shown(vantage["name"]), f"the name is taken at {earlier}", "a name of its own"
            )
        places.setdefault(vantage["name"], place)
        for number, scanner in enumerate(vantage["scanners"]):
            if known_hosts is not None and scanner not in known_hosts and scanner != CONTROL_NODE:
                where = f"{place}.scanners[{number}]"
                yield Problem(
                    where, shown(scanner), "the scanner is not in the inventory", "an inventory host, or localhost"
                )


def shares(vantages: list[Mapping[str, Any]], depth: str) -> list[dict[str, Any]]:
    """One row for each scanner of each vantage point: scanners of one place divide the targets among them.

    With the depth ``none`` nobody has a share.
    """
    if depth == "none":
        return []
    return [
        {"vantage": vantage["name"], "scanner": scanner, "index": index, "of": len(vantage["scanners"])}
        for vantage in vantages
        for index, scanner in enumerate(vantage["scanners"])
    ]


def scanner_addresses(
    vantages: Iterable[Mapping[str, Any]], places: Mapping[str, Mapping[str, Any]], own: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """For each scanner the addresses by which it is reached, the control node's ``own``, and whether it is that.

    ``places`` holds ``ansible_host`` and ``ansible_connection`` of the scanners for which they are known.
    """
    found = {}
    for scanner in sorted({name for vantage in vantages for name in vantage["scanners"]}):
        place = places.get(scanner, {})
        host = place.get("ansible_host")
        is_control = place.get("ansible_connection") == "local" or {scanner, host or scanner} == {CONTROL_NODE}
        found[scanner] = {
            "addresses": list(own) if is_control else [str(host or scanner)],
            "is_control": is_control,
        }
    return found
