# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule over exceptions in use that expire soon.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._inventory.declared import PortException
from ..finding import Finding, about_exception, days_text
from ..host_view import HostView
from ..rule import EXCEPTION_CASE, Metric, Rule, Use
from ..ways import by_stopping, not_declared, prolonged
from . import controls


def judge_exception(view: HostView, exception: PortException, use: Use) -> Iterator[Finding]:
    """A fail when it is in use and has few days left."""
    left = (exception.expires - view.today).days
    if use.used and exception.is_active(view.today) and left <= view.expiring_days:
        message = f"the {exception.subject} expires on {exception.expires}, {days_text(left)} from now"
        yield about_exception(RULE, "fail", view.host, exception, message)


RULE = Rule(
    id="exception-expiring",
    title="an exception in use expires soon",
    severity="low",
    case="exception",
    case_name=EXCEPTION_CASE,
    when="The exception excuses a finding, and expires within `audit_expiring_days`.",
    remedy="Finish the work that the exception was made for, or have it prolonged in time.",
    controls=controls.REVIEW,
    needs=frozenset(("inside", "outside")),
    excused="never",
    declare=not_declared,
    except_for_a_time=prolonged,
    close=by_stopping,
    judge_exception=judge_exception,
    metric=Metric("vigil_ports_exceptions_expiring", "Exceptions that end within audit_expiring_days."),
)
