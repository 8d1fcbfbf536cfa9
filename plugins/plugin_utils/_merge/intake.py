# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts as they come: directories and archives that somebody sent, copied to where nobody else writes.

Nothing is believed of them here. Only plain files with the names that a part has are taken, at most so many and so
large, and nothing is written anywhere but below the directory that is given. This module is private to the collection.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .._evidence.atomic import DIRECTORY_MODE, named_in_errors
from .._evidence.lock_file import open_plain
from .unpacking import RefusedError, members

#: Names of the files of a part.
NAME = re.compile(
    r"manifest\.json(\.sig)?|evidence/((run|seal|history)\.json|(hosts|scans|relisted)/(?!\.)[^/\0]{1,250}\.json)"
)
ARCHIVES = (".tar", ".tar.gz", ".tgz")

#: Of one part. Thousands of hosts with thousands of listeners are far below.
MOST_FILES = 200_000
MOST_BYTES = 4 << 30

#: How deep below a directory parts are looked for: as in ansible-runner's ``artifacts/IDENT/parts/CAMPAIGN/RUN``.
_DEPTH = 5
_CHUNK = 1 << 20


class Found(NamedTuple):
    """Where a part lies, or why nothing does. ``label`` names it while its own name is not known."""

    label: str
    path: Path
    problem: str | None = None


def find_parts(paths: list[Path]) -> Iterator[Found]:
    """The parts in directories and archives. A path without any is found as a problem: a part was expected there."""
    for path in paths:
        if not os.path.lexists(path):
            yield Found(
                label_of(path), path, "there is nothing at this path: its job did not end, or its files are gone"
            )
            continue
        if path.is_file():
            yield Found(label_of(path), path)
            continue
        found = list(_below(path, _DEPTH))
        yield from found
        if not found:
            yield Found(label_of(path), path, "there is no part in this directory")


def _below(directory: Path, depth: int) -> Iterator[Found]:
    if os.path.lexists(directory / "manifest.json") or (directory / "evidence").is_dir():
        yield Found(label_of(directory), directory)
        return
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError as error:
        yield Found(label_of(directory), directory, f"it cannot be read: {error.strerror}")
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.is_file(follow_symlinks=False) and entry.name.endswith(ARCHIVES):
            yield Found(label_of(path), path)
        elif depth and entry.is_dir(follow_symlinks=False):
            yield from _below(path, depth - 1)


def label_of(path: Path) -> str:
    """A name for what has none yet. It is one part of the name of a gap."""
    return visible(path.name or "root").replace(":", "_").replace("*", "_")[:100]


def take_in(found: Found, into: Path) -> None:
    """Copies the files of a part. Raises RefusedError for what is no part, OSError where it cannot be written."""
    if found.problem is not None:
        raise RefusedError("missing", found.problem)
    into.mkdir(mode=DIRECTORY_MODE, parents=True)
    intake = _Intake(into)
    if found.path.is_dir():
        if not os.path.lexists(found.path / "manifest.json"):
            raise RefusedError("unsealed", "it has no manifest: its job ended before the part was sealed")
        for name, path in _files(found.path):
            intake.take(name, _pieces_of(path, name))
    else:
        for name, pieces in members(found.path, MOST_BYTES):
            intake.take(name, pieces)
        if not os.path.lexists(into / "manifest.json"):
            raise RefusedError(
                "unsealed", "the archive holds no manifest.json: it was cut, or its part was never sealed"
            )


class _Intake:
    """Writes files below one directory, and counts."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._files = 0
        self._bytes = 0

    def take(self, name: str, pieces: Iterator[bytes]) -> None:
        """One file. Raises RefusedError for a name that no part has, for the same name twice, and for too much."""
        if not NAME.fullmatch(name):
            raise RefusedError(
                "unreadable", f"it holds {visible(name, 200)}, which no part has: nothing of it was taken"
            )
        self._files += 1
        if self._files > MOST_FILES:
            raise RefusedError("unreadable", f"it holds more than {MOST_FILES} files")
        path = self._into / name
        path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            raise RefusedError("unreadable", f"it holds {visible(name, 200)} twice") from None
        with named_in_errors(path), os.fdopen(handle, "wb") as stream:
            self._write(stream, pieces)

    def _write(self, stream: IO[bytes], pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            self._bytes += len(piece)
            if self._bytes > MOST_BYTES:
                raise RefusedError("unreadable", f"it holds more than {MOST_BYTES} bytes")
            stream.write(piece)


def _files(directory: Path, below: str = "") -> Iterator[tuple[str, Path]]:
    """The files of a directory. Raises RefusedError for a link, a pipe or a device in it."""
    try:
        entries = sorted(os.scandir(directory / below), key=lambda entry: entry.name)
        modes = [entry.stat(follow_symlinks=False).st_mode for entry in entries]
    except OSError as error:
        raise RefusedError("unreadable", f"{visible(below) or 'it'} cannot be read: {error.strerror}") from error
    for entry, mode in zip(entries, modes, strict=True):
        name = f"{below}{entry.name}"
        if stat.S_ISDIR(mode):
            yield from _files(directory, f"{name}/")
        elif stat.S_ISREG(mode):
            yield name, Path(entry.path)
        else:
            raise RefusedError("unreadable", f"{visible(name, 200)} is neither a plain file nor a directory")


def _pieces_of(path: Path, name: str) -> Iterator[bytes]:
    try:
        handle = open_plain(path, os.O_RDONLY)
    except OSError as error:
        raise RefusedError("unreadable", f"{visible(name, 200)} cannot be read: {error.strerror}") from error
    with os.fdopen(handle, "rb") as stream:
        while True:
            try:
                piece = stream.read(_CHUNK)
            except OSError as error:
                raise RefusedError("unreadable", f"{visible(name, 200)} cannot be read: {error.strerror}") from error
            if not piece:
                return
            yield piece
