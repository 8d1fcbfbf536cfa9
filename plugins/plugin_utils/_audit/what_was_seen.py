# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run saw of a host, in short: the part of the results that can be compared from run to run.

Nothing in it changes by itself (pids, times, messages), and it says what was known, so that a port which
nobody asked for is never called closed. This module is private to the collection.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import NO_PORTS, PortSet

from .._evidence.observed import Listener, Owner, PortSpans, ScannedTarget, StateRow, spans_of
from .._evidence.records.host import HostEvidence
from .._evidence.records.listening import ListingCoverage
from .gaps import FIRST_OPEN, LISTING_MAY_LACK
from .host_view import HostView
from .owner_match import behind, first_of_families
from .spoken_for import is_approved

Json = dict[str, Any]

#: States of which the next run's answer can be told apart. ``open|filtered`` is no answer at all.
_TELLING = frozenset(("open", "closed", "filtered"))


class KnownPorts:
    """The texts of the ports that were known, each kept once: most hosts are asked the same ones."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._keys: dict[str, str] = {}

    def key(self, text: str) -> str:
        """The short name by which a host refers to the text."""
        if text not in self._keys:
            self._keys[text] = hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
            self.texts[self._keys[text]] = text
        return self._keys[text]


def what_was_seen(
    view: HostView, evidence: HostEvidence, digest: str, ports: KnownPorts, *, declarations: bool = True
) -> Json:
    """The host as ``seen`` of the results. ``digest`` is that of what it declares; ``declarations`` is False where that
    is not valid: then nothing was judged."""
    listening = evidence.listening
    seen: list[Json] = []
    seen.extend(_inside(view, listener, declarations) for listener in view.listeners or ())
    for target in view.targets:
        seen.extend(_outside(view, target, declarations))
    return {
        "judged": declarations,
        "declarations": digest,
        "inside": None if listening is None else _listed(listening.coverage, view.unlisted),
        "outside": [
            {"vantage": target.vantage, "address": target.address, "known": _known(target, ports)}
            for target in view.targets
        ],
        "endpoints": _one_for_each_place(seen),
    }


def declared_digest(variables: Mapping[str, Any]) -> str:
    """A digest of what a host declares."""
    text = json.dumps(variables, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def _listed(coverage: ListingCoverage, unlisted: Iterable[str]) -> Json:
    namespaces = coverage.namespaces
    return {
        "whole": not any(problem.code in LISTING_MAY_LACK for problem in coverage.problems),
        "unlisted": sorted(unlisted),
        "namespaces": namespaces.asked,
        "missed": sorted(one.namespace for one in namespaces.missed),
    }


def _inside(view: HostView, listener: Listener, declarations: bool) -> Json:
    known = listener.owners_state == "known"
    owners = _owners(listener)
    packages = {f"{owner.package.name} {owner.package.version or ''}".strip() for owner in owners if owner.package}
    return {
        "vantage": None,
        "namespace": listener.namespace,
        "protocol": listener.protocol,
        "address": listener.where,
        "port": listener.port,
        "process": processes_of(listener),
        "user": listener.user,
        "unit": listener.unit,
        "executable": ", ".join(sorted({one.executable for one in owners if one.executable})) or None
        if known
        else None,
        "file": _files(owners) if known else None,
        "version": ", ".join(sorted(packages)) or None if known else None,
        "declared": view.is_declared(listener) if declarations else None,
        "ephemeral": listener.ephemeral or listener.stays_since is not None,  # as it looks: so it can be followed
    }


def _owners(listener: Listener) -> tuple[Owner, ...]:
    """Those that are followed: children come and go with the clients."""
    return first_of_families(behind(listener))


def processes_of(listener: Listener) -> str | None:
    """Who is behind a listener, as history follows it; None where not all of them are known."""
    if listener.owners_state != "known":
        return None
    return ", ".join(sorted({owner.name for owner in _owners(listener)})) or None


def _files(owners: Iterable[Owner]) -> str | None:
    """The files that run. Those of containers are others with each container of the same image."""
    known = {one.executable_file for one in owners if one.executable_file and one.container is None}
    return "; ".join(sorted(known)) or None


def _outside(view: HostView, target: ScannedTarget, declarations: bool) -> Iterable[Json]:
    for endpoint in target.endpoints:
        if endpoint.state != "open":
            continue
        service = endpoint.service
        # A guess from the port number alone is not what answers there.
        place = (endpoint.protocol, endpoint.port, target.address, target.vantage)
        probed = service if service and service.method == "probed" else None
        version = " ".join(filter(None, (probed.product, probed.version))) if probed else None
        yield {
            "vantage": target.vantage,
            "namespace": "host",
            "protocol": endpoint.protocol,
            "address": target.address,
            "port": endpoint.port,
            "process": probed.name if probed else None,
            "user": None,
            "unit": None,
            "executable": None,
            "file": None,
            "version": version or None,
            "declared": is_approved(view, *place) if declarations else None,
            "ephemeral": False,
        }


def known_from(target: ScannedTarget, protocol: str, first: int, last: int) -> bool:
    """Whether the state of every port from ``first`` to ``last`` is known of a scanned address."""
    text = _known_texts(target).get(protocol, "")
    return any(low <= first and last <= high for low, high in spans_of(text))


def _known(target: ScannedTarget, ports: KnownPorts) -> dict[str, str]:
    """By protocol the ports of which the state is known, as a key of ``ports``."""
    return {protocol: ports.key(text) for protocol, text in _known_texts(target).items()}


def _known_texts(target: ScannedTarget) -> dict[str, str]:
    by_protocol: dict[str, list[PortSpans]] = {}
    for row in target.states:
        if _tells(row):
            by_protocol.setdefault(row.protocol, []).append(row.ports)
    return {protocol: _union(tuple(spans)) for protocol, spans in sorted(by_protocol.items())}


def _tells(row: StateRow) -> bool:
    return row.state in _TELLING and (row.state == "open" or FIRST_OPEN not in row.reason)


@functools.lru_cache(maxsize=4096)
def _union(rows: tuple[PortSpans, ...]) -> str:
    return str(functools.reduce(PortSet.__or__, map(PortSet, rows), NO_PORTS))


def _one_for_each_place(rows: Iterable[Json]) -> list[Json]:
    """Rows in the order of their places. Two sockets at one place (SO_REUSEPORT with other flags) are one row."""
    by_place: dict[tuple[str, ...], Json] = {}
    for row in rows:
        place = (row["vantage"] or "", row["namespace"], row["protocol"], row["address"], f"{row['port']:05}")
        other = by_place.setdefault(place, row)
        if other is not row:
            by_place[place] = {key: _both(other[key], value) for key, value in row.items()}
    return [by_place[place] for place in sorted(by_place)]


def _both(one: Any, other: Any) -> Any:
    """What two rows of one place say together: texts side by side, declared only when both are."""
    if one == other or one is None or other is None:
        return one if other is None else other
    if isinstance(one, bool):
        return one and other
    return ", ".join(sorted({*str(one).split(", "), *str(other).split(", ")}))
