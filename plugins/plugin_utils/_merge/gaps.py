# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gaps of a merge: texts of parts come from outside. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, visible

from .._evidence.records.merged import MergeGap


def merge_gap(name: str, message: str, *, host: str | None = None, details: Iterable[str] = ()) -> MergeGap:
    """A gap under its name, with its texts made visible."""
    texts = tuple(visible(text, MESSAGE_LIMIT) for text in details)
    return MergeGap(gap=name, host=host, message=visible(message, MESSAGE_LIMIT), details=texts)
