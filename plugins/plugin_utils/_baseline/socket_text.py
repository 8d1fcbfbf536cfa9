# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other tools say listens: the text of ss and netstat. This module is private to the collection.

Nothing is skipped without a word: a line that is no listener is counted, and one that is not understood is
named with its number. Headers are known by their place and by holding no address, as they are translated.
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
_ADDRESS_LIKE = re.compile(r"[0-9a-fA-F*\]]:([0-9]+|\*)")
_PROCESS = re.compile(r'\("(?P<name>(?:[^"\\]|\\.)*)",pid=(?P<pid>[0-9]+)')
#: As wide as netstat prints an address; a longer one is cut there (net-tools, without --wide).
_NETSTAT_WIDTH = 23


@dataclasses.dataclass(frozen=True, slots=True)
class Imported:
    """Listeners that a file tells of, and what else is to be said of it."""

    listeners: tuple[Listener, ...]
    said: tuple[str, ...]


class NotUnderstoodError(Exception):
    """A file that is not understood as a whole; the text names each line, and the way out."""


class _NoListener(Exception):  # noqa: N818 - not an error: a line that speaks of something else
    """The line is understood, and tells of no listener."""


def read_ss(text: str) -> Imported:
    """The output of ``ss -tuln``, with ``-p`` or without."""
    return _read(text, _ss_line)


def read_netstat(text: str) -> Imported:
    """The output of ``netstat -tuln``, with ``-p`` or without, in any language."""
    return _read(text, _netstat_line)


def _read(text: str, parse: Callable[[str], Listener]) -> Imported:
    found: list[Listener] = []
    heads: list[int] = []
    others: list[int] = []
    broken: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        if not (found or others or broken or _ADDRESS_LIKE.search(line)):
            heads.append(number)
            continue
        try:
            found.append(parse(line))
        except _NoListener:
            others.append(number)
        except ValueError as error:
            broken.append(f"line {number}: {error}: {line.strip()[:120]!r}")
    if broken:
        raise NotUnderstoodError("\n".join(["nothing was imported, as not all of it is understood:", *broken[:50]]))
    if not found and not others:
        raise NotUnderstoodError("nothing was imported: no line tells of a socket (is it the output of ss or netstat?)")
    told = (("taken as the header", heads), ("that tell of no listener", others))
    said = (f"lines {', '.join(map(str, lines[:20]))}: {what}, {len(lines)} in all" for what, lines in told if lines)
    return Imported(tuple(found), tuple(said))


def _ss_line(line: str) -> Listener:
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
    return _listener(protocol, address, port, device, processes)


def _ss_address(host: str) -> tuple[str, str | None]:
    """``*``, ``0.0.0.0``, ``127.0.0.53%lo``, ``[::1]``, ``[fe80::1]%eth0`` and ``*%eth0``."""
    plain, _percent, device = host.partition("%")
    plain = plain.removeprefix("[").removesuffix("]")
    # With one column for both families a star is a socket for both (ss(8)).
    return "::" if plain == "*" else plain, device.removesuffix("]") or None


def _netstat_line(line: str) -> Listener:
    words = line.split(maxsplit=5)
    match = re.fullmatch(r"(tcp|udp|sctp|udplite|raw|unix)6?", words[0])
    if match is None:
        raise ValueError("not a line of netstat")
    if match[1] in ("raw", "unix", "udplite"):
        raise _NoListener
    if len(words) < 5:
        raise ValueError("too few columns for netstat")
    protocol, local, foreign = match[1], words[3], words[4]
    if not foreign.endswith(":*"):
        raise _NoListener
    host, port = _endpoint(local)
    if len(local) == _NETSTAT_WIDTH and ":" in host:
        raise ValueError("the address may have been cut: use netstat --wide (-W), or ss")
    rest = words[5].split(maxsplit=1) if len(words) > 5 else []
    state_first = protocol == "tcp" and rest and not re.match(r"[0-9]+/", rest[0])
    owner = rest[1] if state_first and len(rest) > 1 else "" if state_first else " ".join(rest)
    process = re.match(r"(?P<pid>[0-9]+)/(?P<name>[^\s:]+)", owner)
    processes = [(process["name"], int(process["pid"]))] if process else []
    return _listener(protocol, host, port, None, processes)


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
