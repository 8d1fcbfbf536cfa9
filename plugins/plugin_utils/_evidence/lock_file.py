# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a report directory are opened as what they are: a link in it is followed nowhere.

This module is private to the collection.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock of ``path``, a file that is made when missing. Raises OSError for what is no plain file."""
    handle = open_plain(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def open_plain(path: Path, flags: int) -> int:
    """A file descriptor of a plain file; a link, a pipe or a device there raises OSError that says so."""
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):
            raise
        raise _strange(path) from error
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise _strange(path)
    return handle


def _strange(path: Path) -> OSError:
    what = "not a plain file but a link, a pipe or a device, which is not followed: delete it, and see who put it there"
    return OSError(errno.ELOOP, what, str(path))


def others_who_write(directory: Path) -> str | None:
    """Who else than this user may write in a directory, in a few words; None for nobody."""
    known = directory.stat()
    if known.st_uid not in (os.geteuid(), 0):
        return f"it belongs to the user {known.st_uid}"
    if known.st_mode & stat.S_IWOTH:
        return "everybody may write in it"
    return "its group may write in it" if known.st_mode & stat.S_IWGRP else None
