# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From sockets to listeners: what is merged, what is not, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners.endpoints import Knowledge, listeners
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    BoundSocket,
    Package,
    Place,
    Process,
    SocketsSeen,
    Walk,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.socket_units import parse

SOCKET = BoundSocket("tcp", "ipv6", "::", 80, None, True, 0, 1, None)
PROCESS = Process(7, b"app", b"/usr/bin/app", False, True, (b"app", b"--password", b"x"), 0, Place("app.service", None))
SSH = Process(8, b"sshd", b"/usr/sbin/sshd", False, True, (b"sshd",), 0, Place("ssh.service", None))
SYSTEMD = Process(1, b"systemd", b"/lib/systemd/systemd", False, True, (b"init",), 0, Place("init.scope", None))


def rows(*sockets: BoundSocket, namespace: str = "host", **known: Any) -> list[dict[str, Any]]:
    known.setdefault("walk", Walk({}, {}, 0))
    return listeners({namespace: SocketsSeen(sockets, {}, {}, (), (32768, 60999))}, Knowledge(**known))


def held(*processes: Process, inode: int = 1) -> Walk:
    return Walk({inode: tuple(each.pid for each in processes)}, {each.pid: each for each in processes}, 0)


@pytest.mark.parametrize(
    ("flags", "together"), [((True, True), True), ((True, False), False), ((True, None), None), ((None, False), False)]
)
def test_a_group_takes_ipv4_when_one_of_its_sockets_does(flags: tuple[Any, Any], together: bool | None) -> None:
    (row,) = rows(SOCKET._replace(v6only=flags[0]), SOCKET._replace(v6only=flags[1], inode=2))
    assert (row["v6only"], row["sockets"]) == (together, 2)


def test_the_state_of_owners() -> None:
    second = SOCKET._replace(inode=2)
    assert rows(SOCKET)[0]["owners_state"] == "unknown"
    assert rows(SOCKET, second, walk=held(PROCESS))[0]["owners_state"] == "partial"
    assert rows(SOCKET, walk=held(PROCESS))[0]["owners_state"] == "known"
    assert rows(SOCKET._replace(inode=0), walk=held(PROCESS))[0]["owners_state"] == "unknown"


def test_a_socket_that_is_listed_twice_counts_once() -> None:
    assert rows(SOCKET, SOCKET)[0]["sockets"] == 1
    assert rows(SOCKET._replace(inode=0), SOCKET._replace(inode=0))[0]["sockets"] == 2


def test_users_who_differ_are_not_one_user() -> None:
    (row,) = rows(SOCKET, SOCKET._replace(inode=2, uid=33))
    assert (row["uid"], row["user"]) == (None, None)


UNITS = parse(
    b"Id=ssh.socket\nTriggers=ssh.service\nListen=0.0.0.0:22 (Stream)\nListen=[::]:22 (Stream)\n\n"
    b"Id=dns.socket\nTriggers=dns@.service\nListen=127.0.0.1:53 (Datagram)\nListen=/run/x (Stream)\n\n\nId=broken\n"
)


def test_what_systemctl_shows_is_read() -> None:
    assert [(unit.name, unit.triggers, len(unit.listens)) for unit in UNITS] == [
        ("ssh.socket", "ssh.service", 2),
        ("dns.socket", "dns@.service", 1),
    ]


def test_a_socket_unit_is_told_by_the_cgroup_of_the_socket() -> None:
    (row,) = rows(
        SOCKET._replace(cgroup_id=5),
        walk=held(SYSTEMD, PROCESS),
        places={5: Place("ssh.socket", None)},
        socket_units=UNITS,
    )
    assert (row["unit"], row["activates"]) == ("ssh.socket", "ssh.service")


def test_a_socket_that_systemd_holds_is_found_in_its_list() -> None:
    """Kernels and systemds that make the socket in pid 1's own cgroup."""
    there = SOCKET._replace(port=22, cgroup_id=6)
    (row,) = rows(there, walk=held(SYSTEMD), places={6: Place("init.scope", None)}, socket_units=UNITS)
    assert (row["unit"], row["activates"]) == ("ssh.socket", "ssh.service")


def test_a_socket_of_another_process_is_not_taken_for_systemds() -> None:
    (row,) = rows(SOCKET._replace(port=22), walk=held(PROCESS), socket_units=UNITS)
    assert (row["unit"], row["activates"]) == ("app.service", None)


def test_the_unit_falls_back_to_the_one_that_all_owners_share() -> None:
    assert rows(SOCKET, walk=held(PROCESS))[0]["unit"] == "app.service"
    assert rows(SOCKET, walk=held(PROCESS, SSH))[0]["unit"] is None
    assert rows(SOCKET, walk=held(SYSTEMD, SSH))[0]["unit"] == "ssh.service"


def test_rows_are_sorted_whatever_the_order_of_the_kernel() -> None:
    sockets = [
        SOCKET._replace(port=port, inode=port, address=address) for port in (443, 80) for address in ("::1", "::")
    ]
    sockets.append(SOCKET._replace(protocol="udp", port=1))
    found = rows(*sockets)
    assert found == rows(*reversed(sockets))
    assert [(row["port"], row["address"]) for row in found] == [
        (80, "::"),
        (80, "::1"),
        (443, "::"),
        (443, "::1"),
        (1, "::"),
    ]


@pytest.mark.parametrize(
    ("process", "named"),
    [
        (PROCESS, True),
        (PROCESS._replace(executable_on_host=False, place=Place(None, "docker/abc")), False),
        (PROCESS._replace(executable_on_host=False), False),
        (PROCESS._replace(executable_on_host=False, executable_deleted=True), True),
        (PROCESS._replace(executable_on_host=False, executable_deleted=True, place=Place(None, "docker/abc")), False),
    ],
)
def test_the_hosts_packages_do_not_speak_for_a_container(process: Process, named: bool) -> None:
    packages = {b"/usr/bin/app": Package("app", "1.0", "dpkg")}
    (row,) = rows(SOCKET, walk=held(process), packages=packages)
    assert (row["owners"][0]["package"] is not None) is named


@pytest.mark.parametrize(
    ("commands", "shown"), [("none", None), ("redacted", "app --password '[redacted]'"), ("full", "app --password x")]
)
def test_command_lines_are_shown_as_asked(commands: str, shown: str | None) -> None:
    assert rows(SOCKET, walk=held(PROCESS), commands=commands)[0]["owners"][0]["command"] == shown
