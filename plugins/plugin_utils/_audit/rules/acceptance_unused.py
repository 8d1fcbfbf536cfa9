# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that each gap that was accepted is there.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..closing import told
from ..finding import Finding
from ..rule import EVERYTHING, Rule
from ..ways import way
from . import controls

_DELETE = way(None, None, "delete what is not there from audit_accept_gaps, or spell it as the reports show it")
_NOT_THERE = told("nothing is there to close")


def acceptances(unused: Sequence[str]) -> Finding:
    """``unused`` are the accepted gaps that are not there."""
    names = ", ".join(unused)
    return Finding(
        rule=RULE.id,
        status="fail" if unused else "pass",
        severity=RULE.severity,
        host=None,
        namespace=None,
        protocol=None,
        port=None,
        address=None,
        vantage=None,
        message=f"audit_accept_gaps accepts what is not there: {names}" if unused else "every accepted gap is there",
        ways_out={"declare": _DELETE, "except": _DELETE, "close": _NOT_THERE} if unused else None,
    )


RULE = Rule(
    id="acceptance-unused",
    title="an accepted gap is not there",
    severity="low",
    case="acceptance",
    case_name="every accepted gap is there",
    when=(
        "`audit_accept_gaps` names a gap, or has a pattern, that covers none of the run. Told of whole runs: a limited"
        " one may have left out the host."
    ),
    remedy="Delete it from `audit_accept_gaps`: what it was accepted for is gone, or it was never spelt right.",
    controls=controls.REVIEW,
    needs=EVERYTHING,
    excused="never",
    declare=lambda _subject: _DELETE,
    except_for_a_time=lambda _subject: _DELETE,
    close=lambda _subject: _NOT_THERE,
)
