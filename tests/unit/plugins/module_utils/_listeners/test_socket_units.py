# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd tells of its sockets and of what they start. The texts are as systemd 252 writes them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import Activated, SocketUnit
from ansible_collections.vigil.ports.plugins.module_utils._listeners.programs import Answer, ProgramError
from ansible_collections.vigil.ports.plugins.module_utils._listeners.socket_units import (
    ask_what_runs,
    parse,
    parse_activated,
)

TIMES = "start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }"


def service(name: str = "ssh.service", **more: str | list[str] | None) -> bytes:
    """A block of ``systemctl show`` on a service; None leaves a line out."""
    lines: dict[str, str | list[str] | None] = {
        "ExecStart": command("/usr/sbin/sshd", "-D $SSHD_OPTS", "ignore_errors=no"),
        "ExecStartEx": command("/usr/sbin/sshd", "-D $SSHD_OPTS", "flags="),
        "RootDirectory": "",
        "RootImage": "",
        "User": "",
        "Id": name,
        "LoadState": "loaded",
        **more,
    }
    rows = [(key, one) for key, value in lines.items() for one in ([value] if not isinstance(value, list) else value)]
    return "".join(f"{key}={value}\n" for key, value in rows if value is not None).encode()


def command(path: str, arguments: str, how: str) -> str:
    return f"{{ path={path} ; argv[]={path} {arguments} ; {how} ; {TIMES}"


def flagged(flags: str) -> str:
    return command("/usr/sbin/sshd", "-D", f"flags={flags}")


@pytest.mark.parametrize(
    ("text", "activated"),
    [
        (service(), Activated("/usr/sbin/sshd", "root")),
        (service(User="www-data"), Activated("/usr/sbin/sshd", "www-data")),
        # A command that does not run as the user of its unit: "+" and "!" before it.
        (service(User="www-data", ExecStartEx=flagged("privileged")), Activated("/usr/sbin/sshd", "root")),
        (
            service(User="www-data", ExecStartEx=flagged("ignore-failure no-setuid")),
            Activated("/usr/sbin/sshd", "root"),
        ),
        (service(User="www-data", ExecStartEx=flagged("ignore-failure")), Activated("/usr/sbin/sshd", "www-data")),
        # A systemd that does not tell.
        (service(User="www-data", ExecStartEx=None), Activated("/usr/sbin/sshd", None)),
        (service(User=None), Activated("/usr/sbin/sshd", None)),
        # Arguments that look like the rest of the line.
        (
            service(User="me", ExecStartEx=command("/bin/a", f"; flags=privileged ; {TIMES}", "flags=")),
            Activated("/usr/sbin/sshd", None),
        ),
        (service(ExecStart=command("/bin/a;b", "", "ignore_errors=no")), Activated(None, "root")),
        (service(ExecStart="{ path=sshd ; argv[]=sshd }"), Activated(None, "root")),
    ],
)
def test_what_a_service_would_run(text: bytes, activated: Activated) -> None:
    assert parse_activated(text) == {"ssh.service": activated}


@pytest.mark.parametrize(
    "text",
    [
        service(LoadState="not-found", ExecStart=None, ExecStartEx=None),
        service(LoadState="masked"),
        service(LoadState="bad-setting"),
        service(RootDirectory="/srv/jail"),
        service(RootImage="/srv/jail.raw"),
        service(ExecStart=[command("/bin/true", "", "ignore_errors=no")] * 2),
        service(ExecStart=None),
        b"",
        b"\n\n\n",
    ],
)
def test_nothing_is_told_of_what_cannot_be_known(text: bytes) -> None:
    assert parse_activated(text) == {}


def test_a_socket_that_accepts_starts_an_instance_of_its_template() -> None:
    """systemd names no unit that it triggers (systemd.socket(5), Accept=)."""
    (unit,) = parse(b"Accept=yes\nListen=127.0.0.1:2202 (Stream)\nId=two.socket\nTriggers=\n")
    assert unit.triggers == "two@.service"


class Systemctl:
    """Answers for the units it knows, as the program does."""

    def __init__(self, *blocks: bytes, status: int = 0) -> None:
        self.asked: list[Sequence[str]] = []
        self._answer = Answer(status, b"\n".join(blocks), b"" if status == 0 else b"Failed to connect to bus")

    def __call__(self, argv: Sequence[str]) -> Answer:
        self.asked.append(argv)
        return self._answer


SSH = SocketUnit("ssh.socket", "ssh.service", frozenset({("tcp", "0.0.0.0", 22)}))
ECHO = SocketUnit("echo.socket", "echo@.service", frozenset({("tcp", "127.0.0.1", 7)}))
CUPS = SocketUnit("cups.socket", "cups.service", frozenset())


def test_all_services_of_sockets_that_listen_are_asked_at_once() -> None:
    systemctl = Systemctl(service("echo@vigil-ports.service", User="nobody"), service("ssh.service"))
    found = ask_what_runs(systemctl, (SSH, ECHO, CUPS))
    assert [unit.activated for unit in found] == [
        Activated("/usr/sbin/sshd", "root"),
        Activated("/usr/sbin/sshd", "nobody"),
        None,
    ]
    (argv,) = systemctl.asked
    assert argv[argv.index("--") + 1 :] == ["echo@vigil-ports.service", "ssh.service"]


def test_nobody_is_asked_where_no_socket_unit_listens() -> None:
    systemctl = Systemctl()
    assert ask_what_runs(systemctl, (CUPS,)) == (CUPS,)
    assert not systemctl.asked


def test_a_systemd_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(ProgramError, match="Failed to connect to bus"):
        ask_what_runs(Systemctl(status=1), (SSH,))
