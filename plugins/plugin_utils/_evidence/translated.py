# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that lead elsewhere by address translation, as typed values. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .observed import Address, PortSpans, address_of, spans_of
from .records import listening as recorded


class Translated(NamedTuple):
    """Fields as listeners_info documents them (``translated``). None: the rule leaves it open, or it is not known."""

    protocol: str | None
    ports: PortSpans | None
    address: Address | None
    by: str

    @classmethod
    def of(cls, row: recorded.Translated) -> Translated:
        ports = None if row.ports is None else spans_of(row.ports)
        return cls(row.protocol, ports, None if row.address is None else address_of(row.address), row.by)


def translated_of(listening: recorded.Listening) -> tuple[Translated, ...]:
    """Those of a listing by which packets to the host's own addresses go elsewhere. Evidence of 0.2 has none."""
    rows = map(Translated.of, listening.translated or ())
    own = {address_of(row.address) for row in listening.addresses}
    return tuple(row for row in rows if row.address is None or row.address.is_unspecified or row.address in own)


def known_spans(rows: Iterable[Translated], protocol: str) -> set[tuple[int, int]]:
    """The ports of a protocol that rows name."""
    return {span for row in rows if row.protocol in (None, protocol) for span in row.ports or ()}
