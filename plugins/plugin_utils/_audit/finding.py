# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule applied to one subject. This module is private to the collection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from .._inventory.declared import Declaration, PortException
from .._inventory.port_range import place_in_order
from .rule import Rule, severity_rank

Status = Literal["pass", "fail", "excepted", "not_assessed"]
Port = int | str | None


class Finding(NamedTuple):
    """What an audit says of one subject.

    ``host`` is None for what concerns the whole run. ``port`` is a number, a declared range or dynamic port as text,
    or None. ``gap`` names what could not be told, so that it can be accepted by that name. ``place``,
    ``declared_port``, ``declared_address`` (None: any) and ``owner`` come from the declaration or
    exception that the finding speaks of.
    """

    rule: str
    status: Status
    severity: str
    host: str | None
    namespace: str | None
    protocol: str | None
    port: Port
    address: str | None
    vantage: str | None
    message: str
    details: tuple[str, ...] = ()
    gap: str | None = None
    place: str | None = None
    declared_port: Port = None
    declared_address: str | None = None
    owner: str | None = None
    exception: Mapping[str, Any] | None = None
    ways_out: Mapping[str, Any] | None = None  # of what failed: declare, except, close
    #: What else tells it apart from others of its rule and place: the name of its gap, the rules of its exception.
    told_apart: tuple[str | None, str | None] = (None, None)

    @property
    def id(self) -> str:
        """The same from run to run: a digest of what the finding is about, and of nothing that changes."""
        return hashlib.sha256("\x1f".join(map(str, self.subject)).encode("utf-8", "surrogatepass")).hexdigest()[:20]

    @property
    def subject(self) -> tuple[Any, ...]:
        """What the finding is about."""
        address = self.address if self.address is not None else self.declared_address
        return (
            self.rule,
            self.host,
            self.namespace,
            self.protocol,
            self.port,
            address,
            self.vantage,
            *self.told_apart,
        )

    @property
    def endpoint(self) -> str:
        """``tcp/443``, or an empty text where the finding is not about a port."""
        return f"{self.protocol}/{self.port}" if self.port is not None else ""

    def as_dict(self, rule: Rule) -> dict[str, Any]:
        """The finding as results hold it, but for what the gate says of it. ``rule`` is its own."""
        row: dict[str, Any] = dict(zip(self._fields, self, strict=True))
        del row["told_apart"]
        row["details"] = list(self.details)
        row["id"], row["remedy"], row["controls"] = self.id, rule.remedy, list(rule.controls)
        return row

    @property
    def sort_key(self) -> tuple[Any, ...]:
        port = 0 if self.port is None else place_in_order(self.port)
        return (
            self.rule,
            self.protocol or "",
            port,
            self.vantage or "",
            self.address or "",
            self.namespace or "",
            self.gap or "",
            self.place or "",
            str(self.port),
        )


_GRAVEST_FIRST: tuple[Status, ...] = ("fail", "not_assessed", "excepted", "pass")


def one_for_each_subject(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without doubles: of those with one identity the gravest, and what the others add as details.

    A port may be declared twice by its owner, or alone and in a range; it is still one subject.
    """
    by_subject: dict[tuple[Any, ...], Finding] = {}
    for finding in findings:
        earlier = by_subject.setdefault(finding.subject, finding)
        if earlier is not finding:
            kept, other = sorted((earlier, finding), key=_gravest_first)
            if kept.status == other.status and other.message not in (kept.message, *kept.details):
                kept = kept._replace(details=(*kept.details, other.message))
            by_subject[finding.subject] = kept
    return list(by_subject.values())


def _gravest_first(finding: Finding) -> tuple[int, int, str]:
    return (_GRAVEST_FIRST.index(finding.status), -severity_rank(finding.severity), finding.message)


def by_gravity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Order of findings for people: what breaks the gate first, then by severity, host and rule."""
    return (
        not row["breaks_gate"],
        -severity_rank(row["severity"]),
        row["host"] or "",
        row["rule"],
        str(row["port"] or ""),
    )


def about_declaration(
    rule: Rule,
    status: Status,
    host: str,
    declaration: Declaration,
    message: str,
    *,
    severity: str | None = None,
    port: Port = None,
    address: str | None = None,
    vantage: str | None = None,
    details: tuple[str, ...] = (),
    gap: str | None = None,
) -> Finding:
    """A finding whose subject is a declaration: its port or range unless another is given, and its namespace."""
    declared_port = declaration.port.subject
    return Finding(
        rule.id,
        status,
        severity or rule.severity,
        host,
        declaration.namespace,
        declaration.protocol,
        declared_port if port is None else port,
        address,
        vantage,
        message,
        details,
        gap,
        declaration.place,
        declared_port,
        None if declaration.address.networks is None else str(declaration.address),
        declaration.owner,
    )


def about_exception(rule: Rule, status: Status, host: str, exception: PortException, message: str) -> Finding:
    """A finding whose subject is an exception."""
    approval = approval_of(exception)
    apart = approval["rules"] if rule.case == "exception" else None  # of two exceptions for one port the rules tell
    return Finding(
        rule=rule.id,
        status=status,
        severity=rule.severity,
        host=host,
        namespace=exception.namespace,
        protocol=exception.protocol,
        port=exception.port.subject,
        address=None,
        vantage=exception.vantage,
        message=message,
        place=exception.place,
        declared_address=None if exception.address.networks is None else str(exception.address),
        owner=exception.owner,
        exception=approval,
        told_apart=(None, apart),
    )


def approval_of(exception: PortException) -> dict[str, Any]:
    """Who approved what until when, as findings carry it."""
    return {
        "place": exception.place,
        "protocol": exception.protocol,
        "port": exception.port.subject,
        "namespace": exception.namespace,
        "rules": ", ".join(sorted(exception.rules)) if exception.rules is not None else None,
        "reason": exception.reason,
        "owner": exception.owner,
        "approved_by": exception.approved_by,
        "change": exception.change,
        "expires": exception.expires.isoformat(),
    }


def days_text(number: int) -> str:
    """``1 day`` or ``3 days``."""
    return f"{number} day{'' if number == 1 else 's'}"
