# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exceptions and reviews: what was approved, and until when. This module is private to the collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from .._evidence.observed import address_of
from .._inventory.declared import PortException
from .catalogue import CATALOGUE
from .finding import Finding, Status, about_declaration
from .host_view import HostView

#: Excused only by an exception that names it: who approved a port did not approve that somebody hides it.
_EXCUSED_BY_NAME = frozenset(("hidden-listener",))

#: Rules that are about exceptions and gaps themselves are never excused by an exception.
_NEVER_EXCUSED = frozenset(rule.id for rule in CATALOGUE.values() if rule.case in ("exception", "assessment"))


def overdue_reviews(view: HostView) -> Iterator[Finding]:
    """review-overdue: for each declaration that has a ``review_by``."""
    for declaration in view.inventory.declarations:
        if declaration.review_by is None:
            continue
        days = (view.today - declaration.review_by).days
        subject = f"{declaration.protocol}/{declaration.port}"
        if days > 0:
            message = f"the review of {subject} was due on {declaration.review_by}, {_days(days)} ago"
            yield about_declaration("review-overdue", "fail", view.host, declaration, message)
        else:
            message = f"the review of {subject} is due on {declaration.review_by}"
            yield about_declaration("review-overdue", "pass", view.host, declaration, message)


def with_exceptions(view: HostView, findings: Iterable[Finding], *, assessed: bool) -> Iterator[Finding]:
    """The findings with exceptions applied, then what is to say of each exception.

    An exception in force turns a failed finding into an excepted one. ``assessed`` says that all of the
    host was looked at: only then can an exception be called unused.
    """
    used: set[int] = set()
    for finding in findings:
        excuse = _excuse(view, finding)
        if excuse is None:
            yield finding
            continue
        index, exception = excuse
        used.add(index)
        yield finding._replace(status="excepted", exception=_approval(exception))
    for index, exception in enumerate(view.inventory.exceptions):
        yield from _about(view, exception, used=index in used, assessed=assessed)


def _excuse(view: HostView, finding: Finding) -> tuple[int, PortException] | None:
    if finding.status != "fail" or finding.rule in _NEVER_EXCUSED or finding.port is None:
        return None
    for index, exception in enumerate(view.inventory.exceptions):
        if exception.is_active(view.today) and _matches(exception, finding):
            return index, exception
    return None


def _matches(exception: PortException, finding: Finding) -> bool:
    if exception.protocol != finding.protocol or exception.namespace != (finding.namespace or "host"):
        return False
    if exception.rules is None and finding.rule in _EXCUSED_BY_NAME:
        return False
    if exception.rules is not None and finding.rule not in exception.rules:
        return False
    if exception.vantage is not None and exception.vantage != finding.vantage:
        return False
    if exception.address.networks is not None and not _address_matches(exception, finding):
        return False
    if isinstance(finding.port, int):
        return finding.port in exception.port
    first, last = (int(part) for part in str(finding.port).split("-"))
    return first in exception.port and last in exception.port


def _address_matches(exception: PortException, finding: Finding) -> bool:
    if finding.address is None:
        return False
    address, _percent, device = finding.address.partition("%")
    return exception.address.allows(address_of(address), loopback_only=device == "lo")


def _about(view: HostView, exception: PortException, *, used: bool, assessed: bool) -> Iterator[Finding]:
    subject = f"exception for {exception.protocol}/{exception.port} ({exception.change or exception.reason})"
    if not exception.is_active(view.today):
        days = (view.today - exception.expires).days
        yield _finding(
            "exception-expired",
            "fail",
            view,
            exception,
            f"the {subject} expired on {exception.expires}, {_days(days)} ago",
        )
        return
    left = (exception.expires - view.today).days
    if used and left <= view.expiring_days:
        message = f"the {subject} expires on {exception.expires}, {_days(left)} from now"
        yield _finding("exception-expiring", "fail", view, exception, message)
    if used or not assessed:
        message = f"the {subject} holds to the end of {exception.expires} (UTC)"
        yield _finding("exception-expired", "pass", view, exception, message)
    elif assessed:
        yield _finding("exception-unused", "fail", view, exception, f"the {subject} excuses nothing")


def _finding(rule: str, status: Status, view: HostView, exception: PortException, message: str) -> Finding:
    return Finding(
        rule=rule,
        status=status,
        severity=CATALOGUE[rule].severity,
        host=view.host,
        namespace=exception.namespace,
        protocol=exception.protocol,
        port=exception.port.subject,
        address=None,
        vantage=exception.vantage,
        message=message,
        place=exception.place,
        declared_address=None if exception.address.networks is None else str(exception.address),
        owner=exception.owner,
        exception=_approval(exception),
    )


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _approval(exception: PortException) -> dict[str, str | int | None]:
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
        "expires": dt.date.isoformat(exception.expires),
    }
