# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that appear whole or not at all. This module is private to the collection."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

DIRECTORY_MODE = 0o700


@contextlib.contextmanager
def written_whole(path: Path, check: Callable[[Path], None] | None = None) -> Iterator[IO[bytes]]:
    """A file to write into; it takes its place at ``path`` when the block ends without an error.

    The file is readable by its owner only. ``check`` looks at the whole file before it takes its place,
    and raises where it must not. Raises OSError as the file system does (no space, read only), with
    ``path`` as its file; then ``path`` is as it was before, and nothing is left beside it.
    """
    with named_in_errors(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if check is not None:
                check(temporary)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def named_in_errors(path: Path) -> Iterator[None]:
    """Errors of the file system that name no file (a write), or a temporary one, are about ``path``."""
    try:
        yield
    except OSError as error:
        about = Path(str(error.filename or ""))
        is_temporary = about == path.parent or (about.parent == path.parent and about.name.startswith((".", "tmp")))
        if error.errno is None or (error.filename is not None and not is_temporary):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def make_directories(path: Path) -> None:
    """``path`` with its parents, as far as they are missing; all for their owner only, whatever the umask is."""
    for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
        with contextlib.suppress(FileExistsError):  # made by another audit meanwhile
            missing.mkdir(mode=DIRECTORY_MODE)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def write_json(path: Path, value: Any) -> None:
    """``value`` as one line of JSON with sorted keys: the same value gives the same bytes."""
    with written_whole(path) as stream:
        stream.write(json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """JSON in ASCII, keys sorted, no spaces, a newline at the end. Raises ValueError for NaN."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
