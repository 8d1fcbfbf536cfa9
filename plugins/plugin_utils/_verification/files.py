# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a run directory against its manifest. Only plain files are ever opened. Private to the collection."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._evidence.atomic import sha256_of
from .._evidence.manifest import UNSEALED
from .._evidence.run_directory import DIRECTORIES
from .verdict import Problem


def strange_entries(run: Path) -> list[Problem]:
    """What is neither a plain file nor a directory: a link may lead anywhere, and reading a pipe never ends."""
    return [
        Problem(name, f"{_KINDS.get(stat.S_IFMT(mode), 'something else')} instead of a plain file")
        for name, mode in _entries(run)
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode)
    ]


def file_problems(run: Path, sealed: Mapping[str, str]) -> Iterator[Problem]:
    """Files that are missing, changed or unreadable, and what the manifest does not name.

    ``sealed`` maps names to digests. What ``strange_entries`` says is not said again.
    """
    found = set()
    folders = {*DIRECTORIES, *(parent for name in sealed for parent in _parents(name))}
    for name, mode in _entries(run):
        if stat.S_ISDIR(mode):
            if name not in folders:
                yield Problem(name, "a directory of which manifest.json names no file")
        elif not stat.S_ISREG(mode):
            found.add(name)
        elif name in sealed:
            found.add(name)
            problem = _digest_problem(run / name, sealed[name])
            if problem:
                yield Problem(name, problem)
        elif name not in UNSEALED:
            yield Problem(name, "manifest.json does not name this file")
    for name in sorted(sealed.keys() - found):
        yield Problem(name, "manifest.json names this file, and it is not here")


_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


def _entries(run: Path, below: str = "") -> Iterator[tuple[str, int]]:
    """Everything in the directory by its name, with its mode; links are not followed. Raises OSError."""
    for entry in sorted(os.scandir(run / below), key=lambda entry: entry.name):
        name = f"{below}{entry.name}"
        mode = entry.stat(follow_symlinks=False).st_mode
        yield name, mode
        if stat.S_ISDIR(mode):
            yield from _entries(run, f"{name}/")


def _parents(name: str) -> Iterator[str]:
    parts = name.split("/")[:-1]
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def _digest_problem(path: Path, sealed: str) -> str | None:
    try:
        digest = sha256_of(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if digest == sealed else f"its SHA-256 is {digest}, and manifest.json says {sealed}"
