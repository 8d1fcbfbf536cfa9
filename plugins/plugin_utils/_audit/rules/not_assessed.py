# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule over what could not be looked at. This module is private to the collection.

Each gap has a name, by which an operator may accept it: ``<host>:<what>`` or ``<host>:<what>@<vantage>``, of a scan
with the address, and where only some ports are not known with them (see ``acceptance``).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..finding import Finding, Status
from ..rule import Rule
from ..ways import by_exception, by_stopping, not_declared
from . import controls


def gap(
    name: str,
    message: str,
    *,
    host: str | None,
    vantage: str | None = None,
    address: str | None = None,
    details: Sequence[str] = (),
) -> Finding:
    """A not-assessed finding under the name by which it can be accepted."""
    finding = _finding("not_assessed", message, host, vantage, address)
    return finding._replace(gap=name, told_apart=(name, None), details=tuple(details))


def assessed(host: str, message: str, *, vantage: str | None = None, address: str | None = None) -> Finding:
    """The pass of the same rule: all of it was looked at."""
    return _finding("pass", message, host, vantage, address)


def _finding(status: Status, message: str, host: str | None, vantage: str | None, address: str | None) -> Finding:
    return Finding(
        rule=RULE.id,
        status=status,
        severity=RULE.severity,
        host=host,
        namespace=None,
        protocol=None,
        port=None,
        address=address,
        vantage=vantage,
        message=message,
    )


def is_not_scanned(finding: Finding) -> bool:
    """Whether a gap is that nobody looked at the host from a vantage point."""
    return finding.gap == f"{finding.host}:not-scanned@{finding.vantage}"


RULE = Rule(
    id="not-assessed",
    title="something in scope could not be looked at",
    severity="error",
    case="assessment",
    case_name="assessed{from_vantage}",
    when="A host, a protocol, a vantage point or a part of a scan gave no answer that can be trusted.",
    remedy="Remove the cause and run again, or accept this gap by name in `audit_accept_gaps`.",
    controls=controls.EVIDENCE,
    needs=frozenset(("declared", "again")),
    excused="never",
    declare=not_declared,
    except_for_a_time=by_exception,
    close=by_stopping,
)
