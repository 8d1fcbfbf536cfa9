# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives of parts, read without believing them: tar, also compressed by gzip. Private to the collection.

An archive is read once, from its beginning. Links, devices, sparse files and names that lead elsewhere are refused by
name, and so is what grows beyond all measure while it is unpacked (a bomb), also in the headers of tar.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .._evidence.lock_file import open_plain
from .._evidence.sealing import RUN_ID

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
#: Of what stands before the content of a member: a long name is 4 KiB at most on Linux (PATH_MAX).
_MOST_HEADER = 1 << 16
#: gzip makes a thousandth of what says nothing. Evidence of many hosts that are alike stays below a hundredth.
_MOST_RATIO = 500
#: Small archives are not held against the ratio.
_ALWAYS = 64 << 20


class RefusedError(Exception):
    """A part that is not used: ``kind`` is the last part of its gap's name, the text says why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def members(path: Path, most: int) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The files of an archive by their names in the part, each with its content, which has to be read before the next.

    ``most`` is how many bytes may come out of it. Raises RefusedError.
    """
    with _refused(), os.fdopen(open_plain(path, os.O_RDONLY), "rb") as stream:
        yield from _members(stream, most)


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    """What reading an archive can end in. What is done with its content happens outside of here."""
    try:
        yield
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        message = f"it is no archive that can be read (tar, tar.gz), or it was cut: {error}"
        raise RefusedError("unreadable", message) from error
    except OSError as error:
        raise RefusedError("unreadable", f"the archive cannot be read: {error.strerror or error}") from error


def _members(stream: IO[bytes], most: int) -> Iterator[tuple[str, Iterator[bytes]]]:
    size = os.fstat(stream.fileno()).st_size
    is_packed = stream.read(2) == _GZIP
    stream.seek(0)
    plain: Any = gzip.GzipFile(fileobj=stream, mode="rb") if is_packed else stream
    limited: Any = _Limited(plain, min(most, max(size * _MOST_RATIO, _ALWAYS)))
    limited.expect(_MOST_HEADER)
    with tarfile.open(fileobj=limited, mode="r|") as archive:
        for member in archive:
            name = _name(member)
            if name is not None:
                limited.expect(member.size + _MOST_HEADER)
                yield name, _content(archive, member)
            limited.expect(_MOST_HEADER)
    with _refused():  # the check sum of gzip stands at its end
        while limited.read(_CHUNK):
            limited.expect(_CHUNK)


def _name(member: tarfile.TarInfo) -> str | None:
    """The name of a file in the part; None for a directory. Raises RefusedError for anything else."""
    shown = visible(member.name, 200)
    steps = member.name.split("/")
    if member.name.startswith("/") or ".." in steps:
        raise RefusedError("unreadable", f"the archive holds {shown}, which leads out of it: nothing of it was taken")
    if member.isdir():
        return None
    if not member.isreg() or member.issparse():
        raise RefusedError("unreadable", f"the archive holds {shown}, which is no plain file: nothing of it was taken")
    if steps[0] == ".":
        steps = steps[1:]
    return "/".join(steps[1:] if RUN_ID.fullmatch(steps[0]) else steps)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    with _refused():
        stream = archive.extractfile(member)
    while stream is not None:
        with _refused():
            piece = stream.read(_CHUNK)
        if not piece:
            return
        yield piece


class _Limited:
    """A stream that ends with RefusedError where more is read than was expected, next or in all."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream = stream
        self._left = most
        self._next = 0

    def expect(self, count: int) -> None:
        """How many bytes may be read until this is called again."""
        self._next = count + tarfile.RECORDSIZE

    def read(self, count: int) -> bytes:
        piece = self._stream.read(count)
        self._left -= len(piece)
        self._next -= len(piece)
        if self._left < 0:
            raise RefusedError("unreadable", "the archive grows beyond all measure when it is unpacked")
        if self._next < 0:
            raise RefusedError("unreadable", "the archive holds more than the headers of its members say")
        return piece
