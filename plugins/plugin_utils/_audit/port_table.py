# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declared, listening and reachable side by side: one row for each port. Private to the collection."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from .._evidence.observed import Listener, ScannedTarget
from .._inventory.declared import Declaration
from .._inventory.port_range import is_by_owner, is_ephemeral, place_in_order, span_of
from .finding import Finding, Port
from .host_view import HostView, covers
from .owner_match import ephemeral_subject, raw_subject
from .reach import Wrong, cells, is_known, judged
from .rules import not_assessed, wrong_service
from .rules.undeclared_listener import ephemeral_text
from .who import meanwhile, who

_Key = tuple[str, str, Port]  # namespace, protocol, port or range


def port_table(view: HostView, findings: Iterable[Finding], vantages: Iterable[str]) -> list[dict[str, Any]]:
    """Rows in the order of namespace, protocol and port. ``vantages`` are those of the run.

    A row holds ``declared`` (list of texts), ``reachable_from`` (vantage points that are declared, or
    ``any``), ``listening`` (list of texts; None: not known), ``reachable`` (cells by vantage point, see ``reach``) and
    ``verdicts`` (the rules that did not pass, with their status; "not-assessed" where nobody can tell).
    """
    rows: dict[_Key, dict[str, Any]] = {}
    for declaration in view.inventory.declarations:
        row = _row(rows, view, (declaration.namespace, declaration.protocol, declaration.port.subject))
        row["declared"].append(_declared(declaration))
        reach = ["any"] if declaration.reachable_from is None else declaration.reachable_from
        row["reachable_from"] = sorted({*row["reachable_from"], *reach})
    for proposal in view.inventory.proposals:
        row = _row(rows, view, (proposal.namespace, proposal.protocol, proposal.port.subject))
        row["declared"].append(f"proposed only; {_declared(proposal)}")
    ephemeral: dict[_Key, list[Listener]] = {}
    for listener in view.listeners or ():
        key = _key_of_listener(view, listener)
        row = _row(rows, view, key)
        if is_ephemeral(key[2]):
            ephemeral.setdefault(key, []).append(listener)
            continue
        number = f"port {listener.port} " if is_by_owner(row["port"]) else ""
        text = f"{listener.where} {number}{who(listener)}{meanwhile(listener)}"
        if text not in row["listening"]:
            row["listening"].append(text)
    for key, listeners in ephemeral.items():
        rows[key]["listening"].append(f"{who(listeners[0])}: {ephemeral_text(listeners)}")
    for target in view.targets:
        for endpoint in target.endpoints:
            if endpoint.state == "open":
                _row(rows, view, _key_of_port(view, "host", endpoint.protocol, endpoint.port))
    _add_reach(rows, view, vantages)
    _add_raw_sockets(rows, view)
    _add_verdicts(rows, view, findings)
    _add_unknown(rows, view)
    _add_unidentified(rows, view, findings)
    return [
        rows[key]
        for key in sorted(rows, key=lambda key: (key[0] != "host", key[0], key[1], _first(key[2]), str(key[2])))
    ]


def _row(rows: dict[_Key, dict[str, Any]], view: HostView, key: _Key) -> dict[str, Any]:
    namespace, protocol, port = key
    if key not in rows:
        listening: list[str] | None = None if view.listeners is None else []
        rows[key] = {
            "namespace": namespace,
            "protocol": protocol,
            "port": port,
            "declared": [],
            "reachable_from": [],
            "listening": listening,
            "reachable": {},
            "verdicts": [],
        }
    return rows[key]


@functools.lru_cache(maxsize=8192)
def _declared(declaration: Declaration) -> str:
    reach = "any" if declaration.reachable_from is None else ", ".join(sorted(declaration.reachable_from))
    parts = (
        declaration.service,
        f"at {declaration.address}" if declaration.address.networks is not None else None,
        f"reachable from {reach}" if reach else "not reachable",
        f"owner {declaration.owner}",
    )
    return "; ".join(filter(None, parts))


def _key_of_listener(view: HostView, listener: Listener) -> _Key:
    for entry in view.inventory.dynamic:
        if any(one is listener for one in view.listeners_of(entry)):
            return (entry.namespace, entry.protocol, entry.port.subject)
    for entries_for in (view.declarations_for, view.inventory.proposals_for):
        for entry in entries_for(listener.protocol, listener.port, listener.namespace):
            is_of_another = id(entry) in view.inventory.rivals and all(
                listener is not one for one in view.listeners_of(entry)
            )
            if covers(entry, listener, view.own_addresses) and not is_of_another:
                return (entry.namespace, entry.protocol, entry.port.subject)
    if listener.ephemeral:
        return (listener.namespace, listener.protocol, ephemeral_subject(listener))
    return _key_of_port(view, listener.namespace, listener.protocol, listener.port)


def _key_of_port(view: HostView, namespace: str, protocol: str, port: int) -> _Key:
    near = view.declarations_for(protocol, port, namespace)
    declared = near or view.inventory.proposals_for(protocol, port, namespace)
    return (namespace, protocol, declared[0].port.subject if declared else port)


def _ports(view: HostView, protocol: str, port: Port) -> list[int]:
    """The ports of a row that say something: the one port, of a range those that listen or are open, of a dynamic
    one those of its listeners."""
    if port is None or isinstance(port, int):
        return [] if port is None else [port]
    if is_ephemeral(port):
        return sorted({one.port for one in view.ephemeral.get(("host", protocol, str(port)), ())})
    if is_by_owner(port):
        own = [one for one in view.inventory.dynamic if (one.protocol, one.port.subject) == (protocol, port)]
        return sorted({listener.port for one in own for listener in view.listeners_of(one)})
    first, last = span_of(port)
    listening = {one.port for one in view.listeners or () if one.protocol == protocol}
    opened = {one.port for target in view.targets for one in target.endpoints if one.protocol == protocol}
    return sorted(number for number in listening | opened if first <= number <= last)


def _add_reach(rows: Mapping[_Key, dict[str, Any]], view: HostView, vantages: Iterable[str]) -> None:
    by_vantage: dict[str, list[ScannedTarget]] = {vantage: [] for vantage in vantages}
    for target in sorted(view.targets, key=lambda target: (target.vantage, target.address)):
        by_vantage.setdefault(target.vantage, []).append(target)
    for (namespace, protocol, port), row in rows.items():
        if namespace == "host":
            ports = _ports(view, protocol, port)
            row["reachable"] = cells(protocol, ports, by_vantage, inside_only=view.depth == "none")


def _add_raw_sockets(rows: dict[_Key, dict[str, Any]], view: HostView) -> None:
    """Rows for those who take packets without a port. No vantage point sees them."""
    for one in view.raw_sockets or ():
        if one.receives:
            row = _row(rows, view, (one.namespace, one.kind, raw_subject(one)))
            text = f"{who(one)}: {one.takes}{f' on {one.where}' if one.where else ''}"
            if text not in row["listening"]:
                row["listening"].append(text)
            owners = [f"owner {entry.owner}" for entry in view.declared_by(one)]
            row["declared"].extend(owner for owner in owners if owner not in row["declared"])


def _add_verdicts(rows: Mapping[_Key, dict[str, Any]], view: HostView, findings: Iterable[Finding]) -> None:
    wrong: dict[_Key, Wrong] = {}
    for finding in findings:
        if finding.status == "pass" or finding.port is None or finding.protocol is None:
            continue
        key: _Key = (finding.namespace or "host", finding.protocol, finding.port)
        if key not in rows and isinstance(finding.port, int):
            key = _key_of_port(view, key[0], finding.protocol, finding.port)
        verdict = {"rule": finding.rule, "status": finding.status}
        if key in rows and verdict not in rows[key]["verdicts"]:
            rows[key]["verdicts"].append(verdict)
        if finding.status == "fail" and finding.vantage is not None:
            wrong.setdefault(key, set()).add((finding.vantage, finding.address))
    for key in wrong.keys() & rows.keys():
        judged(rows[key]["reachable"], wrong[key])


def _add_unknown(rows: Mapping[_Key, dict[str, Any]], view: HostView) -> None:
    """A row of which nobody can tell whether it is as declared says so."""
    for (_namespace, protocol, _port), row in rows.items():
        if row["listening"] is None or protocol in view.unlisted or not is_known(row["reachable"]):
            row["verdicts"].append({"rule": not_assessed.RULE.id, "status": "not_assessed"})


def _add_unidentified(rows: Mapping[_Key, dict[str, Any]], view: HostView, findings: Iterable[Finding]) -> None:
    """A declared service that is open, and that nothing identified, is not as declared: nobody knows."""
    told = {(one.protocol, one.declared_port) for one in findings if one.rule == wrong_service.RULE.id}
    for declaration in view.inventory.declarations:
        key = (declaration.namespace, declaration.protocol, declaration.port.subject)
        if declaration.service is None or key[1:] in told or declaration.namespace != "host":
            continue
        if any("open" in cell["states"] for some in rows[key]["reachable"].values() for cell in some):
            rows[key]["verdicts"].append({"rule": wrong_service.RULE.id, "status": "not_assessed"})


def _first(port: Port) -> int:
    return 0 if port is None else place_in_order(port)
