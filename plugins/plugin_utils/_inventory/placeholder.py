# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layers of proposals, and the values in them that a person must replace. Private to the collection.

A proposal is a declaration that nobody has approved yet. It lies in a layer of its own, and moving it to
another one is the approval. Each group's file has a layer by another name: Ansible replaces a variable of a
group by the host's of the same name, and would lose the group's proposals.
"""

from __future__ import annotations

import hashlib
import re

PROPOSED = "vigil_ports__proposed"
PROPOSED_RAW = "vigil_raw_sockets__proposed"
PLACEHOLDER = "FILL IN"

_LAYER = re.compile(rf"(?:{PROPOSED}|{PROPOSED_RAW})(_[a-z0-9_]+)?(?![a-z0-9_])")
_PLAIN_GROUP = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


def is_proposed_layer(place: str) -> bool:
    """True for a layer of proposals, and for a place in one (``vigil_ports__proposed_web[3].port``)."""
    return bool(_LAYER.match(place))


def is_placeholder(value: object) -> bool:
    """True for a text that a baseline wrote for a person to replace."""
    return isinstance(value, str) and value.lstrip().upper().startswith(PLACEHOLDER)


def layer_of_group(group: str) -> str:
    """The layer for proposals in a group's file. No two groups share one, whatever their names."""
    if _PLAIN_GROUP.fullmatch(group):
        return f"{PROPOSED}_{group}"
    plain = re.sub(r"[^a-z0-9]+", "_", group.lower()).strip("_")
    return f"{PROPOSED}_{plain}__{hashlib.sha256(group.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
