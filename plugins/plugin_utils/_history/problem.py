# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with history. This module is private to the collection."""

from __future__ import annotations

#: The way out where the database is broken.
BROKEN = "set it aside and make it anew from the run directories: vigil.ports.history_rebuild"


class HistoryError(Exception):
    """History cannot be read or written. The text names the place, what is wrong, and the way out."""

    def __init__(self, text: str, *, corrupt: bool = False) -> None:
        super().__init__(text)
        self.is_corrupt = corrupt


class ContentError(Exception):
    """What stands in the database is not what was written."""
