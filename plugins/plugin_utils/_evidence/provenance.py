# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who ran it, with what, from which state of the inventory. This module is private to the collection."""

from __future__ import annotations

import os
import platform
import pwd
import socket
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

_GIT_SECONDS = 10
_GALAXY = Path(__file__).resolve().parents[3]


def controller() -> dict[str, str]:
    """The machine and the user that the run was started from."""
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's uid need not be in its passwd file
        user = str(uid)
    return {"host": socket.gethostname(), "user": user}


def versions() -> dict[str, str]:
    """Versions of everything on the control node that shapes a verdict."""
    libraries = {name: _library(name) for name in ("ansible-core", "jsonschema", "junit-xml")}
    return {"vigil.ports": _collection(), "python": platform.python_version(), **libraries}


def inventory_state(directory: str | None) -> dict[str, Any]:
    """The commit of the inventory's checkout and whether it has uncommitted changes; None where unknown."""
    commit = _git(directory, "rev-parse", "HEAD") if directory else None
    if commit is None:
        return {"commit": None, "dirty": None}
    changes = _git(directory, "status", "--porcelain", "--", ".")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _git(directory: str | None, *words: str) -> str | None:
    command = ["git", "-C", str(directory), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):  # no git, or no checkout: the report says that it is not known
        return None
    return done.stdout.strip()


def _library(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _collection() -> str:
    """The version in MANIFEST.json of an installed collection, or in galaxy.yml of a checkout."""
    for file, keys in (("MANIFEST.json", ("collection_info", "version")), ("galaxy.yml", ("version",))):
        path = _GALAXY / file
        if path.exists():
            value: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
            for key in keys:
                value = value[key]
            return str(value)
    return "unknown"
