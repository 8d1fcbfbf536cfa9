# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Less looking gives less, and never something else: ``first`` and ``unit`` are held against ``all``, and that against
a walk that is written otherwise."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners import cgroups, owners

Experiment = Callable[..., Any]

ASK = """
def ask(wanted):
    return observe(Request(owners=wanted), Host())

def enter(unit):
    os.makedirs(f"{GROUP}/{unit}", exist_ok=True)
    with open(f"{GROUP}/{unit}/cgroup.procs", "w") as members:
        members.write("0")

def pids_of(result, port, address=None):
    return [owner["pid"] for owner in row(result, port, address)["owners"]]

def service(unit, *made, user=None):
    # A child in its unit, which makes its sockets itself.
    kept = []
    def work():
        if unit:
            enter(unit)
        if user is not None:
            os.setuid(user)
        kept.extend(make() for make in made)
    return child(work)

def every_other_way():
    # Sockets by the inode that stat tells, and not by the text of a link; the sockets are those of ss.
    held = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for path in glob.glob(f"/proc/{pid}/fd/*"):
            try:
                there = os.stat(path)
            except OSError:
                continue
            if stat.S_ISSOCK(there.st_mode):
                held.setdefault(there.st_ino, set()).add(int(pid))
    found = {}
    for line in subprocess.run(["ss", "-Htulne"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines():
        protocol, _state, _r, _s, local, *rest = line.split()
        inode = int(re.search(r"ino:(\\d+)", line)[1])
        found.setdefault(f"{protocol} {local.rpartition(':')[2]}", set()).update(held.get(inode, ()))
    return {endpoint: sorted(holders) for endpoint, holders in found.items()}

import glob, stat
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A slice of its own in cgroup v2."""
    mount = cgroups.unified_mount(Path("/proc/self/mountinfo").read_bytes())
    if mount is None:
        pytest.skip("no cgroup v2 is mounted")
    made = Path(mount) / f"vigiltest{os.getpid()}.slice"
    try:
        made.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made: {error}")
    try:
        yield made
    finally:
        _remove(made)


def _remove(group: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            for path, _directories, _files in os.walk(group, topdown=False):
                os.rmdir(path)
        except OSError:  # busy until its last process is gone
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@pytest.fixture
def in_units(experiment: Experiment, group: Path) -> Experiment:
    return lambda code: experiment(f"GROUP = {str(group)!r}\n{ASK}{code}")


def test_all_owners_are_those_that_an_independent_walk_finds(in_units: Experiment) -> None:
    ours, theirs, first, unit = in_units("""
service("web.service", lambda: listen("0.0.0.0", 80), lambda: listen("::", 443, v6only=1))
service("dns.service", lambda: datagram("0.0.0.0", 5353), lambda: listen("0.0.0.0", 5353), user=1053)
prefork = listen("127.0.0.1", 9000)
workers = [child() for _worker in range(3)]
for number in range(4):
    service(f"shared{number}.service", lambda: listen("0.0.0.0", 8080, reuseport=1))
def late():
    kept.extend(os.dup(0) for _file in range(100))
    kept.append(listen("0.0.0.0", 7000))
kept = []
child(late)  # its socket is beyond the low descriptors
def far():
    made = listen("0.0.0.0", 7001)
    os.dup2(made.fileno(), 500)
    made.close()
child(far)
results = {wanted: ask(wanted) for wanted in ("all", "first", "unit")}
shown = {wanted: {f"{each['protocol']} {each['port']}": each for each in result["listeners"]}
         for wanted, result in results.items()}
tell([{endpoint: [owner["pid"] for owner in each["owners"]] for endpoint, each in shown["all"].items()},
      every_other_way(), shown["first"], {endpoint: each["unit"] for endpoint, each in shown["unit"].items()}])
""")
    assert len(ours) == 8
    assert len(ours["tcp 8080"]) == 4
    assert len(ours["tcp 9000"]) >= 4
    assert ours == theirs
    for endpoint, row in first.items():
        (owner,) = row["owners"]
        assert owner["pid"] in ours[endpoint]
        assert row["owners_state"] == "partial", "others may hold it as well"
    assert unit["tcp 80"] == unit["tcp 443"] == "web.service"
    assert unit["tcp 5353"] == unit["udp 5353"] == "dns.service"
    assert unit["tcp 8080"] is None, "four units share it"


def test_units_are_those_of_a_full_walk_and_nothing_else_is_claimed(in_units: Experiment) -> None:
    unit, everything = in_units("""
for number in range(30):
    service(f"unit{number}.service", lambda: listen("127.0.0.1", 8000 + number), user=2000 + number)
child(lambda: globals().update(kept=listen("127.0.0.1", 9000)))  # in no unit
tell([ask("unit"), ask("all")])
""")
    without = ("owners", "owners_state")
    assert [{key: value for key, value in row.items() if key not in without} for row in unit["listeners"]] == [
        {key: value for key, value in row.items() if key not in without} for row in everything["listeners"]
    ]
    assert {row["port"]: row["unit"] for row in unit["listeners"]} == {
        **{8000 + number: f"unit{number}.service" for number in range(30)},
        9000: None,
    }
    assert {(tuple(row["owners"]), row["owners_state"]) for row in unit["listeners"]} == {((), "unknown")}
    assert unit["coverage"]["owners"] == {"asked": "unit", "complete": False, "unknown": 1}
    assert everything["coverage"]["owners"] == {"asked": "all", "complete": True, "unknown": 0}


def test_no_process_is_looked_at_for_units_and_only_those_of_the_cgroup_for_the_first_owner(
    in_units: Experiment,
) -> None:
    looked_at, services, walked = in_units("""
services = [service(f"unit{number}.service", *(lambda base=base: listen("127.0.0.1", base + number)
                                               for base in (8000, 9000))) for number in range(3)]
bystanders = [child() for _process in range(5)]
looked_at, walked = [], []
real_look, real_pids = owners._Found.look_at, owners.pids
owners._Found.look_at = lambda self, pid, held: looked_at.append(pid) or real_look(self, pid, held)
owners.pids = lambda proc: walked.append(1) or real_pids(proc)
ask("unit")
assert not looked_at and not walked
first = ask("first")
assert all([pids_of(first, base + number) for number in range(3)] == [[pid] for pid in services]
           for base in (8000, 9000))
tell([looked_at, services, walked])
""")
    assert sorted(looked_at) == sorted(services)
    assert walked == []


def test_a_socket_that_was_passed_to_another_cgroup_is_found_there(in_units: Experiment) -> None:
    """The cgroup says who made a socket, and a process of another one may hold it, alone or as well."""
    everything, first, unit, taker, sharer, maker = in_units("""
mine, theirs = socket.socketpair(socket.AF_UNIX)
def give(*ports):
    made = [listen("127.0.0.1", port) for port in ports]
    socket.send_fds(theirs, [b"x"], [each.fileno() for each in made])
    return made
def maker():
    enter("maker.service")
    globals().update(kept=give(8001, 8002)[1:])  # 8001 is given away, 8002 is shared
def taker(keep):
    enter(f"taker{keep}.service")
    _data, taken, *_rest = socket.recv_fds(mine, 1, 2)
    os.close(taken[1 - keep])
    globals().update(kept=taken[keep])
made = child(maker)
_data, taken, *_rest = socket.recv_fds(mine, 1, 2)
for _taker in range(2):
    socket.send_fds(theirs, [b"x"], taken)
for descriptor in taken:
    os.close(descriptor)
takers = [child(lambda keep=keep: taker(keep)) for keep in (0, 1)]
answers = [ask(wanted) for wanted in ("all", "first", "unit")]
tell([*[[pids_of(answer, port) for port in (8001, 8002)] for answer in answers[:2]],
      [row(answers[2], port)["unit"] for port in (8001, 8002)], *takers, made])
""")
    assert everything == [[taker], sorted((sharer, maker))]
    assert first == [[taker], [maker]]
    assert unit == ["maker.service", "maker.service"]


def test_a_second_user_behind_one_port_is_missed_by_no_full_walk(in_units: Experiment) -> None:
    """An SO_REUSEPORT group, in which one process has changed to another user since."""
    shown, service, intruder = in_units("""
pid = service("web.service", lambda: listen("0.0.0.0", 8080, reuseport=1))
def join():
    enter("session.scope")
    globals().update(kept=listen("0.0.0.0", 8080, reuseport=1))
    os.fchown(kept.fileno(), 6666, 6666)
    os.setuid(6666)
intruder = child(join)
tell([{wanted: row(ask(wanted), 8080) for wanted in ("all", "first", "unit")}, pid, intruder])
""")
    found = shown["all"]
    assert {owner["pid"]: (owner["uid"], owner["unit"]) for owner in found["owners"]} == {
        service: (0, "web.service"),
        intruder: (6666, "session.scope"),
    }
    assert (found["owners_state"], found["sockets"]) == ("known", 2)
    assert (found["uid"], found["unit"]) == (None, None), "two users and two units: none speaks for both"
    assert [owner["pid"] for owner in shown["first"]["owners"]] in ([service], [intruder])
    assert (shown["first"]["owners_state"], shown["unit"]["owners_state"]) == ("partial", "unknown")
    assert (shown["unit"]["uid"], shown["unit"]["unit"]) == (None, None)


def test_without_cgroups_the_first_owner_is_looked_for_among_the_processes_of_the_user(experiment: Experiment) -> None:
    """As where netlink is refused: /proc/net tells no cgroup."""
    looked_at, owner, found = experiment(
        ASK
        + """
for _process in range(5):
    child(lambda: os.setuid(3000))
owner = service(None, lambda: listen("127.0.0.1", 8001), user=4000)
def refuse(protocol):
    raise OSError(errno.EPERM, "no")
looked_at = []
real = owners._Found.look_at
owners._Found.look_at = lambda self, pid, held: looked_at.append(pid) or real(self, pid, held)
tell([looked_at, owner, row(observe(Request(owners="first"), Host(opener=refuse)), 8001)])
"""
    )
    assert [each["pid"] for each in found["owners"]] == [owner]
    assert looked_at == [owner]


def test_a_first_owner_born_during_the_walk_is_found(experiment: Experiment) -> None:
    heir, found = experiment(
        ASK
        + """
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
def refuse(protocol):
    raise OSError(errno.EPERM, "no")
found = row(observe(Request(owners="first"), Host(opener=refuse)), 8001)
tell([heir[0], found["owners"]])
"""
    )
    assert [owner["pid"] for owner in found] == [heir]


def test_a_pid_that_is_another_process_at_the_second_look_does_not_take_the_first_ones_name(
    in_units: Experiment,
) -> None:
    """Looked at for its cgroup, and again in the walk; its number was given to another process in between."""
    first, second, victim, successor = in_units("""
enter("b.service")
b = listen("127.0.0.1", 8002)
enter("left.service")  # nobody is where b was made: the walk has to find who holds it
def work():
    enter("a.service")
    globals().update(a=listen("127.0.0.1", 8001))
    b.close()
victim = child(work)
seen = []
real = owners.pids
def successor_takes_over(proc):
    if not seen:
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        open("/proc/sys/kernel/ns_last_pid", "w").write(str(victim - 1))
        seen.append(child(lambda: libc.prctl(15, b"another", 0, 0, 0)))
        b.close()
    return real(proc)
owners.pids = successor_takes_over
found = ask("first")
tell([[[owner["pid"], owner["name"]] for owner in row(found, port)["owners"]] for port in (8001, 8002)]
     + [victim, seen[0]])
""")
    assert victim == successor, "the experiment did not get the pid again"
    assert first == [[victim, "python"]]
    assert second == [], "what holds it now would be shown under the name of the process before"


@pytest.mark.parametrize(
    "used", [[0, 1, 2, 300], [0, 63, 64, 65], [], list(range(200)), [5, 6, 7], [1, 3, 5, 7, 9, 11]]
)
def test_each_open_file_is_looked_at_once_wherever_its_number_is(tmp_path: Path, used: list[int]) -> None:
    for number in used:
        (tmp_path / str(number)).symlink_to(f"socket:[{number}]")
    files = os.open(tmp_path, os.O_RDONLY)
    try:
        assert sorted(owners._links(files)) == sorted(f"socket:[{number}]" for number in used)
    finally:
        os.close(files)


def test_a_process_that_holds_the_socket_of_one_above_it_is_told(in_units: Experiment) -> None:
    """Only in the unit of a service, and with processes between them that do not hold it."""
    told, server, inherits, below, elsewhere, shell, command = in_units("""
told, tell_pid = os.pipe()
def say(name):
    os.write(tell_pid, f"{name} {os.getpid()}\\n".encode())
def server():
    enter("mail.service")
    kept.append(listen("127.0.0.1", 8001))
    say("server")
    child(lambda: say("inherits"))
    def between():
        held = os.dup(kept[0].fileno())
        os.set_inheritable(held, True)
        child(lambda: say("below"))
        os.close(held)
        kept.pop().close()
    child(between)
    child(lambda: [enter("other.service"), say("elsewhere")])
def shell():
    enter("session-1.scope")
    kept.append(listen("127.0.0.1", 8002))
    say("shell")
    child(lambda: say("command"))
kept = []
child(server)
child(shell)
pids = dict(line.split() for line in os.read(told, 4096).decode().splitlines())
found = ask("all")
told = {owner["pid"]: owner["child_of"] for port in (8001, 8002) for owner in row(found, port)["owners"]}
tell([told, *(int(pids[name]) for name in ("server", "inherits", "below", "elsewhere", "shell", "command"))])
""")
    assert {int(pid): above for pid, above in told.items()} == {
        server: None,
        inherits: server,
        below: server,
        elsewhere: None,
        shell: None,
        command: None,
    }
