# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packet and raw sockets: who takes packets without a port, as DHCP clients, sniffers and backdoors do.

They come from /proc/net, which tells all that is needed of them and makes the kernel load no module for it. Sources:
packet(7), raw(7), net/packet/af_packet.c (packet_seq_show), net/ipv4/raw.c (raw_seq_show), proc_pid_net(5). This module
is private to the collection.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._listeners.endpoints import (
    Knowledge,
    common,
    owner_rows,
    owners_state,
    shown,
    user_name,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import OWN, RawSocket, SocketsSeen
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible


class _Row(NamedTuple):
    """What sockets have in common that are shown as one; ``holders`` are process ids."""

    namespace: str
    kind: str
    family: str | None
    number: int
    interface: str | None
    address: str | None
    uid: int | None
    holders: tuple[int, ...]


def raw_sockets(seen: Mapping[str, SocketsSeen], known: Knowledge) -> list[dict[str, Any]]:
    """The packet and raw sockets of all namespaces (by name), sorted. Those of the same processes are one row."""
    groups: dict[_Row, list[RawSocket]] = {}
    for namespace, there in seen.items():
        for one in there.raw:
            holders = known.walk.holders.get(one.inode, ())
            row = _Row(namespace, one.kind, one.family, one.number, one.interface, one.address, one.uid, holders)
            groups.setdefault(row, []).append(one)
    rows = owner_rows(known)
    return [_shown_row(row, groups[row], known, rows) for row in sorted(groups, key=_order)]


def _order(row: _Row) -> tuple[Any, ...]:
    return (row.namespace != OWN, *("" if value is None else value for value in row[:-2]), row.uid or 0, row.holders)


def _shown_row(
    row: _Row, sockets: Sequence[RawSocket], known: Knowledge, rows: Mapping[int, dict[str, Any]]
) -> dict[str, Any]:
    places = [known.walk.processes[pid].place for pid in row.holders]
    return {
        "kind": row.kind,
        "family": row.family,
        "number": row.number,
        "receives": sockets[0].receives,
        "interface": shown(row.interface),
        "address": row.address,
        "namespace": visible(row.namespace),
        "uid": row.uid,
        "user": user_name(row.uid),
        "unit": shown(common(place.unit for place in places)),
        "container": shown(common(place.container for place in places)),
        "owners": [rows[pid] for pid in row.holders],
        "owners_state": owners_state(sockets, known),
        "sockets": len(sockets),
    }


def inodes(seen: Iterable[SocketsSeen]) -> frozenset[int]:
    """Of all packet and raw sockets, to look for who holds them."""
    return frozenset(one.inode for there in seen for one in there.raw if one.inode)
