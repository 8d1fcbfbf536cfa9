# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records kept as files of a run directory: one folder for a kind, one file for a host or a vantage point.

This module is private to the collection.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from .atomic import DIRECTORY_MODE, written_whole
from .codec import NotJSONError, Record, ShapeError, decoded, encoded, shape_in
from .file_names import file_stem

CHANGED = "it was cut or edited since it was written: gather again"


class EvidenceError(Exception):
    """Evidence that is missing or cannot be read; the text names the file and the way out."""


R = TypeVar("R", bound=Record)


@dataclasses.dataclass(frozen=True, slots=True)
class Kept(Generic[R]):
    """One kind of evidence on disk.

    ``folder`` is below the run directory. Each file there holds one ``record``, which is marked by ``shape`` and is of
    the host or vantage point that the file is named after: that is its field ``of``. A file of more than ``most_bytes``
    is refused.
    """

    folder: str
    record: type[R]
    shape: str
    of: str
    most_bytes: int

    def path(self, run: Path, name: str) -> Path:
        """The file for a host or a vantage point."""
        return run / self.folder / f"{file_stem(name)}.json"

    def read(self, run: Path, name: str) -> R | None:
        """The record of a host or a vantage point; None when none was written. Raises EvidenceError, OSError."""
        path = self.path(run, name)
        if not os.path.lexists(path):
            return None
        record = self._read(path)
        found = getattr(record, self.of)
        if found != name:
            raise EvidenceError(f"{path}: evidence of the {self.of} {found}, not of {name}; {CHANGED}")
        return record

    def read_all(self, run: Path) -> Iterator[R]:
        """Every record, in the order of the file names. Raises EvidenceError for the first that cannot be used."""
        for path in sorted((run / self.folder).glob("*.json")):
            yield self._read(path)

    def write(self, run: Path, record: R) -> None:
        """Whole or not at all. Raises EvidenceError for text that is no Unicode, OSError."""
        path = self.path(run, getattr(record, self.of))
        path.parent.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
        write_record(path, record)

    def _read(self, path: Path) -> R:
        return read_record(path, self.record, self.shape, self.most_bytes)


def read_record(path: Path, kind: type[R], shape: str, most_bytes: int) -> R:
    """The one record that a file holds. Raises EvidenceError for what cannot be used, OSError."""
    data = bytes_of(path, most_bytes)
    try:
        return decoded(kind, data, path.parent.name.removesuffix("s"))
    except NotJSONError as error:
        raise EvidenceError(f"{path}: {error}; {CHANGED}") from error
    except ShapeError as error:
        if shape_in(data) != shape:
            raise EvidenceError(
                f"{path}: not evidence of the shape {shape}; it was written by another version"
            ) from error
        raise EvidenceError(f"{path}: {error}; {CHANGED}") from error


def write_record(path: Path, record: Record) -> None:
    """Whole or not at all. Raises EvidenceError for text that is no Unicode, OSError."""
    try:
        data = encoded(record)
    except UnicodeEncodeError as error:
        raise EvidenceError(f"{path}: text that is no Unicode: {ascii(error.object)[:100]}") from error
    with written_whole(path) as stream:
        stream.write(data)


def bytes_of(path: Path, most: int | None = None) -> bytes:
    """What a plain file holds. Raises EvidenceError for anything else, and for more than ``most`` bytes."""
    # A link, a pipe or a device is not what was written here, and to read it could take forever.
    if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
        raise EvidenceError(f"{path}: not a file; {CHANGED}")
    try:
        size = path.stat().st_size
        if most is not None and size > most:
            raise EvidenceError(f"{path}: {size} bytes, more than the {most} that it can have; {CHANGED}")
        return path.read_bytes()
    except FileNotFoundError:
        raise EvidenceError(f"{path}: no such file; is this a run directory?") from None
