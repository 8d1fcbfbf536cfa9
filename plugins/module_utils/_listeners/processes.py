# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What /proc tells of one process.

A process is read through a descriptor of its /proc/<pid> directory. That descriptor stands for the process
and not for the number: once the process has ended, each read through it fails with ESRCH, also when another
process was given the same pid since (fs/proc/base.c, get_proc_task). So no start times need to be compared.
Sources: proc_pid_exe(5), proc_pid_status(5), ptrace(2). This module is private to the collection.
"""

from __future__ import annotations

import errno
import os

from ansible_collections.vigil.ports.plugins.module_utils._listeners.cgroups import place_of_membership
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    NOWHERE,
    ExecutableFile,
    Place,
    Process,
)

_DELETED = b" (deleted)"
#: What is read of a command line; far more than what is shown of it.
_COMMAND_LINE_LIMIT = 4096
_INITIAL_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h
_DENIED = (errno.EACCES, errno.EPERM)
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_SYS_PTRACE = 1, 2, 19


def is_privileged(proc: str) -> bool:
    """True when the open files of every process may be read (proc_pid_fd(5): PTRACE_MODE_READ_FSCREDS)."""
    try:
        with open(f"{proc}/self/status", "rb") as file:
            granted = int(_status_field(file.read(), b"CapEff:", 0) or b"0", 16)
    except (OSError, ValueError):
        return os.geteuid() == 0
    reads_any_file = granted & (1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH)
    return bool(granted & 1 << _CAP_SYS_PTRACE and reads_any_file)


def sees_all_processes(proc: str) -> bool:
    """False in a pid namespace of its own: what runs outside of it holds sockets as well, and is not in /proc."""
    try:
        return os.stat(f"{proc}/self/ns/pid").st_ino == _INITIAL_PID_NAMESPACE
    except OSError:
        return False


def pids(proc: str) -> list[int]:
    return sorted(int(name) for name in os.listdir(proc) if name.isdigit())


def described(directory: int, pid: int) -> Process:
    """Raises OSError with ESRCH when the process has ended, so that it is not named by halves.

    /proc/<pid> belongs to the effective user of the process (fs/proc/base.c, task_dump_owner), and to 0 once it
    has ended: so that is looked at before the rest is read. It costs a tenth of reading the status.
    """
    uid = os.fstat(directory).st_uid
    executable, deleted, here, file = _executable(directory)
    seen_as = "host" if here or _shares_our_mounts(directory) else "unknown" if deleted or not executable else "other"
    return Process(
        pid=pid,
        executable=executable,
        executable_deleted=deleted,
        executable_on_host=here,
        executable_file=file,
        executable_seen_as=seen_as,
        arguments=_arguments(directory),
        uid=uid,
        place=_place(directory),
        name=_read(directory, "comm")[:-1],  # the kernel's own newline; the name may end in another
    )


def parent_of(directory: int) -> int:
    """The pid of its parent; 0 where there is none, or none in our pid namespace. Raises OSError.

    The name, in brackets, may hold brackets of its own (proc_pid_stat(5)).
    """
    return int(_read(directory, "stat").rpartition(b")")[2].split()[1])


def _status_field(status: bytes, key: bytes, index: int) -> bytes | None:
    for line in status.split(b"\n"):
        if line.startswith(key):
            fields = line[len(key) :].split()
            return fields[index] if index < len(fields) else None
    return None


def _place(directory: int) -> Place:
    try:
        return place_of_membership(_read(directory, "cgroup"))
    except OSError as error:
        if error.errno in (*_DENIED, errno.ENOENT):  # ENOENT: a kernel without cgroups
            return NOWHERE
        raise


def _arguments(directory: int) -> tuple[bytes, ...] | None:
    """The arguments, which the process may have overwritten; None where it has none or they may not be read."""
    try:
        content = _read(directory, "cmdline", _COMMAND_LINE_LIMIT)
    except OSError as error:
        if error.errno in _DENIED:
            return None
        raise
    return tuple(content.rstrip(b"\0").split(b"\0")) if content.strip(b"\0") else None


def _executable(directory: int) -> tuple[bytes | None, bool, bool, ExecutableFile | None]:
    """Path, whether that file was deleted, whether the path names that very file here, and the file that runs.

    The kernel appends `` (deleted)``; a file may also really be named so, and then it is still there.
    """
    try:
        link = os.fsencode(os.readlink("exe", dir_fd=directory))
        running = os.stat("exe", dir_fd=directory)
    except OSError as error:
        if error.errno in (*_DENIED, errno.ENOENT):  # ENOENT: a kernel thread has none
            return None, False, False, None
        raise
    file = ExecutableFile(running.st_size, int(running.st_mtime), running.st_ino)
    if link.endswith(_DELETED) and not _same_file(b"root" + link, running, directory):
        return link[: -len(_DELETED)], True, False, file
    return link, False, _same_file(link, running, None), file


def _shares_our_mounts(directory: int) -> bool:
    """Whether a path means the same to the process as here. In a mount namespace of its own, which takes no privilege
    (user_namespaces(7)), a process can have any file at any path."""
    try:
        return os.readlink("ns/mnt", dir_fd=directory) == os.readlink("/proc/self/ns/mnt")
    except OSError:
        return False


def _same_file(path: bytes, running: os.stat_result, directory: int | None) -> bool:
    try:
        there = os.stat(path, dir_fd=directory)
    except OSError:
        return False  # nothing can be found at that path, for whatever reason: so it is not this file
    return (there.st_dev, there.st_ino) == (running.st_dev, running.st_ino)


def _read(directory: int, name: str, limit: int = 1 << 20) -> bytes:
    file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    try:
        parts: list[bytes] = []
        while limit > 0:
            part = os.read(file, min(limit, 4096))
            if not part:
                break
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)
    finally:
        os.close(file)
