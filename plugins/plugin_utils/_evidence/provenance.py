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
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import (
    own_addresses as addresses_of_this_machine,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.command_line import redacted
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import NetlinkError, open_netlink
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .observed import address_of

_GIT_SECONDS = 10
_GALAXY = Path(__file__).resolve().parents[3]


#: CI systems by the variables that they set, and the address of the job as they make it.
_CI_JOBS = (
    (("CI_JOB_URL",), "{CI_JOB_URL}"),  # GitLab
    (
        ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    ),
    (
        ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID"),  # Azure Pipelines
        "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    ),
    (("BUILD_URL",), "{BUILD_URL}"),  # Jenkins
)


def controller(environment: Mapping[str, str]) -> dict[str, Any]:
    """The machine and the user that the run was started from, and the CI job where there is one."""
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's uid need not be in its passwd file
        user = str(uid)
    return {
        "host": socket.gethostname(),
        "user": user,
        "kernel": f"{platform.system()} {platform.release()}",
        "ci_job": ci_job(environment),
    }


def ci_job(environment: Mapping[str, str]) -> str | None:
    """The address of the CI job that this is, without credentials; None outside of one that is known."""
    for variables, address in _CI_JOBS:
        if all(environment.get(name) for name in variables):
            return visible(redacted([address.format_map(environment)])[0])
    return None


def own_addresses() -> list[str]:
    """The addresses of the control node but those of its loopback; none where the kernel does not tell."""
    try:
        found = {row.address for row in addresses_of_this_machine(open_netlink, str)}
    except (NetlinkError, OSError):  # no netlink here: the manifest has no addresses then
        return []
    return sorted(text for text in found if not (address_of(text).is_loopback or address_of(text).is_link_local))


def versions() -> dict[str, str]:
    """Versions of everything on the control node that shapes a verdict."""
    libraries = {name: _library(name) for name in ("ansible-core", "jsonschema", "junit-xml", "msgspec")}
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
