# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a scan identified on a port, by the names that declarations use. This module is private to the collection."""

from __future__ import annotations

import re

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import UNIDENTIFIED_NAMES

from .._evidence.records.reachable import Service

#: Names that stand for one service. The first is nmap's (nmap-services, nmap-service-probes).
_ALIASES = (
    ("domain", "dns"),
    ("mysql", "mariadb"),
    ("postgresql", "postgres", "pgsql"),
    ("ms-wbt-server", "rdp"),
    ("microsoft-ds", "smb", "netbios-ssn"),
    ("ntp", "chrony"),
    ("ssl/http", "https", "http-over-tls"),
    ("ssl/imap", "imaps"),
    ("ssl/pop3", "pop3s"),
    ("ssl/smtp", "smtps"),
    ("ssl/ldap", "ldaps"),
    ("ssl/mqtt", "secure-mqtt", "mqtts"),
    ("http", "http-proxy", "http-alt"),
)


_CANONICAL = {name: names[0] for names in _ALIASES for name in names}


# A slash is none of it, as schemas/inventory.schema.json says.
_DECLARABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def service_to_declare(service: Service | None) -> str | None:
    """What a scan identified, by a name that a declaration takes; None when it was guessed or has no such name."""
    name = identified(service)
    if name is None:
        return None
    common = canonical(name)
    names = next((names for names in _ALIASES if names[0] == common), (common,))
    return next((name for name in names if _DECLARABLE.fullmatch(name)), None)


def identified(service: Service | None) -> str | None:
    """The service that answered, with ``ssl/`` before it inside TLS; None when that was only guessed."""
    if service is None or service.method != "probed" or not service.name:
        return None
    name = service.name
    if service.tunnel == "ssl" and not name.startswith("ssl/"):
        name = "ssl/http" if name == "https" else f"ssl/{name}"
    return None if name in UNIDENTIFIED_NAMES else name


def canonical(name: str) -> str:
    lowered = name.lower()
    return _CANONICAL.get(lowered, lowered)
