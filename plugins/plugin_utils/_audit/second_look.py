# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a second listing and bind() made of an open port. This module is private to the collection."""

from __future__ import annotations

from .._evidence.relisted import BindRow
from .host_view import HostView

UNLISTED = "held_by_unlisted"


def is_hidden(view: HostView, protocol: str, port: int) -> bool:
    """Whether bind() finds the port held, and no listing shows by what."""
    told = view.relisted.told_by_bind(protocol, port) if view.relisted else None
    return told is not None and told.state == UNLISTED


def second_look(view: HostView, protocol: str, port: int) -> str:
    """What came of listing the host again, to add to a sentence about an open port without a listener."""
    again = view.relisted
    if again is None:
        return "; it was not listed again"
    if again.listening is None:
        return f"; it could not be listed again: {again.trouble}"
    part = f", as far as it could be listed ({again.trouble})" if again.trouble else ""
    told = again.told_by_bind(protocol, port)
    return f", also when it was listed again{part}{_by_bind(told)}"


def _by_bind(told: BindRow | None) -> str:
    if told is None:
        return ""
    if told.state == "free":
        return "; bind() finds the port free, so the packets go elsewhere (address translation, a proxy)"
    if told.state == "held_by_listed":
        return f"; bind() finds the port held by {told.reason} that the host does list"
    return f"; bind() could not tell who holds it: {told.reason}"
