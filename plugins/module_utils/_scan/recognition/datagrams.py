# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What UDP services are asked, by port, and how their answers are told: one harmless message each.

A UDP port that is asked something its service does not understand is silent. So each message is made from the
specification that is named beside it. No message holds a password, a community or a name of a user. TFTP is left
out, because it answers from another port; syslog, RADIUS and WireGuard answer nobody they do not know.

This module is private to the collection.
"""

from __future__ import annotations

import struct
from typing import Callable, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.answers import Recognised, from_dns, named
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.dns_messages import (
    ROOT_QUESTION,
    SERVICES_QUESTION,
    VERSION_QUESTION,
    is_multicast_answer,
)

Reader = Callable[[bytes], "Recognised | None"]


class Message(NamedTuple):
    """What is sent, and what makes an answer to it of a service."""

    sent: bytes
    read: Reader


def _nothing(_said: bytes) -> Recognised | None:
    return None


def _when(name: str, is_answer: Callable[[bytes], bool]) -> Reader:
    return lambda said: named(name) if is_answer(said) else None


def _ber(tag: int, *parts: bytes) -> bytes:
    """One element of X.690 with a short length."""
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def _number(value: int, size: int = 1) -> bytes:
    return _ber(0x02, value.to_bytes(size, "big"))


# RFC 5905, 7.3: mode 3 (client), version 4. The answer is mode 4 and repeats the transmit timestamp (here zero).
_NTP = Message(b"\x23" + bytes(47), _when("ntp", lambda said: len(said) >= 48 and said[0] & 7 == 4))

# RFC 5531, 9: a call of procedure 0, which takes and gives nothing. RFC 1833: portmap is program 100000.
_CALL = 0x7670_7274


def _rpc(name: str, program: int, version: int) -> Message:
    call = struct.pack(">10I", _CALL, 0, 2, program, version, 0, 0, 0, 0, 0)
    return Message(call, _when(name, lambda said: said[:8] == struct.pack(">2I", _CALL, 1)))


# RFC 1002, 4.2.17: NODE STATUS REQUEST for the name "*", in its first-level encoding (RFC 1001, 14.1).
_NETBIOS_ID = b"\x76\x70"
_NETBIOS_NAME = bytes((32,)) + b"CK" + b"A" * 30 + b"\0"
_NETBIOS = Message(
    _NETBIOS_ID + struct.pack(">5H", 0, 1, 0, 0, 0) + _NETBIOS_NAME + struct.pack(">2H", 0x21, 1),
    _when("netbios-ns", lambda said: said[:2] == _NETBIOS_ID and len(said) > 12 and said[2] & 0x80 != 0),
)

# RFC 3414, 4: discovery of an SNMPv3 engine, which needs no user. It answers with a report (RFC 3416, 3: tag 0xa8).
_DISCOVERY = _ber(
    0x30,
    _number(3),
    _ber(0x30, _number(0x7670, 2), _number(0x05DC, 2), _ber(0x04, b"\x04"), _number(3)),
    _ber(0x04, _ber(0x30, _ber(0x04), _number(0), _number(0), _ber(0x04), _ber(0x04), _ber(0x04))),
    _ber(0x30, _ber(0x04), _ber(0x04), _ber(0xA0, _number(0x7670, 2), _number(0), _number(0), _ber(0x30))),
)
_SNMP = Message(
    _DISCOVERY, _when("snmp", lambda said: said[:1] == b"\x30" and b"\x02\x01\x03" in said[:6] and b"\xa8" in said[6:])
)

# RFC 2408, 3.1 and 3.4 to 3.6; RFC 2409, 5 and appendix A: main mode, one proposal (3DES, SHA-1, pre-shared key,
# group 2). RFC 7296, 1.5: who speaks IKEv2 only refuses it, and that is an answer.
_COOKIE = b"vigilprt"
_ATTRIBUTES = struct.pack(">8H", 0x8001, 5, 0x8002, 2, 0x8003, 1, 0x8004, 2)
_TRANSFORM = struct.pack(">BBHBBH", 0, 0, 8 + len(_ATTRIBUTES), 1, 1, 0) + _ATTRIBUTES
_PROPOSAL = struct.pack(">BBHBBBB", 0, 0, 8 + len(_TRANSFORM), 1, 1, 0, 1) + _TRANSFORM
_ASSOCIATION = struct.pack(">BBHII", 0, 0, 12 + len(_PROPOSAL), 1, 1) + _PROPOSAL
_ISAKMP = _COOKIE + bytes(8) + struct.pack(">BBBBII", 1, 0x10, 2, 0, 0, 28 + len(_ASSOCIATION)) + _ASSOCIATION
_IKE = Message(_ISAKMP, _when("isakmp", lambda said: said[:8] == _COOKIE and len(said) >= 28))
# RFC 3948, 2.2: on 4500 four zero bytes come first.
_IKE_NAT = Message(bytes(4) + _ISAKMP, _when("isakmp", lambda said: said[:12] == bytes(4) + _COOKIE))

# RFC 2453, 3.9.1: a request for the whole table, by its one entry.
_RIP = Message(
    struct.pack(">BBHHHIIII", 1, 2, 0, 0, 0, 0, 0, 0, 16), _when("route", lambda said: said[:2] == b"\x02\x02")
)

# DMTF DSP0136 (ASF 2.0), 3.2.4.2: RMCP presence ping, and its pong (type 0x40).
_RMCP = Message(
    b"\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00",
    _when("asf-rmcp", lambda said: said[:1] == b"\x06" and said[4:9] == b"\x00\x00\x11\xbe\x40"),
)

# OpenVPN, "Protocol description": P_CONTROL_HARD_RESET_CLIENT_V2 (7), a session, no acknowledgement, packet 0; the
# answer is P_CONTROL_HARD_RESET_SERVER_V2 (8).
_OPENVPN = Message(
    bytes((7 << 3,)) + _COOKIE + bytes(5), _when("openvpn", lambda said: len(said) >= 14 and said[0] >> 3 == 8)
)

# [MC-SQLR], 2.2.2 and 2.2.5: CLNT_UCAST_EX, and SVR_RESP.
_SQL_BROWSER = Message(b"\x03", _when("ms-sql-m", lambda said: len(said) >= 3 and said[:1] == b"\x05"))

# UPnP Device Architecture 1.1, 1.3.2: a search to one device.
_SEARCH = b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nST: ssdp:all\r\n\r\n'
_SSDP = Message(_SEARCH, _when("upnp", lambda said: said.startswith(b"HTTP/1.1 200 ")))

# RFC 8489, 5 and 6: a Binding request; the answer is a success (0x0101) or an error (0x0111) with the same id.
_STUN_ID = struct.pack(">I", 0x2112A442) + b"vigil-ports."
_STUN = Message(
    struct.pack(">2H", 1, 0) + _STUN_ID,
    _when("stun", lambda said: said[:2] in (b"\x01\x01", b"\x01\x11") and said[4:20] == _STUN_ID),
)

# RFC 3261, 11: OPTIONS, with a Via that asks for the answer at the source port (RFC 3581).
_OPTIONS = (
    b"OPTIONS sip:vigil.invalid SIP/2.0\r\nVia: SIP/2.0/UDP vigil.invalid;branch=z9hG4bKvigilports;rport\r\n"
    b"Max-Forwards: 70\r\nTo: <sip:vigil.invalid>\r\nFrom: <sip:vigil@vigil.invalid>;tag=vigil\r\n"
    b"Call-ID: vigilports\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
_SIP = Message(_OPTIONS, _when("sip", lambda said: said.startswith(b"SIP/2.0 ")))

# RFC 7252, 4.3: an empty confirmable message is answered by a reset with its id.
_COAP = Message(b"\x40\x00\x76\x70", _when("coap", lambda said: said == b"\x70\x00\x76\x70"))

# https://github.com/memcached/memcached/blob/master/doc/protocol.txt, "UDP protocol": a frame header, then a command.
_FRAME = struct.pack(">4H", 0x7670, 0, 1, 0)
_MEMCACHED = Message(
    _FRAME + b"version\r\n", _when("memcached", lambda said: said[:4] == _FRAME[:4] and said[8:16] == b"VERSION ")
)

# RFC 9000, 6.1 and 15: a version that is reserved for this makes a server name those it has. At least 1,200 bytes.
_QUIC = Message(
    (b"\xc0\x1a\x2a\x3a\x4a\x08" + _COOKIE + b"\x08" + _COOKIE).ljust(1200, b"\0"),
    _when("quic", lambda said: said[:1] >= b"\x80" and said[1:5] == bytes(4) and _COOKIE in said[5:24]),
)

_DNS = (Message(VERSION_QUESTION, from_dns), Message(ROOT_QUESTION, from_dns))
_MDNS = (Message(SERVICES_QUESTION, lambda said: named("mdns") if is_multicast_answer(said) else from_dns(said)),)

MESSAGES: dict[int, tuple[Message, ...]] = {
    53: _DNS,
    111: (_rpc("rpcbind", 100000, 2),),
    123: (_NTP,),
    137: (_NETBIOS,),
    161: (_SNMP,),
    443: (_QUIC,),
    500: (_IKE,),
    520: (_RIP,),
    623: (_RMCP,),
    853: (_QUIC,),
    1194: (_OPENVPN,),
    1434: (_SQL_BROWSER,),
    1900: (_SSDP,),
    2049: (_rpc("nfs", 100003, 3),),
    3478: (_STUN,),
    4500: (_IKE_NAT,),
    5060: (_SIP,),
    5353: _MDNS,
    5683: (_COAP,),
    8443: (_QUIC,),
    11211: (_MEMCACHED,),
}

#: For every other port: nothing, as echo and daytime need (RFC 862, RFC 867), then what many resolvers answer.
ELSEWHERE = (Message(b"", _nothing), Message(VERSION_QUESTION, from_dns))


def messages_for(port: int) -> tuple[Message, ...]:
    """What to send to ``port``, one after the other as long as it is silent."""
    return MESSAGES.get(port, ELSEWHERE)


def recognise_datagram(port: int, said: bytes) -> Recognised | None:
    """What gave this answer to a message for ``port``; None when it cannot be told."""
    if any(said == message.sent for message in messages_for(port)):
        return None  # it only gives back what it is given (RFC 862)
    return next((found for message in messages_for(port) if (found := message.read(said)) is not None), None)
