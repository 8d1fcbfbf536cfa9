# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control groups named like systemd's, so that the unit of a socket is found as on any other host."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from .layout import CGROUP_NAME


def cgroup2_root(mounts: str | None = None) -> Path | None:
    """Where the unified hierarchy is mounted, None when it is not."""
    text = Path("/proc/self/mounts").read_text(encoding="utf-8") if mounts is None else mounts
    for line in text.splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return Path(fields[1])
    return None


def fleet_group() -> Path | None:
    """The fleet's own group, made when it is not there; None when groups cannot be made here.

    ``VIGIL_FLEET_UNITS=no`` does as if they could not, to see what the tests say then.
    """
    root = None if os.environ.get("VIGIL_FLEET_UNITS") == "no" else cgroup2_root()
    if root is None:
        return None
    group = root / CGROUP_NAME
    try:
        group.mkdir(exist_ok=True)
        probe = group / "probe"
        probe.mkdir(exist_ok=True)
        probe.rmdir()
    except OSError:
        return None
    return group


def enter(root: Path, unit_path: str) -> None:
    """Move this process into ``root/unit_path``, for example ``system.slice/nginx.service``."""
    group = root / unit_path
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.procs").write_text("0", encoding="ascii")


def remove_fleet_group() -> None:
    """End what is left in the fleet's group, and remove it."""
    root = cgroup2_root()
    if root is None or not (root / CGROUP_NAME).is_dir():
        return
    group = root / CGROUP_NAME
    with contextlib.suppress(FileNotFoundError):  # cgroup.kill: Linux 5.14
        (group / "cgroup.kill").write_text("1", encoding="ascii")
    deadline = time.monotonic() + 5
    while group.is_dir():
        for path, _directories, _files in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):  # busy until the last process in it is reaped
                os.rmdir(path)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{group} is still busy")
        time.sleep(0.01)
