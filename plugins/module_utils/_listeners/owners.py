# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes hold which sockets: one walk over /proc, whatever the number of sockets and namespaces.

The kernel tells this in one place only, the links below /proc/<pid>/fd. Reading one costs microseconds, and a busy
host has tens of thousands: who wants one owner of each listener is answered from the processes that can be it.
Sources: proc_pid_fd(5), cgroups(7). This module is private to the collection.
"""

from __future__ import annotations

import errno
import os
from functools import partial
from typing import Callable, Iterable, Iterator, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import Claim, Process, Walk
from ansible_collections.vigil.ports.plugins.module_utils._listeners.processes import described, parent_of, pids

_SOCKET = "socket:["
_ENDED = (errno.ENOENT, errno.ESRCH)
# A descriptor gets the lowest free number (open(2)), and a service opens its listening sockets before it serves.
# So the lowest are tried without listing all, until some numbers in a row are not in use.
_LOW_NUMBERS = 64
_GAP = 4
# How far up it is looked for a process that holds a socket too; services have few levels.
_LEVELS = 8


def all_owners(proc: str, wanted: Iterable[int]) -> Walk:
    """Who holds the sockets with the inodes ``wanted``: each process is looked at. Inode 0 is nobody's.

    When a holder is missing at the end, the processes born since the start are looked at as well: a
    service may have moved into a child meanwhile.
    """
    sought = {f"{_SOCKET}{inode}]": inode for inode in wanted if inode}
    found = _Found(proc)
    looked_at: set[int] = set()
    for _attempt in range(2):
        if len(found.holders) == len(sought):
            break
        born = [pid for pid in pids(proc) if pid not in looked_at]
        for pid in born:
            found.look_at(pid, partial(_sockets_held, sought))
        looked_at.update(born)
    return found.as_walk()


def first_owners(proc: str, claims: Sequence[Claim]) -> Walk:
    """For each claim one process that holds a socket of it: one of its cgroup, else of its user, else any other.

    All processes are walked over for what is left only, and no further than until each claim has an owner.
    """
    search = _Search(proc, claims)
    search.in_cgroups()
    looked_at: set[int] = set()
    for _attempt in range(2):
        born = [pid for pid in pids(proc) if pid not in looked_at] if search.left else []
        search.among(search.likely_first(born), search.left)
        looked_at.update(born)
    return search.found.as_walk()


class _Found:
    def __init__(self, proc: str) -> None:
        self._proc = proc
        self._denied: set[int] = set()
        self._processes: dict[int, Process] = {}
        self._parents: dict[int, int] = {}
        self.holders: dict[int, set[int]] = {}

    def as_walk(self) -> Walk:
        holders = {inode: tuple(sorted(holding)) for inode, holding in self.holders.items()}
        above = ((pid, self._holder_above(pid)) for pid in sorted(self._processes))
        child_of = {pid: holder for pid, holder in above if holder is not None}
        return Walk(holders, self._processes, len(self._denied), child_of)

    def _holder_above(self, pid: int) -> int | None:
        """The nearest process above it that holds a socket too, where both are of one service.

        In the scope of a session everything is a child of the shell, and process 1 is above all.
        """
        place = self._processes[pid].place
        if place.unit is None or not place.unit.endswith(".service"):
            return None
        above = self._parents[pid]
        for _level in range(_LEVELS):
            if above <= 1:
                return None
            if above in self._processes:
                return above if self._processes[above].place == place else None
            above = self._parent(above)
        return None

    def _parent(self, pid: int) -> int:
        if pid not in self._parents:
            try:
                directory = os.open(f"{self._proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError:
                return 0  # it has ended, or is not shown: then nobody is said to be above it
            try:
                self._parents[pid] = parent_of(directory)
            except OSError:
                return 0
            finally:
                os.close(directory)
        return self._parents[pid]

    def look_at(self, pid: int, held_among: Callable[[int], set[int]]) -> set[int]:
        """The sockets that it holds of those that ``held_among`` sees in its open files.

        One process never ends the walk: it counts as denied when it could not be read, and as nothing when it has
        ended.
        """
        try:
            directory = os.open(f"{self._proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            return self._without(pid, error)
        try:
            files = os.open("fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
            try:
                held = held_among(files)
            finally:
                os.close(files)
            return self._held_by(pid, described(directory, pid), parent_of(directory), held) if held else held
        except OSError as error:
            return self._without(pid, error)
        finally:
            os.close(directory)

    def _held_by(self, pid: int, process: Process, parent: int, held: set[int]) -> set[int]:
        """A pid that is looked at twice may be another process by now, which is not named by the first one's name."""
        if self._processes.setdefault(pid, process) != process:
            return set()
        self._parents[pid] = parent
        for inode in held:
            self.holders.setdefault(inode, set()).add(pid)
        return held

    def _without(self, pid: int, error: OSError) -> set[int]:
        if error.errno not in _ENDED:
            self._denied.add(pid)
        return set()


class _Search:
    """The claims that have no owner yet (``left``, by number), and what was found."""

    def __init__(self, proc: str, claims: Sequence[Claim]) -> None:
        self._proc = proc
        self._claims = claims
        self._claim_of = {f"{_SOCKET}{inode}]": number for number, claim in enumerate(claims) for inode in claim.inodes}
        self.left = set(self._claim_of.values())
        self.found = _Found(proc)

    def in_cgroups(self) -> None:
        made_in: dict[str, set[int]] = {}
        for number in self.left:
            for directory in self._claims[number].cgroups:
                made_in.setdefault(directory, set()).add(number)
        for directory in sorted(made_in):
            self.among(_members(directory), made_in[directory])

    def likely_first(self, candidates: Iterable[int]) -> list[int]:
        uids = {uid for number in self.left for uid in self._claims[number].uids}
        return sorted(candidates, key=lambda pid: (self._uid_of(pid) not in uids, pid))

    def _uid_of(self, pid: int) -> int | None:
        try:
            return os.stat(f"{self._proc}/{pid}").st_uid
        except OSError:
            return None  # it has ended, or is looked at last

    def among(self, candidates: Iterable[int], wanted: set[int]) -> None:
        """Looks at the processes in turn, until the claims ``wanted`` have an owner."""
        for pid in candidates:
            pending = self.left & wanted
            if not pending:
                return
            held = self.found.look_at(pid, partial(self._held, pending))
            self.left -= {self._claim_of[f"{_SOCKET}{inode}]"] for inode in held}

    def _held(self, pending: set[int], files: int) -> set[int]:
        """The sockets of claims without owner; no further than to one of each of ``pending``, which it empties."""
        held: set[int] = set()
        for link in _links(files):
            claim = self._claim_of.get(link)
            if claim in self.left:
                held.add(int(link[len(_SOCKET) : -1]))
                pending.discard(claim)
                if not pending:
                    break
        return held


def _members(directory: str) -> list[int]:
    """The processes of a cgroup; none where it does not tell, as the walk will."""
    try:
        with open(f"{directory}/cgroup.procs", "rb") as file:
            return sorted(int(pid) for pid in file.read().split() if pid != b"0")  # 0: outside of our pid namespace
    except OSError:
        return []


def _sockets_held(sought: dict[str, int], files: int) -> set[int]:
    """All of the sockets ``sought`` that are among the open files: the inner loop of the whole walk."""
    held = set()
    for name in os.listdir(files):
        try:
            target = os.readlink(name, dir_fd=files)
        except OSError as error:
            if error.errno in _ENDED:
                continue  # closed since the directory was listed
            raise
        if target in sought:
            held.add(sought[target])
    return held


def _links(files: int) -> Iterator[str]:
    """Where the open files lead, lowest first."""
    number = absent = 0
    while number < _LOW_NUMBERS and absent < _GAP:
        link = _link(files, str(number))
        number += 1
        if link is None:
            absent += 1
        else:
            yield link
    for name in os.listdir(files):
        link = _link(files, name) if int(name) >= number else None
        if link is not None:
            yield link


def _link(files: int, number: str) -> str | None:
    try:
        return os.readlink(number, dir_fd=files)
    except OSError as error:
        if error.errno in _ENDED:
            return None  # not in use, or closed since
        raise
