# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An operator's table of severities, from data and to data (``audit_risk_table``). This module is private to the
collection.

.. code-block:: yaml

    audit_risk_table:
      name: ours
      epss_above: 0.2          # null: EPSS raises nothing
      rows:                    # all 16 combinations
        - {kev: true, exposed: true, automatable: true, impact: total, days: 1, severity: critical, investigate: true}
        - {kev: false, exposed: false, automatable: false, impact: partial, days: null, severity: info}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .severity_table import ALL_CASES, SEVERITIES, Case, Outcome, Table

_PLACE = "audit_risk_table"
_TABLE_KEYS = ("name", "epss_above", "rows")
_YES_NO = ("kev", "exposed", "automatable")
_ROW_KEYS = (*_YES_NO, "impact", "days", "severity", "investigate")
_MOST_DAYS = 3650
_MOST_PROBLEMS = 20


class TableProblems(ValueError):  # noqa: N818 - it holds several
    """All that is wrong with a table, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        more = len(problems) - _MOST_PROBLEMS
        shown = problems[:_MOST_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        super().__init__("; ".join(shown))
        self.problems = tuple(problems)


def table_of(value: object) -> Table:
    """The table in plain data. Raises TableProblems."""
    problems: list[str] = []
    if not isinstance(value, Mapping):
        raise TableProblems([f"{_PLACE}: {_shown(value)}, expected a mapping of {', '.join(_TABLE_KEYS)}"])
    _check_keys(value, _TABLE_KEYS, _PLACE, problems)
    name = value.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 100 or not name.isprintable():
        problems.append(f"{_PLACE}.name: {_shown(name)}, expected a name of up to 100 printable characters")
    epss_above = value.get("epss_above")
    if epss_above is not None and not (_is_number(epss_above) and 0 <= epss_above <= 1):
        problems.append(f"{_PLACE}.epss_above: {_shown(epss_above)}, expected a number from 0 to 1, or null for never")
    outcomes = _outcomes(value.get("rows"), problems)
    if problems:
        raise TableProblems(problems)
    return Table(str(name), outcomes, None if epss_above is None else float(epss_above))


def data_of(table: Table) -> dict[str, Any]:
    """The table as plain data, to begin one of one's own with, and to be kept as evidence."""
    return {
        "name": table.name,
        "epss_above": table.epss_above,
        "rows": [{**case._asdict(), **table.outcomes[case]._asdict()} for case in ALL_CASES],
    }


def _outcomes(rows: object, problems: list[str]) -> dict[Case, Outcome]:
    if not isinstance(rows, list | tuple):
        problems.append(f"{_PLACE}.rows: {_shown(rows)}, expected a list of {len(ALL_CASES)} rows")
        return {}
    outcomes: dict[Case, Outcome] = {}
    first: dict[Case, int] = {}
    for number, row in enumerate(rows):
        place = f"{_PLACE}.rows[{number}]"
        found = _row(row, place, problems)
        if found is None:
            continue
        case, outcome = found
        if case in outcomes:
            problems.append(f"{place}: {case} has a row already, rows[{first[case]}]: remove one of them")
            continue
        outcomes[case], first[case] = outcome, number
    # A row that is wrong is missing too, which is not worth a second sentence.
    if not problems:
        problems += [f"{_PLACE}.rows: no row for {case}: add one" for case in ALL_CASES if case not in outcomes]
    return outcomes


def _row(row: object, place: str, problems: list[str]) -> tuple[Case, Outcome] | None:
    if not isinstance(row, Mapping):
        problems.append(f"{place}: {_shown(row)}, expected a mapping of {', '.join(_ROW_KEYS)}")
        return None
    before = len(problems)
    _check_keys(row, _ROW_KEYS, place, problems)
    row = {"investigate": False, **row}
    problems += [
        f"{place}.{key}: {_shown(row.get(key))}, expected true or false"
        for key in (*_YES_NO, "investigate")
        if not isinstance(row.get(key), bool)
    ]
    for key, allowed in (("impact", ("partial", "total")), ("severity", SEVERITIES)):
        if row.get(key) not in allowed:
            problems.append(f"{place}.{key}: {_shown(row.get(key))}, expected one of {', '.join(allowed)}")
    days = row.get("days", ...)
    if days is not None and not (isinstance(days, int) and not isinstance(days, bool) and 0 <= days <= _MOST_DAYS):
        problems.append(
            f"{place}.days: {'nothing' if days is ... else _shown(days)}, "
            f"expected whole days from 0 to {_MOST_DAYS}, or null for the next upgrade"
        )
    if len(problems) > before:
        return None
    return (
        Case(row["kev"], row["exposed"], row["automatable"], "total" if row["impact"] == "total" else "partial"),
        Outcome(row["days"], SEVERITIES[SEVERITIES.index(row["severity"])], row["investigate"]),
    )


def _check_keys(value: Mapping[Any, Any], known: tuple[str, ...], place: str, problems: list[str]) -> None:
    problems += [
        f"{place}: the key {_shown(key)} is not known, expected {', '.join(known)}" for key in value if key not in known
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    return ascii(value)[:60] if value is not None else "nothing"
