# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule over what answers on an open port. This module is private to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import UNIDENTIFIED_NAMES

from .._evidence.records.reachable import Service
from .finding import Finding, about_declaration
from .host_view import HostView

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


def wrong_services(view: HostView) -> Iterator[Finding]:
    """wrong-service: what a scan identified is what the declaration says."""
    for declaration in view.inventory.declarations:
        if declaration.service is None or declaration.namespace != "host":
            continue
        for target in view.targets:
            for endpoint in target.endpoints:
                if endpoint.protocol != declaration.protocol or endpoint.port not in declaration.port:
                    continue
                if not view.speaks_first(declaration, endpoint.port):
                    continue
                identified = _identified(endpoint.service)
                if identified is None:
                    continue
                subject = f"{endpoint.protocol}/{endpoint.port} at {target.address}"
                same = _canonical(identified) == _canonical(declaration.service)
                yield about_declaration(
                    "wrong-service",
                    "pass" if same else "fail",
                    view.host,
                    declaration,
                    f"{subject} answers {target.vantage} as {identified}, declared {declaration.service}",
                    port=endpoint.port,
                    address=target.address,
                    vantage=target.vantage,
                )


def service_to_declare(service: Service | None) -> str | None:
    """What a scan identified, by a name that a declaration takes; None when it was guessed or has no such name."""
    identified = _identified(service)
    if identified is None:
        return None
    canonical = _canonical(identified)
    names = next((names for names in _ALIASES if names[0] == canonical), (canonical,))
    return next((name for name in names if _DECLARABLE.fullmatch(name)), None)


def _identified(service: Service | None) -> str | None:
    """The service that answered, with ``ssl/`` before it inside TLS; None when that was only guessed."""
    if service is None or service.method != "probed" or not service.name:
        return None
    name = service.name
    if service.tunnel == "ssl" and not name.startswith("ssl/"):
        name = "ssl/http" if name == "https" else f"ssl/{name}"
    return None if name in UNIDENTIFIED_NAMES else name


def _canonical(name: str) -> str:
    lowered = name.lower()
    return _CANONICAL.get(lowered, lowered)
