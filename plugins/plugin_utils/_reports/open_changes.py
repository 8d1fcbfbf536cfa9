# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change window that was left open, in one sentence. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def open_change(row: Mapping[str, Any], shown: Callable[[str], str]) -> str:
    """``shown`` encodes text from outside for where the sentence stands."""
    if row["problem"] is not None:
        return f"Change window in {shown(row['change'])} cannot be read: {shown(row['problem'])}"
    hosts = f"{row['hosts']} host{'' if row['hosts'] == 1 else 's'}"
    since = f"open for {row['hours']} hours, since {shown(row['opened'])}"
    return f"Change window {shown(row['change'])} is {since} by {shown(row['by'])}, on {hosts}"
