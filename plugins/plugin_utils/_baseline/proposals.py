# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each host's evidence proposes to declare. Pure. This module is private to the collection.

Proposed is what listens and is neither declared, proposed nor excepted. What is left out is said, and why.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._audit.as_seen import is_hidden, proposed_entry
from .._audit.host_view import HostView
from .._audit.reconcile import Audit, evidence_of
from .._audit.rules import hidden_listener, open_without_listener, undeclared_exposure, undeclared_listener
from .._audit.seen_from_outside import SeenFromOutside
from .._audit.services import service_to_declare
from .._audit.view_of_host import view_of_host
from .._evidence.codec import changed
from .._evidence.observed import Listener
from .._evidence.records.host import HostEvidence, RelistedEvidence
from .._evidence.records.reachable import ScanEvidence
from .._inventory.loader import load_inventory
from .._inventory.plain import plain

Entry = Mapping[str, Any]
_Key = tuple[str, str, int]  # namespace, protocol, port

#: What nothing that is listed explains. A proposal would make it look like any other port.
_UNEXPLAINED = frozenset((open_without_listener.RULE.id, hidden_listener.RULE.id))

#: So many consecutive ports that are alike become a range.
_LEAST_RANGE = 3


@dataclasses.dataclass(frozen=True, slots=True)
class HostProposal:
    """What is proposed for one host, an entry for each port, and what was left out or not seen, in words."""

    host: str
    entries: tuple[Entry, ...]
    left_out: tuple[str, ...]


def host_proposals(
    run: Mapping[str, Any],
    hosts: Iterable[tuple[str, HostEvidence | None, RelistedEvidence | None]],
    scans: Sequence[ScanEvidence],
    variables: Mapping[str, Mapping[str, Any]],
    owner: str | None = None,
    before: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> Iterator[HostProposal]:
    """The proposals for each host of a run; ``hosts`` are names with the evidence and the second listing, if any.

    ``before`` is what history believed of each host, ``variables`` are the inventory's variables as they are now, by
    host: what was declared or proposed since the run is not proposed again. ``owner`` is who answers for all of it,
    when that is known.
    """
    audit, outside = Audit(run, scans), SeenFromOutside(run, scans)
    for host, evidence, relisted in hosts:
        if evidence is None or evidence.listening is None:
            why = "there is no evidence of it" if evidence is None else evidence.message or evidence.status
            yield HostProposal(host, (), (f"not assessed, so nothing is proposed: {why}",))
            continue
        written: Any = plain(variables.get(host, {}))  # a YAML file gives types of its own
        now = changed(evidence, inventory={**evidence.inventory, **written})
        inventory, problems = load_inventory(now.inventory)
        if problems or evidence.inventory_errors:
            why = str(problems[0]) if problems else evidence.inventory_errors[0].message
            yield HostProposal(host, (), (f"its declared inventory is not valid, so nothing is proposed: {why}",))
            continue
        found = evidence_of(now, relisted)
        _row, findings = audit.of_host(host, found)
        view = view_of_host(run, host, found, outside, inventory, (before or {}).get(host))
        yield _of_host(view, findings, owner)


def _of_host(view: HostView, findings: Sequence[Mapping[str, Any]], owner: str | None) -> HostProposal:
    said = [
        f"seen in part only: {row['message']}"
        for row in findings
        if row["status"] == "not_assessed" and row["rule"] not in _UNEXPLAINED
    ]
    entries = []
    for (namespace, protocol, port), listeners in sorted(_undeclared(view, findings, said).items()):
        entry = proposed_entry(
            protocol,
            port,
            namespace,
            listeners,
            service=_service(view, protocol, port) if namespace == "host" else None,
            reachable_from=_open_from(view, protocol, port) if namespace == "host" else (),
            owner=owner,
        )
        said.extend(name_left_out(listeners, entry))
        entries.append(entry)
    return HostProposal(view.host, tuple(entries), tuple(dict.fromkeys(said)))


def name_left_out(listeners: Sequence[Listener], entry: Entry) -> Iterator[str]:
    """Says it where the entry names no process, because the name of the one that listens may not be pasted."""
    if is_hidden(listeners, entry):
        one = listeners[0]
        yield f"{one.protocol}/{one.port}: the name of its process may not be pasted, and was left out"


def _undeclared(view: HostView, findings: Sequence[Mapping[str, Any]], said: list[str]) -> dict[_Key, list[Listener]]:
    """The listeners to propose, by port; what is left out goes into ``said``."""
    excepted = {
        (row["namespace"] or "host", row["protocol"], row["port"], row["address"])
        for row in findings
        if row["rule"] == undeclared_listener.RULE.id and row["status"] == "excepted"
    }
    found: dict[_Key, list[Listener]] = {}
    for one in view.listeners or ():
        subject = f"{one.protocol}/{one.port} at {one.where}"
        if view.is_declared(one) or view.is_proposed(one):
            continue
        if (one.namespace, one.protocol, one.port, one.where) in excepted:
            said.append(f"{subject} is excepted, and was left out")
        elif one.ephemeral:
            said.append(f"{subject} looks ephemeral, and was left out")
        else:
            found.setdefault((one.namespace, one.protocol, one.port), []).append(one)
    for row in findings:
        if row["status"] == "pass" or not isinstance(row["port"], int):
            continue
        key = ("host", row["protocol"], row["port"])
        if row["rule"] in _UNEXPLAINED:
            said.append(f"{row['message']}: find out why before anything is declared")
        elif row["rule"] == undeclared_exposure.RULE.id and row["status"] == "fail" and key not in found:
            near = [one for one in view.listeners_on(row["protocol"], row["port"]) if one.namespace == "host"]
            if any(view.is_proposed(one) for one in near):  # open from more places than it was when it was proposed
                found[key] = near
    return found


def _open_from(view: HostView, protocol: str, port: int) -> list[str]:
    return sorted(
        {
            target.vantage
            for target in view.targets
            for one in target.endpoints
            if (one.protocol, one.port, one.state) == (protocol, port, "open")
        }
    )


def _service(view: HostView, protocol: str, port: int) -> str | None:
    names = {
        service_to_declare(one.service)
        for target in view.targets
        for one in target.endpoints
        if (one.protocol, one.port) == (protocol, port)
    } - {None}
    return names.pop() if len(names) == 1 else None


def folded(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The entries in the order of their ports; consecutive ports that are alike in all else as one range.

    Of a required range one port has to listen: that is less than each of them, and said in the docs.
    """
    ordered = sorted(entries, key=lambda one: (one.get("namespace", ""), one.get("protocol", "tcp"), one["port"]))
    result: list[dict[str, Any]] = []
    rest = [{key: value for key, value in one.items() if key != "port"} for one in ordered]
    numbered = [(one["port"] - place, one, rest[place]) for place, one in enumerate(ordered)]
    for _same, group in itertools.groupby(numbered, key=lambda item: (item[0], item[2])):
        alike = [one for _offset, one, _rest in group]
        if len(alike) >= _LEAST_RANGE:
            result.append({**alike[0], "port": f"{alike[0]['port']}-{alike[-1]['port']}"})
        else:
            result.extend(map(dict, alike))
    return result
