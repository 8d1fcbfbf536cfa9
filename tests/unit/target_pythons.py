# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons of this machine that the ansible-core under test accepts on a target."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

from ansible.release import __version__ as ansible_version

#: The oldest Python 3 of a target, by the ansible-core that dropped the one before. The collection itself needs 3.8.
_OLDEST_MINOR = {(2, 19): 8, (2, 20): 9, (2, 21): 9}

#: The newest that the collection is tested with on targets.
_NEWEST_MINOR = 13


def target_versions() -> list[str]:
    """``3.8`` to ``3.13``, from the oldest that this ansible-core accepts on.

    Raises KeyError for an ansible-core that the table does not name: add it with the oldest Python of its targets.
    """
    core = tuple(int(part) for part in ansible_version.split(".")[:2])
    return [f"3.{minor}" for minor in range(_OLDEST_MINOR[core], _NEWEST_MINOR + 1)]


@functools.cache
def target_python(version: str) -> str | None:
    """The path of a Python of that version that starts, or None. A shim of pyenv exists for versions that do not."""
    pyenv = Path.home() / ".pyenv" / "versions"
    places = [*map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}"))), shutil.which(f"python{version}")]
    code = f"import sys, ctypes, json; assert sys.version_info[:2] == ({version.replace('.', ', ')})"
    for place in places:
        if place and subprocess.run([place, "-c", code], capture_output=True, check=False).returncode == 0:
            return place
    return None


def target_pythons() -> dict[str, str]:
    """Each Python of this machine that this ansible-core accepts on a target: path by version."""
    found = {version: target_python(version) for version in target_versions()}
    return {version: path for version, path in found.items() if path}
