# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a limited or shallow run left out, in words for whatever is made of it.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

_MOST_NAMES = 5

#: How deep a scan goes -> what it leaves out.
_SHALLOW: Mapping[str, str] = {
    "none": "from outside nothing was asked (vantage points: {vantages})",
    "known": "from outside only known ports were asked, so another port that is open there was not seen",
}


def left_out_of(run: Mapping[str, Any]) -> Iterator[str]:
    """Hosts, ports and vantage points that a run did not look at; ``run`` is what ``evidence/run.json`` holds."""
    if run["left_out"]:
        limit = f" (limit {visible(run['limit'], 60)})" if run["limit"] else ""
        number = len(run["left_out"])
        hosts = f"{number} host{'' if number == 1 else 's'} of the inventory"
        yield f"left out of the run{limit}: {hosts}: {_names(run['left_out'])}"
    shallow = _SHALLOW.get(run["settings"]["scan_depth"])
    if shallow:
        yield shallow.format(vantages=_names([vantage["name"] for vantage in run["vantages"]]))
    if run.get("absent_scanners"):
        yield f"scanners that the inventory does not have looked at nothing: {_names(run['absent_scanners'])}"


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(visible(name, 60) for name in names[:_MOST_NAMES]) + more
