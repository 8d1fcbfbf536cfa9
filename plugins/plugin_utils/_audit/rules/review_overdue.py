# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that declarations are reviewed in time.

This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from ..finding import Finding, about_declaration, days_text
from ..host_view import HostView
from ..rule import Metric, Rule
from ..ways import by_exception, by_stopping, corrected, day_after
from . import controls

_REVIEWED_AGAIN = dt.timedelta(days=365)


def judge(view: HostView) -> Iterator[Finding]:
    """For each declaration that has a ``review_by``."""
    for declaration in view.inventory.declarations:
        if declaration.review_by is None:
            continue
        days = (view.today - declaration.review_by).days
        subject = f"{declaration.protocol}/{declaration.port}"
        if days > 0:
            message = f"the review of {subject} was due on {declaration.review_by}, {days_text(days)} ago"
            yield about_declaration(RULE, "fail", view.host, declaration, message)
        else:
            message = f"the review of {subject} is due on {declaration.review_by}"
            yield about_declaration(RULE, "pass", view.host, declaration, message)


RULE = Rule(
    id="review-overdue",
    title="a declaration's review is overdue",
    severity="low",
    case="review",
    case_name="the review of {protocol}/{declared_port}{inside} is not overdue",
    when="The day in `review_by` has passed (UTC).",
    remedy="Ask the owner whether the port is still needed, and set the next `review_by`.",
    controls=controls.REVIEW,
    needs=frozenset(("declared",)),
    excused="by any",
    declare=corrected(lambda subject, _declaration: {"review_by": day_after(subject.view.today, _REVIEWED_AGAIN)}),
    except_for_a_time=by_exception,
    close=by_stopping,
    judge=judge,
    metric=Metric("vigil_ports_reviews_overdue", "Declarations whose review is overdue."),
)
