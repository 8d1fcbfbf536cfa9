# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners are named rightly or not at all, whatever the process does to its name, its file or its number."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners import owners

Experiment = Callable[..., Any]


def test_hidden_process_name_is_shown_with_its_escapes(experiment: Experiment) -> None:
    owner = experiment(r"""
a = listen("127.0.0.1", 8001)
libc.prctl(15, b"\x1b[31m]]>\n\xff\xe2\x80\xae", 0, 0, 0)  # PR_SET_NAME
tell(row(observe(Request(), Host()), 8001)["owners"][0])
""")
    assert owner["name"] == r"\x1b[31m]]>\x0a\xff\u202e"


def test_deleted_executable_is_told_and_its_path_is_clean(experiment: Experiment, tmp_path: Path) -> None:
    deleted, really_named_so, running = experiment(f"""
import shutil
folder = {str(tmp_path)!r}
code = (
    "import socket, sys, time; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen();"
    "print(flush=True); time.sleep(60)"
)
def start(name, port):
    path = os.path.join(folder, name)
    shutil.copy(os.path.realpath(sys.executable), path)
    env = dict(os.environ, PYTHONHOME=sys.base_prefix)
    started = subprocess.Popen([path, "-c", code, str(port)], stdout=subprocess.PIPE, env=env)
    started.stdout.readline()
    return path
os.unlink(start("gone", 8001))
start("there (deleted)", 8002)
start("plain", 8003)
result = observe(Request(), Host())
tell([row(result, port)["owners"][0] for port in (8001, 8002, 8003)])
""")
    assert (deleted["executable"], deleted["executable_deleted"]) == (f"{tmp_path}/gone", True)
    assert really_named_so["executable"] == f"{tmp_path}/there (deleted)"
    assert really_named_so["executable_deleted"] is False
    assert (running["executable"], running["executable_deleted"]) == (f"{tmp_path}/plain", False)


def test_a_path_that_is_another_file_to_the_host_is_told_from_it(experiment: Experiment, tmp_path: Path) -> None:
    """An unprivileged user gets mounts of its own with a user namespace, and puts a program in the place of another."""
    spoofed, private, plain = experiment(f"""
folder = {str(tmp_path)!r}
import shutil
os.chmod(folder, 0o755)
code = (
    "import socket, sys, time; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen();"
    "print(flush=True); time.sleep(60)"
)
real, mine = os.path.join(folder, "real"), os.path.join(folder, "mine")
for path in (real, mine):
    shutil.copy(os.path.realpath(sys.executable), path)
env = dict(os.environ, PYTHONHOME=sys.base_prefix)
def start(port, *around):
    started = subprocess.Popen([*around, real, "-c", code, str(port)], stdout=subprocess.PIPE, env=env)
    started.stdout.readline()
start(8001, "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
      'mount --bind "$1" "$2" && shift && exec "$@"', "sh", mine)
start(8002, "unshare", "--mount")
start(8003)
result = observe(Request(), Host())
tell([row(result, port)["owners"][0] for port in (8001, 8002, 8003)])
""")
    assert {one["executable"] for one in (spoofed, private, plain)} == {f"{tmp_path}/real"}
    assert [one["executable_seen_as"] for one in (spoofed, private, plain)] == ["other", "host", "host"]
    there = os.stat(tmp_path / "real")
    about = {"size": there.st_size, "modified": int(there.st_mtime), "inode": there.st_ino}
    assert plain["executable_file"] == private["executable_file"] == about
    assert spoofed["executable_file"]["inode"] == os.stat(tmp_path / "mine").st_ino


def test_a_pid_that_was_given_to_another_process_is_not_named(experiment: Experiment) -> None:
    """The kernel gives the pid away between the look at the open files and the look at the name."""
    victim, successor, holders, names = experiment("""
a = listen("127.0.0.1", 8001)
victim = child()
described, seen = owners.described, []
def successor_takes_over(directory, pid):
    if pid != victim or seen:
        return described(directory, pid)
    os.kill(victim, signal.SIGKILL)
    os.waitpid(victim, 0)
    open("/proc/sys/kernel/ns_last_pid", "w").write(str(victim - 1))
    seen.append(child(lambda: (a.close(), libc.prctl(15, b"innocent", 0, 0, 0))))
    return described(directory, pid)
owners.described = successor_takes_over
found = row(observe(Request(), Host()), 8001)["owners"]
tell([victim, seen[0], [owner["pid"] for owner in found], [owner["name"] for owner in found]])
""")
    assert victim == successor, "the experiment did not get the pid again"
    assert victim not in holders
    assert "innocent" not in names


def test_a_socket_that_moves_into_a_child_born_during_the_walk_is_found(experiment: Experiment) -> None:
    heir, named = experiment("""
a = listen("127.0.0.1", 8001)
heir = []
real = owners.pids
def born_later(proc):
    found = real(proc)
    if not heir:
        heir.append(child())
        a.close()
    return found
owners.pids = born_later
named = row(observe(Request(), Host()), 8001)["owners"]
tell([heir[0], named])
""")
    assert [owner["pid"] for owner in named] == [heir]


def test_the_effective_user_of_the_process_and_the_user_of_the_socket(experiment: Experiment) -> None:
    socket_uid, name, process_uids = experiment("""
os.seteuid(54321)
a = listen("127.0.0.1", 8001)
os.seteuid(0)
pid = child(lambda: os.seteuid(12345))
found = row(observe(Request(), Host()), 8001)
tell([found["uid"], found["user"], [owner["uid"] for owner in found["owners"] if owner["pid"] == pid]])
""")
    assert (socket_uid, name) == (54321, None), "a uid without an entry is a number, and not a failure"
    assert process_uids == [12345]


def test_a_command_line_of_megabytes_is_cut(experiment: Experiment) -> None:
    command = experiment("""
code = (
    "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', 8001)); s.listen();"
    "print(flush=True); time.sleep(60)"
)
started = subprocess.Popen([sys.executable, "-c", code, *["x" * 100000] * 10], stdout=subprocess.PIPE)
started.stdout.readline()
tell(row(observe(Request(), Host()), 8001)["owners"][0]["command"])
""")
    assert len(command) < 1100
    assert command.endswith(" more]")


@pytest.mark.parametrize(("number", "denied"), [(errno.EACCES, 1), (errno.ESRCH, 0), (errno.ENOENT, 0), (errno.EIO, 1)])
def test_one_process_that_cannot_be_read_never_ends_the_walk(
    monkeypatch: pytest.MonkeyPatch, number: int, denied: int
) -> None:
    real = os.open

    def refuse(path: Any, *args: Any, **options: Any) -> int:
        if path == "fd":
            raise OSError(number, os.strerror(number))
        return real(path, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(owners, "pids", lambda proc: [os.getpid()])
    found = owners.all_owners("/proc", [12345])
    assert (dict(found.holders), found.denied) == ({}, denied)


def test_in_a_pid_namespace_a_missing_owner_makes_the_owners_incomplete(experiment: Experiment) -> None:
    """As in a container that shares the host's network."""
    seen, all_known = experiment("""
a = listen("127.0.0.1", 8001)
known = observe(Request(), Host())["coverage"]
code = (
    "import json;"
    "from ansible_collections.vigil.ports.plugins.module_utils._listeners.observe import Host, Request, observe;"
    "print(json.dumps(observe(Request(), Host())))"
)
contained = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c", code]
tell([json.loads(subprocess.run(contained, stdout=subprocess.PIPE, check=True).stdout), known])
""")
    assert seen["listeners"][0]["owners_state"] == "unknown"
    assert seen["coverage"]["owners"] == {"asked": "all", "complete": False, "unknown": 1}
    assert [problem["code"] for problem in seen["coverage"]["problems"]] == ["processes-hidden"]
    assert all_known["owners"] == {"asked": "all", "complete": True, "unknown": 0}


def test_nothing_wanted_costs_no_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "pids", lambda proc: pytest.fail("walked"))
    assert owners.all_owners("/proc", [0]).holders == {}
