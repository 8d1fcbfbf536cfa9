# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service says, and what that makes it: one table for greetings, one function for each question.

Whatever is not told by the bytes themselves is not known: a port number says nothing here. Names and
products are those of nmap, so that declarations, history and exceptions fit both engines.

This module is private to the collection.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple, Pattern

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import Service
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.dns_messages import (
    is_answer,
    version_of_server,
)
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

_CERTAIN = 10


class Recognised(NamedTuple):
    """``whole``: product and version are known as nmap would say them, so that it need not be asked."""

    service: Service
    whole: bool = False


class _Words(NamedTuple):
    """A pattern of bytes and what it means; ``{1}`` stands for its first group."""

    pattern: Pattern[bytes]
    name: str
    product: str | None = None
    version: str | None = None
    extra: str | None = None
    cpes: tuple[str, ...] = ()
    whole: bool = False


_OPENSSH = "cpe:/a:openbsd:openssh:{2}"
_LINUX = "cpe:/o:linux:linux_kernel"

_GREETINGS = (
    # RFC 4253, 4.2: SSH-protoversion-softwareversion SP comments CR LF
    _Words(
        re.compile(rb"SSH-([\d.]+)-OpenSSH_([\w.]+) Debian-([^\r\n ]+)\r?\n"),
        *("ssh", "OpenSSH", "{2} Debian {3}", "protocol {1}", (_OPENSSH, _LINUX), True),
    ),
    _Words(
        re.compile(rb"SSH-([\d.]+)-OpenSSH_([\w.]+) Ubuntu-([^\r\n ]+)\r?\n"),
        *("ssh", "OpenSSH", "{2} Ubuntu {3}", "Ubuntu Linux; protocol {1}", (_OPENSSH, _LINUX), True),
    ),
    _Words(
        re.compile(rb"SSH-([\d.]+)-OpenSSH_([\w.]+)\r?\n"),
        *("ssh", "OpenSSH", "{2}", "protocol {1}", (_OPENSSH,), True),
    ),
    _Words(
        re.compile(rb"SSH-2\.0-dropbear_([\w.-]+)\r?\n"),
        *("ssh", "Dropbear sshd", "{1}", "protocol 2.0"),
        *(("cpe:/a:matt_johnston:dropbear_ssh_server:{1}", _LINUX), True),
    ),
    _Words(re.compile(rb"SSH-[\d.]+-[\x21-\x7e]"), "ssh"),
    # RFC 5321, 4.2: 220 <domain>; that it says SMTP is custom, and what does not is asked (EHLO)
    _Words(re.compile(rb"220[ -]\S+ ESMTP Postfix\b"), "smtp", "Postfix smtpd"),
    _Words(re.compile(rb"220[ -]\S+ ESMTP Exim ([\d.]+)"), "smtp", "Exim smtpd", "{1}"),
    _Words(re.compile(rb"220[ -](?:(?!FTP)[^\r\n])*\bE?SMTP\b(?:(?!FTP)[^\r\n])*\r?\n", re.IGNORECASE), "smtp"),
    # RFC 959, 5.4: 220 Service ready for new user
    _Words(re.compile(rb"220 \(vsFTPd ([\d.]+)\)\r\n"), "ftp", "vsftpd", "{1}"),
    _Words(re.compile(rb"220 ProFTPD ([\w.]+) Server"), "ftp", "ProFTPD", "{1}"),
    _Words(re.compile(rb"220[ -](?:(?!SMTP)[^\r\n])*FTP(?:(?!SMTP)[^\r\n])*\r?\n", re.IGNORECASE), "ftp"),
    # RFC 1939, 4 and RFC 3501, 7.1.1
    _Words(re.compile(rb"\+OK[ \r][^\r\n]*\r?\n"), "pop3"),
    _Words(re.compile(rb"\* (?:OK|PREAUTH)[ \r][^\r\n]*\r?\n"), "imap"),
    # RFC 6143, 7.1.1
    _Words(re.compile(rb"RFB (\d{3})\.(\d{3})\n"), "vnc", None, None, "protocol {1}.{2}"),
)

#: RFC 9110, 10.2.4: Server = product *( RWS ( product / comment ) )
_SERVERS = (
    _Words(re.compile(rb"nginx/([\d.]+)\Z"), "http", "nginx", "{1}", None, ("cpe:/a:igor_sysoev:nginx:{1}",), True),
    _Words(re.compile(rb"nginx(?:/|\Z)"), "http", "nginx"),
    _Words(re.compile(rb"Apache/([\d.]+)"), "http", "Apache httpd", "{1}"),
    _Words(re.compile(rb"([A-Za-z][\w-]{0,40})/(\d[\w.-]{0,40})"), "http", "{1}", "{2}"),
    _Words(re.compile(rb"([A-Za-z][\w-]{0,40})\Z"), "http", "{1}"),
)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5]\d\d[ \r\n]")
_SERVER = re.compile(rb"^Server:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)

_REDIS_VERSION = re.compile(rb"^redis_version:([\d.]+)\r?$", re.MULTILINE)
# https://redis.io/docs/latest/develop/reference/protocol-spec/: +PONG, or an error that begins with its kind
_REDIS = re.compile(
    rb"\+PONG\r\n|-NOAUTH |-NOPERM |-DENIED Redis |-LOADING Redis |-MASTERDOWN |-ERR operation not permitted\r\n"
)
_NOT_FOR_YOU = (1040, 1129, 1130)  # too many connections, host is blocked, host is not allowed to connect


def from_greeting(said: bytes) -> Recognised | None:
    """What greets with ``said``, before anything was asked of it."""
    return _by_words(_GREETINGS, said) or _mysql(said)


def from_http(said: bytes) -> Recognised | None:
    """What answers a request for ``/`` (RFC 9112, 4), once its header is complete or it said no more."""
    if not _STATUS_LINE.match(said):
        return None
    header = said.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    server = _SERVER.search(header)
    told = _by_words(_SERVERS, server.group(1)) if server else None
    return told or Recognised(_service("http"))


def from_redis(said: bytes) -> Recognised | None:
    """What answers PING, or PING and then INFO."""
    if not _REDIS.match(said):
        return None
    version = _REDIS_VERSION.search(said)
    number = visible(version.group(1)) if version else None
    cpes = (f"cpe:/a:redislabs:redis:{number}",) if number else ()
    return Recognised(_service("redis", "Redis key-value store", number, cpes=cpes), whole=bool(number))


def from_postgres(said: bytes) -> Recognised | None:
    """What answers SSLRequest: one byte S or N, or an ErrorResponse.

    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL and protocol-message-formats.html
    """
    is_error = len(said) >= 7 and said[:1] == b"E" and said[5:6] == b"S" and _length(said[1:5]) == len(said) - 1
    return Recognised(_service("postgresql", "PostgreSQL DB")) if said in (b"S", b"N") or is_error else None


def from_dns_over_tcp(said: bytes) -> Recognised | None:
    """What answers the question for ``version.bind`` over TCP (RFC 7766, 8: two bytes of length first)."""
    return from_dns(said[2:]) if len(said) > 2 and _length(said[:2]) == len(said) - 2 else None


def from_dns(said: bytes) -> Recognised | None:
    """What answers a question to a DNS server; asked for ``version.bind`` dnsmasq says its name."""
    if not is_answer(said):
        return None
    told = version_of_server(said)
    dnsmasq = re.fullmatch(rb"dnsmasq-([\w.-]+)", told)
    if dnsmasq:
        number = visible(dnsmasq.group(1))
        return Recognised(
            _service("domain", "dnsmasq", number, cpes=(f"cpe:/a:thekelleys:dnsmasq:{number}",)), whole=True
        )
    return Recognised(_service("domain"))


def inside_tls(found: Recognised) -> Recognised:
    """The same, told behind a TLS handshake."""
    return Recognised(_of(found.service, tunnel="ssl"), found.whole)


#: TLS was spoken, and what is inside it said nothing that is known.
ONLY_TLS = Recognised(Service("ssl", None, None, None, None, "probed", _CERTAIN, ()))


def named(name: str, extra: str | None = None) -> Recognised:
    """A service of which only the name is known."""
    return Recognised(_service(name, extra=extra))


def _mysql(said: bytes) -> Recognised | None:
    """Protocol::Handshake version 10, or an error in its place.

    https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
    """
    if len(said) < 8 or said[3] != 0 or int.from_bytes(said[:3], "little") != len(said) - 4:
        return None
    if said[4] == 10:
        version, end, rest = said[5:].partition(b"\0")
        if not end or len(rest) < 13 or not re.fullmatch(rb"[\x21-\x7e]{3,60}", version):
            return None
        return Recognised(_service("mysql", _maker(version), visible(version)))
    if said[4] == 0xFF and int.from_bytes(said[5:7], "little") in _NOT_FOR_YOU:
        return Recognised(_service("mysql", _maker(said[7:])))
    return None


def _maker(said: bytes) -> str:
    return "MariaDB" if b"mariadb" in said.lower() else "MySQL"


def _by_words(table: tuple[_Words, ...], said: bytes) -> Recognised | None:
    for words in table:
        found = words.pattern.match(said)
        if found:
            groups = ["", *(visible(group or b"") for group in found.groups())]
            product, version, extra = (
                text.format(*groups) if text else None for text in (words.product, words.version, words.extra)
            )
            cpes = tuple(cpe.format(*groups) for cpe in words.cpes)
            return Recognised(_service(words.name, product, version, extra, cpes), words.whole)
    return None


def _service(
    name: str,
    product: str | None = None,
    version: str | None = None,
    extra: str | None = None,
    cpes: tuple[str, ...] = (),
) -> Service:
    return Service(name, product, version, extra, None, "probed", _CERTAIN, cpes)


def _of(service: Service, tunnel: str) -> Service:
    values = (service.name, service.product, service.version, service.extra)
    return Service(*values, tunnel, service.method, service.confidence, service.cpes)


def _length(field: bytes) -> int:
    return int(struct.unpack(">H" if len(field) == 2 else ">I", field)[0])
