# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exceptions: what was approved, and until when, applied to findings. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._evidence.observed import address_of
from .._inventory.declared import PortException
from .._inventory.port_range import is_by_owner, span_of
from .finding import Finding, approval_of
from .host_view import HostView
from .needed_looks import looked_for
from .rule import Use
from .rules.registry import CATALOGUE, RULES

#: Excused only by an exception that names it: who approved a port did not approve that somebody hides it.
_EXCUSED_BY_NAME = frozenset(rule.id for rule in RULES if rule.excused == "by name")
#: What an exception excuses that names no rule.
_EXCUSED_WITHOUT_A_NAME = frozenset(rule.id for rule in RULES if rule.excused == "by any")


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
        yield finding._replace(status="excepted", exception=approval_of(exception))
    for index, exception in enumerate(view.inventory.exceptions):
        looked = index in used or (assessed and _was_looked_for(view, exception, untold))
        use = Use(index in used, looked)
        for rule in RULES:
            if rule.judge_exception is not None:
                yield from rule.judge_exception(view, exception, use)


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
    if (
        finding.status != "fail"
        or CATALOGUE[finding.rule].excused == "never"
        or finding.port is None
        or is_by_owner(finding.port)
    ):
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
