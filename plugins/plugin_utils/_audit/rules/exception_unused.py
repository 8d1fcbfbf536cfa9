# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that an exception in force excuses something.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._inventory.declared import PortException
from ..finding import Finding, about_exception
from ..host_view import HostView
from ..rule import EXCEPTION_CASE, Rule, Use
from ..ways import no_entry, not_closed, not_declared
from . import controls


def judge_exception(view: HostView, exception: PortException, use: Use) -> Iterator[Finding]:
    """A fail when it is in force and excuses nothing, and all that it may excuse was looked for."""
    if exception.is_active(view.today) and use.looked_for and not use.used:
        yield about_exception(RULE, "fail", view.host, exception, f"the {exception.subject} excuses nothing")


RULE = Rule(
    id="exception-unused",
    title="an exception excuses nothing",
    severity="low",
    case="exception",
    case_name=EXCEPTION_CASE,
    when="The exception is in force, the host was assessed, and no finding needed it.",
    remedy="Delete the exception: what it was made for is gone.",
    controls=controls.REVIEW,
    needs=frozenset(("inside", "outside")),
    excused="never",
    declare=not_declared,
    except_for_a_time=no_entry("delete {place}: nothing needs it"),
    close=not_closed("nothing is there to close"),
    judge_exception=judge_exception,
)
