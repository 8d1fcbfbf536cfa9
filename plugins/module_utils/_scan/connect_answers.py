# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the end of a non-blocking connect, or of a datagram, says about a port, in nmap's words.

An error number alone is not enough: a firewall that rejects with ICMP "port unreachable" gives
ECONNREFUSED as a closed port does, and a host that does not answer ARP gives EHOSTUNREACH as a
router does. Linux keeps the ICMP message on the socket's error queue (IP_RECVERR, ip(7); for TCP
in SYN_SENT since Linux 5.11), and that tells them apart.

This module is private to the collection.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import CLOSED, FILTERED, OPEN, SILENT

IP_RECVERR = 11  # linux/in.h
IPV6_RECVERR = 25  # linux/in6.h
_MSG_ERRQUEUE = 0x2000  # linux/socket.h
_FROM_THE_QUEUE = int(_MSG_ERRQUEUE | socket.MSG_DONTWAIT)  # the type of the constant is slow to add to
_SOCK_EXTENDED_ERR = struct.Struct("=IBBBBII")  # linux/errqueue.h
_FROM_ICMP = 2
_FROM_ICMP6 = 3

# nmap's names for the same messages (portreasons.cc).
_ICMP_REASONS = {
    (_FROM_ICMP, 3, 0): "net-unreach",
    (_FROM_ICMP, 3, 1): "host-unreach",
    (_FROM_ICMP, 3, 2): "proto-unreach",
    (_FROM_ICMP, 3, 3): "port-unreach",
    (_FROM_ICMP, 3, 9): "net-prohibited",
    (_FROM_ICMP, 3, 10): "host-prohibited",
    (_FROM_ICMP, 3, 13): "admin-prohibited",
    (_FROM_ICMP6, 1, 0): "no-route",
    (_FROM_ICMP6, 1, 1): "admin-prohibited",
    (_FROM_ICMP6, 1, 2): "beyond-scope",
    (_FROM_ICMP6, 1, 3): "host-unreach",
    (_FROM_ICMP6, 1, 4): "port-unreach",
    (_FROM_ICMP6, 1, 5): "admin-prohibited",
    (_FROM_ICMP6, 1, 6): "reject-route",
}

# This machine is short of something for the moment: nothing is learnt about the target.
SHORTAGES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN))


#: On the same link a host that is there answers this before any port is asked.
NO_NEIGHBOUR = "no answer to ARP or neighbour discovery: no such host on this link"


class Answer(NamedTuple):
    """``state`` None: nothing is known, and ``reason`` says why. ``again``: worth another try."""

    state: str | None
    reason: str
    again: bool = False


# Without an ICMP message on the queue: a TCP reset, or a kernel that keeps none.
_BY_ERROR = {
    errno.ECONNREFUSED: Answer(CLOSED, "conn-refused"),
    errno.ECONNRESET: Answer(CLOSED, "conn-refused"),
    errno.EHOSTUNREACH: Answer(FILTERED, "host-unreach"),
    errno.EHOSTDOWN: Answer(FILTERED, "host-unreach"),
    errno.ENETUNREACH: Answer(FILTERED, "net-unreach"),
    errno.EACCES: Answer(FILTERED, "admin-prohibited"),
}

SILENCE = Answer(FILTERED, SILENT, again=True)


def at_once(error: int) -> Answer:
    """The meaning of an error that connect(2) itself returns: it never left this machine."""
    if error in SHORTAGES:
        return Answer(None, f"this machine is out of sockets, ports or memory ({_name(error)})", again=True)
    if error == errno.ECONNREFUSED:
        return Answer(CLOSED, "conn-refused")
    if error in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return Answer(None, f"no route from here ({_name(error)})")
    if error in (errno.EPERM, errno.EACCES):
        return Answer(None, f"this machine's own firewall refused to send ({_name(error)})")
    return Answer(None, f"connect failed here ({_name(error)})")


def not_begun(error: int, address: str) -> Answer:
    """The meaning of an error with which a connect to ``address`` did not begin, or no socket was had for it."""
    without = errno.EAFNOSUPPORT if ":" in address else None
    if error == without or (error == errno.EADDRNOTAVAIL and not _has_source_for(address)):
        family = "IPv6" if ":" in address else "IPv4"
        return Answer(None, f"this machine has no {family} address to send from: {family} is off here ({_name(error)})")
    return at_once(error)


def _has_source_for(address: str) -> bool:
    """Whether this machine has an address to send from. EADDRNOTAVAIL of TCP may as well mean that all ports are used;
    a UDP socket takes one of its own."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((address, 9))
    except OSError as error:
        return error.errno != errno.EADDRNOTAVAIL
    return True


def refused_here(address: str, port: int) -> str | None:
    """Why this machine sends nothing to ``address``, found out with an empty datagram; None where it does.

    connect(2) does not tell: a SYN that the own firewall drops, or that finds the table of connections full, is lost in
    silence (tcp_connect() of Linux returns no error but ECONNREFUSED), and looks like a firewall of the target. A
    firewall that drops single TCP ports on their way out cannot be told from one of the target.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.connect((address, port))
            sock.send(b"")
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            why = "this machine's own firewall refused to send, or its table of connections is full"
            return f"{why} ({_name(error.errno)})"
        if error.errno in (errno.ENOBUFS, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH):
            return f"this machine could not send ({_name(error.errno)})"
    return None


def at_end(sock: socket.SocketType, error: int, target: str) -> Answer:
    """The meaning of a connect to ``target`` that is no longer pending; ``error`` is what SO_ERROR gave."""
    if error == 0:
        # The kernel may choose the target port itself as the source port: then the socket has
        # connected to itself, and no server is there (TCP simultaneous open, RFC 9293, 3.5).
        if sock.getsockname() == sock.getpeername():
            return Answer(None, "connected to itself", again=True)
        return Answer(OPEN, "syn-ack")
    if error == errno.ETIMEDOUT:
        return SILENCE
    if error in SHORTAGES:
        return at_once(error)
    message = _message(sock)
    if message is None:
        return _BY_ERROR.get(error) or Answer(None, f"connect ended with {_name(error)}")
    return _own(sock, message, target) or Answer(FILTERED, message.reason)


def of_datagram(sock: socket.SocketType, error: int, target: str) -> Answer:
    """The meaning of an error that a connected UDP socket was given instead of an answer of ``target``."""
    if error in SHORTAGES:
        return at_once(error)
    message = _message(sock)
    if message is None:
        # Only a refusal comes without its message, on kernels that keep none.
        return Answer(CLOSED, "port-unreach") if error == errno.ECONNREFUSED else at_once(error)
    if message.offender == target and message.reason == "port-unreach":
        return Answer(CLOSED, message.reason)
    return _own(sock, message, target) or Answer(FILTERED, message.reason)


class _Message(NamedTuple):
    """An ICMP message: what it says in nmap's words, and who sent it."""

    reason: str
    offender: str | None


def _own(sock: socket.SocketType, message: _Message, target: str) -> Answer | None:
    """The meaning of a message that this machine sent to itself: nothing was sent to ``target``. None for others'."""
    if message.offender != sock.getsockname()[0] or message.offender == target:
        return None
    refused = "this machine's own firewall refused to send"
    return Answer(None, NO_NEIGHBOUR if message.reason == "host-unreach" else refused)


def _message(sock: socket.SocketType) -> _Message | None:
    try:
        _data, ancillary, _flags, _peer = sock.recvmsg(1, 128, _FROM_THE_QUEUE)
    except OSError:
        return None  # an empty queue (EAGAIN): a TCP reset, or a kernel before 5.11
    for _level, _type, content in ancillary:
        if len(content) < _SOCK_EXTENDED_ERR.size:
            continue
        _errno, origin, kind, code = _SOCK_EXTENDED_ERR.unpack_from(content)[:4]
        if origin in (_FROM_ICMP, _FROM_ICMP6):
            reason = _ICMP_REASONS.get((origin, kind, code), "dest-unreach")
            return _Message(reason, _offender(content[_SOCK_EXTENDED_ERR.size :], origin))
    return None


def _offender(sockaddr: bytes, origin: int) -> str | None:
    """Who sent the message: the sockaddr_in or sockaddr_in6 behind the error."""
    if origin == _FROM_ICMP and len(sockaddr) >= 8:
        return socket.inet_ntop(socket.AF_INET, sockaddr[4:8])
    if origin == _FROM_ICMP6 and len(sockaddr) >= 24:
        return socket.inet_ntop(socket.AF_INET6, sockaddr[8:24])
    return None


def _name(error: int) -> str:
    return f"{errno.errorcode.get(error, error)}: {os.strerror(error)}"
