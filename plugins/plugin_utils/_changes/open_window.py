# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the run before a change to its open window. This module is private to the collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._evidence.atomic import sha256_of
from .._evidence.records.host import HOSTS, HostEvidence
from .._evidence.results_file import read_results
from .._evidence.run_directory import RunDirectory
from .._inventory.declared import Inventory
from .._inventory.loader import load_inventory
from .plan import Planned, carried_ids, nearest_first, plan_between, plan_of
from .window import WindowError, counted

Json = dict[str, Any]
Plan = dict[str, list[Planned] | None]

#: Where a plan comes from: declarations with the id of the change, a revision of the inventory, or intent.
BY_ID, BY_REVISION, NOTHING = "change id", "revision", "nothing"

_MOST_IDS = 20


def declared_inventories(run: RunDirectory) -> dict[str, Inventory | None]:
    """What each host of a run declares, from its evidence; None where that is not known or not valid."""
    return {host: _inventory(run.read(HOSTS, host)) for host in run.read_run()["hosts"]}


def _inventory(evidence: HostEvidence | None) -> Inventory | None:
    if evidence is None or evidence.inventory_errors:
        return None
    inventory, problems = load_inventory(evidence.inventory)
    return None if problems else inventory


def plan_by_id(hosts: Mapping[str, Inventory | None], change: str, *, nothing: bool) -> Plan:
    """The plan of each host from what carries the id. Raises WindowError for a plan that plans nothing.

    With ``nothing`` the change is to change no port, and a declaration that carries its id contradicts that.
    """
    plan: Plan = {host: None if known is None else plan_of(known, change) for host, known in hosts.items()}
    planned = [f"{host}: {item.place}" for host, items in plan.items() for item in items or ()]
    if nothing and planned:
        raise WindowError(
            f"change_nothing=true says that change {change} changes no port, and {planned[0]} carries its id"
            f"{f' (and {len(planned) - 1} more)' if len(planned) > 1 else ''}: leave out change_nothing"
        )
    if not nothing and not planned:
        ids = nearest_first(carried_ids(filter(None, hosts.values())), change)
        carried = f"they carry: {', '.join(ids[:_MOST_IDS])}" if ids else "they carry none at all"
        more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
        raise WindowError(
            f"no declaration or exception of the {counted(hosts)} carries the change id {change}; {carried}{more}."
            " Declare what the change opens, or say that it changes no port with -e change_nothing=true"
        )
    return plan


def plan_by_revision(
    hosts: Mapping[str, Inventory | None], earlier: Mapping[str, Inventory | None], revision: str
) -> Plan:
    """The plan of each host from what is declared otherwise than at a revision. Raises WindowError when nothing is."""
    plan: Plan = {}
    for host, known in hosts.items():
        was = earlier.get(host)
        plan[host] = None if known is None or was is None else plan_between(was, known)
    if not any(plan.values()):
        raise WindowError(
            f"the ports that are declared on the {counted(hosts)} are those of revision {revision}: the"
            " change plans nothing. Give an earlier one, or say that it changes no port with -e change_nothing=true"
        )
    return plan


def new_window(
    change: str, run: RunDirectory, plan: Plan, source: str, revision: str | None, by: Json, now: dt.datetime
) -> Json:
    """What ``window.json`` says. ``run`` is the sealed run before the change."""
    return {
        "change": change,
        "opened": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "by": {"host": by["host"], "user": by["user"]},
        "hosts": sorted(plan),
        "before": {"run_id": run.run_id, "manifest_sha256": sha256_of(run.manifest)},
        "source": source,
        "revision": revision,
        "plan": {host: None if items is None else [item.as_dict() for item in items] for host, items in plan.items()},
    }


def not_assessed(run: RunDirectory) -> Sequence[str]:
    """Hosts that were not looked at in full, of which the closing will say so. Of gaps accepted by name not."""
    found = read_results(run.results).notable
    open_gaps = [row for row in found if row["status"] == "not_assessed" and not row["accepted"]]
    return sorted({row["host"] for row in open_gaps if row["host"]})


def opening_lines(window: Json, unknown: Sequence[str], *, is_check: bool) -> Iterator[str]:
    """What the operator reads when a window opens. To be encoded for a terminal."""
    planned = [Planned.read(row) for items in window["plan"].values() for row in items or ()]
    counts = {action: sum(item.action == action for item in planned) for action in ("open", "close")}
    yield (
        f"Change {window['change']} {'would be' if is_check else 'is'} open on {counted(window['hosts'])}:"
        f" {counts['open']} to be opened, {counts['close']} to be closed"
        f"{', no port is to change' if window['source'] == NOTHING else ''}"
    )
    for host, items in window["plan"].items():
        for row in items or ():
            item = Planned.read(row)
            may = "" if item.required else " (need not)"
            yield f"  {item.action:<6} {host}: {item.name}{may}, {item.place}"
    if unknown:
        shown = ", ".join(unknown[:10]) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else "")
        yield f"  not assessed now, and so not known when the window is closed: {shown}"
    yield f"  state before: run {window['before']['run_id']}"
