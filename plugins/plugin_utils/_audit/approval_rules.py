# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exceptions and reviews: what was approved, and until when. This module is private to the collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from .._evidence.observed import address_of
from .._inventory.declared import PortException
from .._inventory.port_range import is_by_owner, span_of
from .catalogue import CATALOGUE
from .finding import Finding, Status, about_declaration
from .host_view import HostView
from .needed_looks import looked_for

#: Excused only by an exception that names it: who approved a port did not approve that somebody hides it.
_EXCUSED_BY_NAME = frozenset(("hidden-listener",))

#: An exception is for ports. Rules that are about exceptions, what is too wide, and gaps it never excuses.
_NEVER_EXCUSED = frozenset(
    rule.id
    for rule in CATALOGUE.values()
    if rule.case in ("packets", "exception", "assessment", "breadth", "acceptance")
)

#: What an exception excuses that names no rule.
_EXCUSED_WITHOUT_A_NAME = frozenset(CATALOGUE) - _NEVER_EXCUSED - _EXCUSED_BY_NAME


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

    An exception in force turns a failed finding into an excepted one. ``assessed`` says that the run has no gap at
    the host. An exception is called unused only then, and only when all that it may excuse was looked for.
    """
    used: set[int] = set()
    untold: list[Finding] = []
    for finding in findings:
        if finding.status == "not_assessed" and finding.port is not None:
            untold.append(finding)
        excuse = _excuse(view, finding)
        if excuse is None:
            yield finding
            continue
        index, exception = excuse
        used.add(index)
        yield finding._replace(status="excepted", exception=_approval(exception))
    for index, exception in enumerate(view.inventory.exceptions):
        looked = index in used or (assessed and _was_looked_for(view, exception, untold))
        yield from _about(view, exception, used=index in used, looked_for=looked)


def _was_looked_for(view: HostView, exception: PortException, untold: Iterable[Finding]) -> bool:
    """Whether the run would have found what the exception excuses. ``untold`` is what rules could not tell."""
    if any(_may_match(exception, finding) for finding in untold):
        return False
    rules = _EXCUSED_WITHOUT_A_NAME if exception.rules is None else exception.rules
    return looked_for(view, rules, exception.protocol, exception.port, exception.namespace, exception.vantage)


def _may_match(exception: PortException, finding: Finding) -> bool:
    """Whether the exception would excuse a part of the finding, if that failed."""
    if finding.port is None or is_by_owner(finding.port):  # an exception is for ports by their number
        return False
    first, last = span_of(finding.port)
    return (
        (exception.protocol, exception.namespace) == (finding.protocol, finding.namespace or "host")
        and (exception.rules is None or finding.rule in exception.rules)
        and exception.vantage in (None, finding.vantage)
        and first <= exception.port.last
        and exception.port.first <= last
    )


def _excuse(view: HostView, finding: Finding) -> tuple[int, PortException] | None:
    if finding.status != "fail" or finding.rule in _NEVER_EXCUSED or finding.port is None or is_by_owner(finding.port):
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
    first, last = span_of(finding.port if finding.port is not None else 0)
    return first in exception.port and last in exception.port


def _address_matches(exception: PortException, finding: Finding) -> bool:
    if finding.address is None:
        return False
    address, _percent, device = finding.address.partition("%")
    return exception.address.allows(address_of(address), loopback_only=device == "lo")


def _about(view: HostView, exception: PortException, *, used: bool, looked_for: bool) -> Iterator[Finding]:
    subject = f"exception for {exception.protocol}/{exception.port} ({exception.change or exception.reason})"
    if not exception.is_active(view.today):
        days = (view.today - exception.expires).days
        yield about_exception(
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
        yield about_exception("exception-expiring", "fail", view, exception, message)
    if used or not looked_for:
        message = f"the {subject} holds to the end of {exception.expires} (UTC)"
        yield about_exception("exception-expired", "pass", view, exception, message)
    else:
        yield about_exception("exception-unused", "fail", view, exception, f"the {subject} excuses nothing")


def about_exception(rule: str, status: Status, view: HostView, exception: PortException, message: str) -> Finding:
    """A finding whose subject is an exception."""
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
