# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes to files: shown as a patch that git applies, and written. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import difflib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from .._evidence.atomic import written_whole

_NEW_FILE = 0o644
_NEW_DIRECTORY = 0o755


@dataclasses.dataclass(frozen=True, slots=True)
class FileChange:
    """A file of the inventory with its content before (None: not there) and after, both UTF-8."""

    path: Path
    before: bytes | None
    after: bytes


def patch(changes: Iterable[FileChange], directory: Path) -> str:
    """The changes as ``git -C directory apply`` takes them."""
    return "".join(line for change in changes for line in _of_file(change, directory))


def _of_file(change: FileChange, directory: Path) -> Iterator[str]:
    name = change.path.relative_to(directory).as_posix()
    yield f"diff --git a/{name} b/{name}\n"
    if change.before is None:
        yield f"new file mode 100{_NEW_FILE:o}\n"
    lines = difflib.unified_diff(
        (change.before or b"").decode().splitlines(keepends=True),
        change.after.decode().splitlines(keepends=True),
        "/dev/null" if change.before is None else f"a/{name}",
        f"b/{name}",
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def write(change: FileChange) -> None:
    """Puts the file in place as a whole, with the mode and the owner that it had. Raises OSError."""
    path = change.path.resolve()  # a link stays one
    path.parent.mkdir(mode=_NEW_DIRECTORY, parents=True, exist_ok=True)
    before = path.stat() if change.before is not None else None
    with written_whole(path) as stream:
        stream.write(change.after)
        os.fchmod(stream.fileno(), stat.S_IMODE(before.st_mode) if before else _NEW_FILE & ~_umask())
        if before and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(stream.fileno(), before.st_uid, before.st_gid)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
