# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other tools say listens: the text of ss and netstat. This module is private to the collection.

Nothing is skipped without a word: a line that is no listener is counted, and one that is not understood is
named with its number. Headings are translated, so they are known by what they lack: the name of a protocol or
a state at their start, and an address with a port.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable

from .._evidence.observed import Address, Listener, Owner

#: Ports from here on are handed out to clients (Linux: net.ipv4.ip_local_port_range).
_FIRST_EPHEMERAL = 32768
_PORT = re.compile(r"(?P<host>.*):(?P<port>[0-9]{1,5}|\*|[A-Za-z][A-Za-z0-9_-]*)")
_ADDRESS_LIKE = re.compile(r"[0-9a-fA-F*\]:]:([0-9]+|\*)")
#: How a line begins that tells of a socket (ss(8), netstat(8)). With one protocol ss leaves out the first column.
_SOCKET_LINE = re.compile(r"\s*((tcp|udp|sctp|raw|udplite|unix)6?|LISTEN|UNCONN|ESTAB)\s")
#: Sockets of netstat that have no IP port, by their first column (net-tools, lib/proc.c and netstat.c).
_NO_PORTS = re.compile(r"(raw|unix|udplite)6?|l2cap|rfcomm|ax25|netrom|rose|ipx|x25|ddp|econet")
_PROCESS = re.compile(r'\("(?P<name>(?:[^"\\]|\\.)*)",pid=(?P<pid>[0-9]+)')
#: As wide as netstat prints an address; a longer one is cut there (net-tools, without --wide).
_NETSTAT_WIDTH = 23
#: As many characters of ``PID/Program name`` netstat keeps (net-tools, PROGNAME_WIDTH without its end).
_NETSTAT_PROGRAM = 19
#: The column of ``netstat -p``, behind the state, the user and the inode that other options add.
_PROGRAM = re.compile(r"(?:^|\s)(?P<column>(?P<pid>[0-9]+)/(?P<name>\S.*?))\s*$")
#: The column of ``netstat -o``, which is the last one.
_TIMER = re.compile(r"\s+(off|on|keepalive|timewait|probe|unkn-[0-9]+)\s+\([0-9./]+\)\s*$")


@dataclasses.dataclass(frozen=True, slots=True)
class Imported:
    """Listeners that a file tells of.

    ``said`` counts the lines that were not used, ``unnamed`` says of which listeners the process is not known
    although the file names one.
    """

    listeners: tuple[Listener, ...]
    said: tuple[str, ...]
    unnamed: tuple[str, ...] = ()


class NotUnderstoodError(Exception):
    """A file that is not understood as a whole; the text names each line, and the way out."""


class _NoListener(Exception):  # noqa: N818 - not an error: a line that speaks of something else
    """The line is understood, and tells of no listener."""


def read_ss(text: str) -> Imported:
    """The output of ``ss -tuln``, with ``-p`` or without."""
    return _read(text, _ss_line)


def read_netstat(text: str) -> Imported:
    """The output of ``netstat -tuln``, with ``-p`` or without, in any language."""
    return _read(text, _netstat_line, sections=True)


def _read(text: str, parse: Callable[[str], tuple[Listener, str | None]], *, sections: bool = False) -> Imported:
    """Each line through ``parse``. With ``sections`` a heading may stand between sockets as well as above them."""
    found: list[Listener] = []
    heads: list[int] = []
    others: list[int] = []
    broken: list[str] = []
    unnamed: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        is_first = not (found or others or broken)
        if (is_first or sections) and not _SOCKET_LINE.match(line) and not _ADDRESS_LIKE.search(line):
            heads.append(number)
            continue
        try:
            one, why_unnamed = parse(line)
        except _NoListener:
            others.append(number)
        except ValueError as error:
            broken.append(f"line {number}: {error}: {line.strip()[:120]!r}")
        else:
            found.append(one)
            if why_unnamed:
                unnamed.append(f"line {number}: no process is proposed for {one.protocol}/{one.port}: {why_unnamed}")
    if broken:
        raise NotUnderstoodError("\n".join(["nothing was imported, as not all of it is understood:", *broken[:50]]))
    if not found and not others:
        raise NotUnderstoodError("nothing was imported: no line tells of a socket (is it the output of ss or netstat?)")
    told = (("taken as headings", heads), ("that tell of no listener", others))
    said = (f"lines {', '.join(map(str, lines[:20]))}: {what}, {len(lines)} in all" for what, lines in told if lines)
    return Imported(tuple(found), tuple(said), tuple(unnamed))


def _ss_line(line: str) -> tuple[Listener, None]:
    words = line.split(maxsplit=6)
    if words[0] in ("LISTEN", "UNCONN", "ESTAB"):  # without -t and -u together there is no first column
        words = ["tcp" if words[0] == "LISTEN" else "udp", *line.split(maxsplit=5)]
    if words[0] not in ("tcp", "udp", "sctp"):
        if re.fullmatch(r"[a-z_]+[0-9]?", words[0]) and len(words) > 4:
            raise _NoListener
        raise ValueError("not a line of ss")
    if len(words) < 6:
        raise ValueError("too few columns for ss")
    protocol, state, local = words[0], words[1], words[4]
    if state not in ("LISTEN", "UNCONN"):
        raise _NoListener
    rest = words[6] if len(words) > 6 else ""
    processes = [(match["name"], int(match["pid"])) for match in _PROCESS.finditer(rest)]
    if "users:" in rest and not processes:
        raise ValueError("the processes are not understood")
    host, port = _endpoint(local)
    address, device = _ss_address(host)
    return _listener(protocol, address, port, device, processes), None


def _ss_address(host: str) -> tuple[str, str | None]:
    """``*``, ``0.0.0.0``, ``127.0.0.53%lo``, ``[::1]``, ``[fe80::1]%eth0`` and ``*%eth0``."""
    plain, _percent, device = host.partition("%")
    plain = plain.removeprefix("[").removesuffix("]")
    # With one column for both families a star is a socket for both (ss(8)).
    return "::" if plain == "*" else plain, device.removesuffix("]") or None


def _netstat_line(line: str) -> tuple[Listener, str | None]:
    words = line.split(maxsplit=5)
    if _NO_PORTS.fullmatch(words[0]):
        raise _NoListener
    match = re.fullmatch(r"(tcp|udp|sctp)6?", words[0])
    if match is None:
        raise ValueError("not a line of netstat")
    if len(words) < 5:
        raise ValueError("too few columns for netstat")
    protocol, local, foreign = match[1], words[3], words[4]
    if not foreign.endswith(":*"):
        raise _NoListener
    host, port = _endpoint(local)
    if len(local) == _NETSTAT_WIDTH and ":" in host:
        raise ValueError("the address may have been cut: use netstat --wide (-W), or ss")
    processes, why_unnamed = _netstat_program(words[5] if len(words) > 5 else "")
    return _listener(protocol, host, port, None, processes), why_unnamed


def _netstat_program(columns: str) -> tuple[list[tuple[str, int]], str | None]:
    """Process and pid from the columns behind the addresses; or why the name that stands there is not used.

    netstat prints the base name of ``argv[0]``, which a process can set: many put ``name: what it does`` there.
    """
    program = _PROGRAM.search(_TIMER.sub("", columns))
    if program is None:
        return [], None
    name, colon, _title = program["name"].partition(":")
    if not name or re.search(r"\s", name):
        return [], f"netstat shows {program['name']!r}, which may be a part of a longer name"
    if not colon and len(program["column"]) >= _NETSTAT_PROGRAM:
        return [], f"netstat cuts long names, and {name!r} is as long as it prints"
    return [(name, int(program["pid"]))], None


def _endpoint(text: str) -> tuple[str, int]:
    match = _PORT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no address with a port")
    if match["port"] == "*":
        raise _NoListener
    if not match["port"].isdecimal():
        raise ValueError(f"the port {match['port']!r} is a name: use -n")
    if not 1 <= int(match["port"]) <= 65535:
        raise ValueError(f"{match['port']} is no port")
    return match["host"], int(match["port"])


def _listener(protocol: str, address: str, port: int, device: str | None, processes: list[tuple[str, int]]) -> Listener:
    owners = tuple(
        Owner(pid, name, None, executable_deleted=False, user=None, uid=None, unit=None, container=None, package=None)
        for name, pid in processes
    )
    return listener(protocol, plain_ip(address), port, device, owners)


def listener(
    protocol: str, address: Address, port: int, device: str | None = None, owners: tuple[Owner, ...] = ()
) -> Listener:
    """A listener of which no more is known than another tool says."""
    return Listener(
        protocol=protocol,
        address=address,
        port=port,
        interface=device,
        v6only=None,
        namespace="host",
        user=None,
        uid=None,
        unit=None,
        activates=None,
        owners=owners,
        owners_state="known" if owners else "unknown",
        ephemeral=protocol == "udp" and address.is_unspecified and port >= _FIRST_EPHEMERAL,
    )


def plain_ip(text: str) -> Address:
    """The address, IPv4 where it is mapped into IPv6. Raises ValueError."""
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
