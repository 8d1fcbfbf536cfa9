# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that no exception has expired.

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
    """A fail when it has expired; a pass when it is in force, and not known to be of no use."""
    subject = exception.subject
    if not exception.is_active(view.today):
        ago = days_text((view.today - exception.expires).days)
        message = f"the {subject} expired on {exception.expires}, {ago} ago"
        yield about_exception(RULE, "fail", view.host, exception, message)
    elif use.used or not use.looked_for:
        message = f"the {subject} holds to the end of {exception.expires} (UTC)"
        yield about_exception(RULE, "pass", view.host, exception, message)


RULE = Rule(
    id="exception-expired",
    title="an exception has expired",
    severity="high",
    case="exception",
    case_name=EXCEPTION_CASE,
    when="The day in `expires` has passed (UTC).",
    remedy="Close the port and delete the exception, or have it approved anew with a later day.",
    controls=controls.REVIEW,
    needs=frozenset(("declared",)),
    excused="never",
    declare=not_declared,
    except_for_a_time=prolonged,
    close=by_stopping,
    judge_exception=judge_exception,
    metric=Metric("vigil_ports_exceptions_expired", "Exceptions that have ended and still stand there."),
)
