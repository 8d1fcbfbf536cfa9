# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second witness: bind() is refused where a socket holds the port, whatever the host lists.

What hides a listener filters what is read (netlink, /proc), and seldom the hash table by which the kernel itself
decides whether a port is taken. Nothing here listens or sends, and each socket is closed at once.

- TCP is tried with SO_REUSEADDR: the kernel still refuses every port with a listener (socket(7)), but neither the
  connections and TIME_WAIT that a stopped server leaves, nor does the trial stop a server that is starting with the
  same option. UDP is tried without, as the option would let the trial in beside a socket that has it too.
- A wildcard address meets every socket of its family (inet_rcv_saddr_equal, net/ipv4/inet_connection_sock.c). Where
  the listed sockets hold single addresses only, the host's other addresses are tried one by one: a hidden listener
  may stand beside a listed one.
- What holds a port without listening (a client, a socket that is only bound) is asked of the kernel in every state.

This module is private to the collection.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Iterable, Mapping, NamedTuple, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import OwnAddress, own_addresses
from ansible_collections.vigil.ports.plugins.module_utils._listeners.inet_diag import BOUND_INACTIVE_ONLY, local_ends
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import LocalEnd, SocketsSeen
from ansible_collections.vigil.ports.plugins.module_utils._listeners.netlink import NetlinkError, Opener
from ansible_collections.vigil.ports.plugins.module_utils._listeners.proc_net import ProcNetError, parse_local_ends
from ansible_collections.vigil.ports.plugins.module_utils._listeners.sockets import interface_name, observe_sockets
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

FREE, LISTED, UNLISTED, UNKNOWN = "free", "held_by_listed", "held_by_unlisted", "unknown"

#: How often a port that nothing listed holds is tried, with a new listing each time, before that is said.
_LOOKS = 3
_PAUSE = 0.1  # seconds: longer than a program takes from socket() to listen(), and than a kernel to forget a socket

_NUMBERS = {"tcp": 6, "udp": 17}
_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_WILDCARDS = {"ipv4": "0.0.0.0", "ipv6": "::"}  # noqa: S104 - nothing ever listens there
_SOL_IPV6, _IPV6_V6ONLY = 41, 26  # include/uapi/linux/in6.h


class Witnessed(NamedTuple):
    """What bind() told in one network namespace.

    ``verdicts`` are (state, reason) by protocol and port; ports that are free are not in it. ``bound_are_listed``:
    the kernel lists TCP sockets that are bound and do not listen (Linux 6.8), so that these are none of the unlisted.
    """

    verdicts: Mapping[tuple[str, int], tuple[str, str]]
    bound_are_listed: bool


class _Ends(NamedTuple):
    """Every local end by protocol and port; ``problem`` says what could not be listed, by protocol and family."""

    by_port: Mapping[tuple[str, int], Sequence[LocalEnd]]
    problem: Mapping[tuple[str, str], str]


def witness(asked: Mapping[str, PortSet], proc: str, opener: Opener) -> tuple[SocketsSeen, Witnessed]:
    """The sockets of this thread's network namespace, and what bind() says of the ports that are asked for.

    Each port is tried before the sockets are listed. A port that nothing listed holds is tried again, and the
    sockets listed again: what started or ended in between is no news.
    """
    verdicts: dict[tuple[str, int], tuple[str, str]] = {}
    suspects = [(protocol, port) for protocol, ports in sorted(asked.items()) for port in ports]
    for look in range(_LOOKS):
        if look:
            time.sleep(_PAUSE)
        refused = _refused(suspects)
        seen = observe_sockets(proc, opener)
        for port in suspects:
            verdicts.pop(port, None)
        if refused:
            verdicts.update(_verdicts(refused, seen, proc, opener))
        suspects = [port for port, (state, _reason) in verdicts.items() if state == UNLISTED]
        if not suspects:
            break
    return seen, Witnessed(verdicts, not suspects or _lists_bound_sockets(opener))


def as_rows(asked: Mapping[str, PortSet], witnessed: Mapping[str, Witnessed]) -> list[dict[str, str | None]]:
    """What bind() told in all namespaces (by name): ports with the same state and reason share a row."""
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for namespace, there in witnessed.items():
        for protocol, ports in asked.items():
            held = PortSet.of(port for name, port in there.verdicts if name == protocol)
            free = ports - held
            if free:
                groups[namespace, protocol, FREE, ""] = list(free)
        for (protocol, port), (state, reason) in there.verdicts.items():
            groups.setdefault((namespace, protocol, state, reason), []).append(port)
    names = ("namespace", "protocol", "state", "reason")
    rows = (dict(zip(names, key), ports=str(PortSet.of(groups[key]))) for key in sorted(groups))
    return [{**row, "reason": row["reason"] or None} for row in rows]


def _refused(ports: Iterable[tuple[str, int]]) -> dict[tuple[str, int], dict[str, int]]:
    """The errno with which each wildcard address is refused, by port and family."""
    refused: dict[tuple[str, int], dict[str, int]] = {}
    for protocol, port in ports:
        for family, address in _WILDCARDS.items():
            number = _try(protocol, family, address, port)
            if number:
                refused.setdefault((protocol, port), {})[family] = number
    return refused


def _try(protocol: str, family: str, address: str, port: int, scope: int = 0) -> int:
    """0 when bind() takes the port, or when the kernel lacks the family; else its errno."""
    try:
        tried = socket.socket(_FAMILIES[family], _KINDS[protocol])
    except OSError as error:
        return 0 if error.errno == errno.EAFNOSUPPORT else error.errno or errno.EIO
    try:
        if family == "ipv6":
            tried.setsockopt(_SOL_IPV6, _IPV6_V6ONLY, 1)
        if protocol == "tcp":
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind((address, port) if family == "ipv4" else (address, port, 0, scope))
    except OSError as error:
        return error.errno or errno.EIO
    finally:
        tried.close()
    return 0


def _verdicts(
    refused: Mapping[tuple[str, int], Mapping[str, int]], seen: SocketsSeen, proc: str, opener: Opener
) -> dict[tuple[str, int], tuple[str, str]]:
    """(state, reason) of each port; of its families the gravest."""
    ends = _local_ends({protocol for protocol, _port in refused}, seen, proc, opener)
    try:
        own: tuple[OwnAddress, ...] | None = own_addresses(opener, interface_name)
    except NetlinkError:
        own = None
    found = {}
    for (protocol, port), numbers in refused.items():
        told = [_verdict(protocol, port, family, number, ends, own) for family, number in numbers.items()]
        state = next(state for state in (UNLISTED, UNKNOWN, LISTED) if state in {one for one, _reason in told})
        reasons = dict.fromkeys(reason for one, reason in told if one == state)
        found[protocol, port] = (state, "; ".join(reasons))
    return found


def _verdict(
    protocol: str, port: int, family: str, number: int, ends: _Ends, own: tuple[OwnAddress, ...] | None
) -> tuple[str, str]:
    """(state, reason) of a port in one family, after bind() to the wildcard address was refused."""
    wildcard = _WILDCARDS[family]
    if number != errno.EADDRINUSE:
        return UNKNOWN, _refusal(wildcard, number)
    held = [address for end in ends.by_port.get((protocol, port), ()) for address in _held(end, family)]
    if wildcard in held:
        return LISTED, _by_whom(protocol, port, ends)
    # A socket of IPv6 may hold IPv4 too.
    problem = ends.problem.get((protocol, family)) or ends.problem.get((protocol, "ipv6"))
    if problem:
        return UNKNOWN, problem
    if not held:
        return UNLISTED, f"{wildcard} is in use, and no {family} socket is listed there"
    if own is None:
        return UNKNOWN, "the host's own addresses are not known, so only the listed ones can be told from others"
    for address in own:
        if address.family == family and address.address not in held:
            refusal = _try(protocol, family, address.address, port, _scope(address))
            if refusal == errno.EADDRINUSE:
                return UNLISTED, f"{address.address} is in use, and {family} sockets are listed at other addresses only"
            if refusal not in (0, errno.EADDRNOTAVAIL):  # gone or tentative: nobody can be there
                return UNKNOWN, _refusal(address.address, refusal)
    return LISTED, _by_whom(protocol, port, ends)


def _refusal(address: str, number: int) -> str:
    name = errno.errorcode.get(number, str(number))
    return f"bind() to {address} was refused with {name} ({os.strerror(number)})"


def _by_whom(protocol: str, port: int, ends: _Ends) -> str:
    listens = any(end.listens for end in ends.by_port[protocol, port])
    return "a listener" if listens else "a socket that does not listen"


def _held(end: LocalEnd, family: str) -> list[str]:
    """The address that a socket holds in a family; a wildcard IPv6 socket may hold all of IPv4 too."""
    if end.family == family:
        return [end.address]
    return [_WILDCARDS["ipv4"]] if end.address == _WILDCARDS["ipv6"] and not end.v6only else []


def _scope(own: OwnAddress) -> int:
    """Link-local addresses belong to a device (RFC 4007)."""
    if not own.address.lower().startswith("fe80:"):
        return 0
    try:
        return socket.if_nametoindex(own.interface)
    except OSError:
        return 0  # the device is gone: EINVAL follows, which is told


def _local_ends(protocols: Iterable[str], seen: SocketsSeen, proc: str, opener: Opener) -> _Ends:
    """Of these protocols the sockets in every state, and the listeners as they were listed."""
    by_port: dict[tuple[str, int], list[LocalEnd]] = {}
    problems: dict[tuple[str, str], str] = {}
    for one in seen.sockets:
        end = LocalEnd(one.protocol, one.family, one.address, one.port, one.v6only, True)
        by_port.setdefault((one.protocol, one.port), []).append(end)
    for protocol in protocols:
        for family, number in _FAMILIES.items():
            if seen.sources.get(f"{protocol}_{family}") == "absent":
                continue
            try:
                found = _ends_of(protocol, number, proc, opener)
            except (NetlinkError, OSError, ProcNetError) as error:
                problems[protocol, family] = f"the {family} sockets that do not listen could not be listed: {error}"
                continue
            for end in found:
                by_port.setdefault((protocol, end.port), []).append(end)
    return _Ends(by_port, problems)


def _ends_of(protocol: str, family: int, proc: str, opener: Opener) -> list[LocalEnd]:
    try:
        return local_ends(opener, protocol, _NUMBERS[protocol], family)
    except NetlinkError:
        name = protocol if family == socket.AF_INET else f"{protocol}6"
        with open(f"{proc}/thread-self/net/{name}", "rb") as file:
            return parse_local_ends(file.read(), protocol)


def _lists_bound_sockets(opener: Opener) -> bool:
    """Whether the kernel lists a TCP socket that is bound and does not listen: asked with one of our own."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as own:
        try:
            own.bind(("", 0))
            port = own.getsockname()[1]
            listed = local_ends(opener, "tcp", _NUMBERS["tcp"], socket.AF_INET, BOUND_INACTIVE_ONLY)
        except (OSError, NetlinkError):
            return False
        return any(end.port == port for end in listed)
