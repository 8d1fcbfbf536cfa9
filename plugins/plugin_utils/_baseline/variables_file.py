# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of a group's or a host's variables, as Ansible would find it. This module is private to the collection.

Ansible takes the first that is there of ``group_vars/web`` (a directory or a file), ``web.yml``, ``web.yaml``
and ``web.json``, and looks at no other: a directory made beside ``web.yml`` would hide that file
(``DataLoader.find_vars_files``).
"""

from __future__ import annotations

import re
from pathlib import Path

_ENDINGS = ("", ".yml", ".yaml", ".json")
_OWN_FILE = "vigil_ports_proposed.yml"
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+=,-]*")


class NoFileError(Exception):
    """A name for which no file can be written; the text says why."""


def variables_file(directory: Path, kind: str, name: str) -> Path:
    """Where variables of the ``group`` or ``host`` go, there already or not. Raises NoFileError."""
    if not _PLAIN.fullmatch(name):
        raise NoFileError(f"the name {name!r} is no file name that can stand in a patch")
    folder = directory / f"{kind}_vars"
    for ending in _ENDINGS:
        path = folder / f"{name}{ending}"
        if path.is_dir():
            return path / _OWN_FILE
        if path.exists() and ending == ".json":
            raise NoFileError(f"{path} is JSON, in which a proposal would not be seen as one")
        if path.exists():
            return path
    return folder / f"{name}.yml"
