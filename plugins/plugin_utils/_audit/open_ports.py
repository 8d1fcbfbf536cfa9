# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a scan found open at an address, and who may answer there. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from .._evidence.observed import Endpoint, Listener, ScannedTarget
from .finding import Finding, Status
from .host_view import HostView, would_answer
from .rule import Rule


def open_at(target: ScannedTarget) -> Iterator[Endpoint]:
    for endpoint in target.endpoints:
        if endpoint.state == "open":
            yield endpoint


def is_trusted(target: ScannedTarget) -> bool:
    """True when the scan looked at all it was asked to, so that finding nothing means something."""
    return target.status == "complete" and not target.unknown


def endpoint_text(endpoint: Endpoint) -> str:
    service = endpoint.service
    name = " ".join(filter(None, (service.product, service.version))) if service else ""
    return f"{endpoint.protocol}/{endpoint.port}{f' ({name})' if name else ''}"


def answering(view: HostView, target: ScannedTarget, protocol: str, port: int) -> Iterator[Listener]:
    """The listeners of a port that answer at the scanned address, or may."""
    for listener in view.listeners_on(protocol, port):
        if would_answer(listener, target.address, view.own_addresses) is not False:
            yield listener


def about_target(
    rule: Rule,
    status: Status,
    view: HostView,
    target: ScannedTarget,
    message: str,
    protocol: str | None = None,
    port: int | None = None,
) -> Finding:
    return Finding(
        rule=rule.id,
        status=status,
        severity=rule.severity,
        host=view.host,
        namespace=None,
        protocol=protocol,
        port=port,
        address=target.address,
        vantage=target.vantage,
        message=message,
    )
