# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on targets, where an unprivileged process can read it: a checkout and a Python may lie in a directory that
only root enters."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

#: Runs a command as nobody.
UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

_SOURCES = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"


@functools.cache
def readable_tree() -> Path:
    """A directory for PYTHONPATH with a copy of the collection's ``module_utils``. It ends with this process."""
    tree = Path(tempfile.mkdtemp(prefix="vigil-ports-tree-"))
    atexit.register(shutil.rmtree, tree, ignore_errors=True)
    tree.chmod(0o755)
    target = tree / "ansible_collections" / "vigil" / "ports" / "plugins" / "module_utils"
    shutil.copytree(_SOURCES, target, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


@functools.cache
def readable_python() -> str:
    """A Python that nobody can start: this one, or the system's where this one lies in somebody's home."""
    for python in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([*UNPRIVILEGED, python, "-c", "import json, ssl"], capture_output=True, check=False)
        if done.returncode == 0:
            return python
    raise RuntimeError(f"neither {sys.executable} nor /usr/bin/python3 can be started by an unprivileged user")
