# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sockets that systemd holds for services, and what each of them starts.

Where the kernel tells the socket's cgroup, that names the unit already; what it triggers only systemd knows.
Sources: systemd.socket(5), systemd.service(5) (ExecStart= and its prefixes), systemctl(1). This module is private to
the collection.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Iterable, Iterator

from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    Activated,
    BoundSocket,
    SocketUnit,
)
from ansible_collections.vigil.ports.plugins.module_utils._listeners.programs import ProgramError, Runner

# Each part has an end (an address has at most 45 characters, a device 15), so that no text takes quadratic time.
_LISTEN = re.compile(
    r"(?P<address>\[[^][]{0,45}\]|[0-9.]{7,15}):(?P<port>[0-9]{1,5})(?:%\S{1,15})? \((?P<kind>Stream|Datagram)\)"
)
_LAST_PORT = 65535
_PROTOCOLS = {"Stream": "tcp", "Datagram": "udp"}


# One command, by its path alone: its arguments may hold any text. systemd writes no path that holds a semicolon
# otherwise than a list of commands, so none is taken.
_COMMAND = re.compile(r"\{ path=(?P<path>/[^;]{1,4095}) ; argv\[\]=.*\}", re.DOTALL)
_FLAGS = re.compile(r" ; flags=(?P<flags>[a-z -]{0,100}) ; start_time=[^;]{0,100} ; stop_time=[^;]{0,100} ; pid=")
#: With these a command does not run as the ``User=`` of its unit: "+", "!" and "!!" before it.
_AS_ROOT = frozenset(("privileged", "no-setuid", "ambient"))
_ELSEWHERE = ("RootDirectory", "RootImage")  # a path there is not a path of the host
_INSTANCE = "vigil-ports"  # a template is asked by the name of an instance, which does not have to be there


def ask_systemd(run: Runner) -> tuple[SocketUnit, ...]:
    """All loaded socket units, without what runs when they are called. Raises ProgramError."""
    return parse(_show(run, ("Id", "Triggers", "Listen", "Accept"), ["*.socket"]))


def ask_what_runs(run: Runner, units: tuple[SocketUnit, ...]) -> tuple[SocketUnit, ...]:
    """The units, with what each that listens on a port would run. Raises ProgramError."""
    names = sorted({_instance(unit.triggers) for unit in units if unit.triggers and unit.listens})
    if not names:
        return units
    asked = ("Id", "LoadState", "ExecStart", "ExecStartEx", "User", *_ELSEWHERE)
    found = parse_activated(_show(run, asked, names))
    return tuple(unit._replace(activated=found.get(_instance(unit.triggers or ""))) for unit in units)


def _show(run: Runner, properties: Iterable[str], units: list[str]) -> bytes:
    answer = run(["systemctl", "show", "--no-pager", f"--property={','.join(properties)}", "--", *units])
    if answer.status != 0:
        raise ProgramError(f"systemctl ended with {answer.status}: {answer.errors.decode('utf-8', 'replace').strip()}")
    return answer.output


def _instance(unit: str) -> str:
    return unit.replace("@.", f"@{_INSTANCE}.")


def parse(output: bytes) -> tuple[SocketUnit, ...]:
    """Blocks of ``Key=value`` lines, one block a unit; Listen may be there several times."""
    found = []
    for values in _blocks(output):
        name = "".join(values.get("Id", []))
        if name.endswith(".socket"):
            found.append(SocketUnit(name, _triggers(name, values), _listens(values.get("Listen", []))))
    return tuple(found)


def _triggers(name: str, values: dict[str, list[str]]) -> str | None:
    """With Accept=yes it is a template of the socket's name, which systemd does not tell (systemd.socket(5))."""
    if values.get("Accept") == ["yes"]:
        return name[: -len(".socket")] + "@.service"
    triggers = " ".join(values.get("Triggers", [])).split()
    return triggers[0] if triggers else None


def parse_activated(output: bytes) -> dict[str, Activated]:
    """By the name of the unit. Nothing is told of one that is not loaded, is in another root, or has many commands."""
    found = {}
    for values in _blocks(output):
        commands = values.get("ExecStart", [])
        is_plain = values.get("LoadState") == ["loaded"] and not any("".join(values.get(key, [])) for key in _ELSEWHERE)
        if is_plain and len(commands) == 1:
            command = _COMMAND.fullmatch(commands[0])
            found["".join(values.get("Id", []))] = Activated(command["path"] if command else None, _user(values))
    return found


def _user(values: dict[str, list[str]]) -> str | None:
    """Who the command runs as. None where a systemd does not tell whether it runs as ``User=`` says (before 244)."""
    user = "".join(values.get("User", []))
    if user in ("", "root"):
        return "root" if "User" in values else None
    commands = values.get("ExecStartEx", [])
    flags = _FLAGS.findall(commands[0]) if len(commands) == 1 else []
    if len(flags) != 1:
        return None
    return "root" if _AS_ROOT.intersection(flags[0].split()) else user


def _blocks(output: bytes) -> Iterator[dict[str, list[str]]]:
    for block in re.split(r"\n{2,}", output.decode("utf-8", "surrogateescape")):
        values: dict[str, list[str]] = {}
        for line in block.split("\n"):
            key, _equals, value = line.partition("=")
            values.setdefault(key, []).append(value)
        yield values


def _listens(lines: list[str]) -> frozenset[tuple[str, str, int]]:
    return frozenset(_endpoints(" ".join(lines)))


def _endpoints(text: str) -> Iterator[tuple[str, str, int]]:
    for match in _LISTEN.finditer(text):
        try:
            address = ipaddress.ip_address(match["address"].strip("[]"))
        except ValueError:
            continue  # what systemd writes for another kind of address is not an endpoint
        if 0 < int(match["port"]) <= _LAST_PORT:
            yield _PROTOCOLS[match["kind"]], str(address), int(match["port"])


def unit_for(socket: BoundSocket, units: tuple[SocketUnit, ...]) -> SocketUnit | None:
    """The unit that declares this endpoint. One listening on ``[::]`` is not one on ``0.0.0.0``."""
    endpoint = (socket.protocol, socket.address, socket.port)
    return next((unit for unit in units if endpoint in unit.listens), None)
