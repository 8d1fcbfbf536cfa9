# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many sockets a scan may hold open. This module is private to the collection."""

from __future__ import annotations

import resource

_MOST_AT_ONCE = 8192
_FILES_KEPT_FREE = 64


def sockets_to_use() -> int:
    """How many may be open at once: what the limit on open files leaves, after raising it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_AT_ONCE + _FILES_KEPT_FREE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room: list[int] = [_MOST_AT_ONCE] if soft == resource.RLIM_INFINITY else [_MOST_AT_ONCE, soft - _FILES_KEPT_FREE]
    return max(1, min(room))
