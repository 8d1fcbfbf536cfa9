# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control groups and mounts: a unit or a container is one that the kernel's own lines name, not one forged inside."""

from __future__ import annotations

from ansible_collections.vigil.ports.plugins.module_utils._listeners.cgroups import (
    place_of_membership,
    unescaped,
    unified_mount,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.namespaces import _mounted


def target(data: bytes) -> None:
    place = place_of_membership(data)
    # The kernel ends a line with a newline, and lets no group have one in its name (cgroup_mkdir).
    paths = [line.split(b":", 2)[2] for line in data.split(b"\n") if line.count(b":") >= 2]
    starts = [first_unit(path) for path in paths]
    assert place.unit is None or place.unit.encode("utf-8", "surrogateescape") in starts
    if place.container is not None:
        shown = place.container.partition("/")[2].encode("utf-8", "surrogateescape")
        assert any(shown in path for path in paths)
    unified_mount(data)
    assert len(unescaped(data)) <= len(data)
    for _inode, names in _mounted(data):
        assert names


def first_unit(path: bytes) -> bytes | None:
    for part in path.split(b"/"):
        name = part[1:] if part.startswith(b"_") else part
        if name and not name.endswith(b".slice"):
            return name
    return None
