# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A severity follows from the table and from inputs that are printed, and what is not known is taken for the worst."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.advisory import Assessed, Exploited, Likely
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.rating import Inputs, rate
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.severity_table import (
    ALL_CASES,
    BOD_26_04,
    Case,
    Outcome,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.table_as_data import TableProblems, data_of, table_of

CVE = "CVE-2023-44487"
KEV = Exploited(cve=CVE, added="2023-10-10", due="2023-10-31", ransomware=None)
PARTIAL = Assessed(cve=CVE, exploitation="active", automatable=True, technical_impact="partial", date="2024-01-01")
EASY = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"
WITH_LOGIN = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"
HARD = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N"


def _inputs(**fields: Any) -> Inputs:
    return Inputs(
        **{"exposed": False, "exposed_at": "no public vantage point", "kev_read": True, "cvss": HARD, **fields}
    )


def _likely(score: float) -> Likely:
    return Likely(cve=CVE, score=score, percentile=0.9, model_version="v2025.03.14", date="2025-12-26")


# kev, exposed, automatable, impact and the time, in the order of CISA's own table.
_BOD = """
no  no  no  partial next upgrade
yes no  no  partial 14 days
no  yes no  partial 60 days
no  no  yes partial 60 days
no  no  no  total   next upgrade
yes yes no  partial 14 days
yes no  yes partial 14 days
no  yes yes partial 14 days
yes no  no  total   14 days
no  yes no  total   14 days
no  no  yes total   60 days
yes yes yes partial 3 days
yes yes no  total   3 days and forensic investigation
yes no  yes total   3 days and forensic investigation
no  yes yes total   3 days
yes yes yes total   3 days and forensic investigation
"""


@pytest.mark.parametrize("line", _BOD.strip().splitlines())
def test_each_row_of_the_directive_is_in_the_table(line: str) -> None:
    kev, exposed, automatable, impact, band = line.split(maxsplit=4)
    case = Case(kev == "yes", exposed == "yes", automatable == "yes", "total" if impact == "total" else "partial")
    assert BOD_26_04.outcomes[case].band == band


def test_the_table_has_each_case_once_and_nothing_else() -> None:
    assert len(ALL_CASES) == len(set(ALL_CASES)) == 16
    assert set(BOD_26_04.outcomes) == set(ALL_CASES)


def test_one_line_says_all_of_it() -> None:
    rating = rate(_inputs(exposed=True, exposed_at="internet", exploited=KEV, assessed=PARTIAL))
    assert rating.line == (
        "exposed=yes(internet) kev=yes(2023-10-10) automatable=yes(vulnrichment) impact=partial(vulnrichment)"
        " -> 3 days -> critical"
    )
    assert (rating.severity, rating.days, rating.investigate, rating.table) == ("critical", 3, False, "BOD 26-04")
    assert rating.due(datetime.date(2026, 2, 27)) == datetime.date(2026, 3, 2)


def test_what_waits_for_the_next_upgrade_has_no_day() -> None:
    rating = rate(_inputs())
    assert (rating.severity, rating.days, rating.due(datetime.date(2026, 1, 1))) == ("low", None, None)
    assert rating.line.endswith("-> next upgrade -> low")


def test_what_is_not_known_is_taken_for_the_worst_and_labelled() -> None:
    rating = rate(_inputs(exposed=None, exposed_at="not looked at", cvss=None))
    assert rating.line == (
        "exposed=yes(assumed: not looked at) kev=no(not in the catalogue) automatable=yes(assumed: no vector)"
        " impact=total(assumed: no vector) -> 3 days -> critical"
    )
    assert [one.name for one in rating.inputs if one.assumed] == ["exposed", "automatable", "impact"]


def test_a_vector_that_cannot_be_read_is_none_and_says_so() -> None:
    assert "automatable=yes(assumed: unreadable vector)" in rate(_inputs(cvss="AV:N/nonsense")).line
    from_cisa = Assessed(
        cve=CVE, exploitation=None, automatable=None, technical_impact=None, date="2024-01-01", cvss=HARD
    )
    assert (
        "automatable=no(cvss 3.1) impact=partial(cvss 3.1)" in rate(_inputs(cvss="nonsense", assessed=from_cisa)).line
    )


def test_without_the_catalogue_it_is_said_that_nobody_looked() -> None:
    assert "kev=unknown(no feed, counts as no)" in rate(_inputs(kev_read=False)).line


def test_vulnrichment_stands_before_the_vector() -> None:
    assessed = Assessed(cve=CVE, exploitation="none", automatable=False, technical_impact="total", date="2024-01-01")
    assert "automatable=no(vulnrichment) impact=total(vulnrichment)" in rate(_inputs(cvss=EASY, assessed=assessed)).line
    half = Assessed(cve=CVE, exploitation="none", automatable=None, technical_impact="total", date="2024-01-01")
    assert "automatable=yes(cvss 3.1) impact=total(vulnrichment)" in rate(_inputs(cvss=EASY, assessed=half)).line


def test_kev_stands_before_what_vulnrichment_says_of_exploitation() -> None:
    none_yet = Assessed(cve=CVE, exploitation="none", automatable=True, technical_impact="partial", date="2024-10-01")
    assert rate(_inputs(exploited=KEV, assessed=none_yet)).days == 14


def test_open_access_opens_what_needs_a_login() -> None:
    closed, opened = rate(_inputs(cvss=WITH_LOGIN)), rate(_inputs(cvss=WITH_LOGIN, open_access=True))
    assert (closed.days, opened.days) == (None, 60)
    assert "automatable=yes(cvss 3.1, PR:L is PR:N by open access)" in opened.line
    assert rate(_inputs(cvss=HARD, open_access=True)).days is None
    assessed = Assessed(cve=CVE, exploitation="none", automatable=False, technical_impact="partial", date="2024-01-01")
    assert rate(_inputs(cvss=WITH_LOGIN, assessed=assessed, open_access=True)).days == 60


@pytest.mark.parametrize(
    ("fields", "before", "after"),
    [
        ({}, None, 60),
        ({"cvss": EASY}, 60, 14),
        ({"cvss": EASY, "exposed": True, "exposed_at": "internet"}, 14, 3),
        ({"cvss": None, "exposed": True, "exposed_at": "internet"}, 3, 3),
        ({"exploited": KEV}, 14, 14),
    ],
)
def test_epss_raises_one_band_and_never_where_kev_speaks(
    fields: dict[str, Any], before: int | None, after: int
) -> None:
    assert rate(_inputs(**fields)).days == rate(_inputs(**fields, likely=_likely(0.1))).days == before
    raised = rate(_inputs(**fields, likely=_likely(0.10001)))
    assert raised.days == after
    assert raised.raised_by_epss is (before != after)
    assert ("raised to" in raised.line) is (before != after)
    assert "epss=0.10001(2025-12-26, v2025.03.14)" in raised.line


def test_a_raise_is_in_the_line() -> None:
    line = rate(_inputs(likely=_likely(0.94))).line
    assert line.endswith("-> next upgrade -> raised to 60 days by EPSS above 0.1 -> medium")
    assert "epss=0.00007(" in rate(_inputs(likely=_likely(7e-05))).line


def test_a_table_of_ones_own_decides() -> None:
    data = data_of(BOD_26_04)
    assert table_of(data) == BOD_26_04
    for row in data["rows"]:
        row |= {"days": 1, "severity": "high"}
    rating = rate(_inputs(likely=_likely(0.9)), table_of({**data, "name": "ours"}))
    assert (rating.days, rating.severity, rating.table) == (1, "high", "ours")
    assert rating.line.endswith("-> 1 day -> high")


def test_without_a_threshold_epss_raises_nothing() -> None:
    table = table_of({**data_of(BOD_26_04), "epss_above": None})
    assert rate(_inputs(likely=_likely(1.0)), table).days is None


def test_a_table_may_have_bands_of_its_own() -> None:
    outcomes = {**BOD_26_04.outcomes, ALL_CASES[0]: Outcome(90, "info")}
    table = table_of(data_of(BOD_26_04._replace(outcomes=outcomes)))
    assert rate(_inputs(), table).days == 90
    assert rate(_inputs(likely=_likely(0.5)), table).days == 60


def _changed(**fields: Any) -> dict[str, Any]:
    data = copy.deepcopy(data_of(BOD_26_04))
    data["rows"][3] |= fields
    return data


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (None, "audit_risk_table: nothing, expected a mapping"),
        ({}, "audit_risk_table.rows: nothing, expected a list of 16 rows"),
        ({**data_of(BOD_26_04), "name": ""}, "audit_risk_table.name: '', expected a name"),
        ({**data_of(BOD_26_04), "nome": "x"}, "audit_risk_table: the key 'nome' is not known"),
        ({**data_of(BOD_26_04), "epss_above": 1.5}, "audit_risk_table.epss_above: 1.5, expected a number from 0 to 1"),
        ({**data_of(BOD_26_04), "epss_above": float("nan")}, "audit_risk_table.epss_above: nan"),
        ({**data_of(BOD_26_04), "epss_above": True}, "audit_risk_table.epss_above: True"),
        (
            {**data_of(BOD_26_04), "rows": data_of(BOD_26_04)["rows"][:-1]},
            "no row for kev=yes exposed=yes automatable=yes",
        ),
        (
            {**data_of(BOD_26_04), "rows": [*data_of(BOD_26_04)["rows"], data_of(BOD_26_04)["rows"][2]]},
            "rows[16]: kev=no exposed=no automatable=yes impact=partial has a row already, rows[2]",
        ),
        (_changed(impact="parital"), "rows[3].impact: 'parital', expected one of partial, total"),
        (_changed(kev="maybe"), "rows[3].kev: 'maybe', expected true or false"),
        (_changed(severity="urgent"), "rows[3].severity: 'urgent', expected one of critical, high, medium, low, info"),
        (_changed(severity=["low"]), "rows[3].severity: ['low']"),
        (_changed(days=-1), "rows[3].days: -1, expected whole days from 0 to 3650"),
        (_changed(days=True), "rows[3].days: True"),
        (_changed(days="3"), "rows[3].days: '3'"),
        (_changed(day=3), "rows[3]: the key 'day' is not known"),
        (_changed(investigate="no"), "rows[3].investigate: 'no', expected true or false"),
        ({**data_of(BOD_26_04), "rows": ["x"]}, "rows[0]: 'x', expected a mapping"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_the_place(table: object, problem: str) -> None:
    with pytest.raises(TableProblems) as refused:
        table_of(table)
    assert problem in str(refused.value)
    assert len(refused.value.problems) <= 2


def test_all_that_is_wrong_with_a_table_is_said_at_once() -> None:
    data = _changed(impact="x", severity="y")
    data["epss_above"] = "often"
    with pytest.raises(TableProblems) as refused:
        table_of(data)
    assert len(refused.value.problems) == 3


def test_a_row_without_days_is_not_the_next_upgrade() -> None:
    data = data_of(BOD_26_04)
    del data["rows"][0]["days"]
    with pytest.raises(TableProblems, match=r"rows\[0\].days: nothing, expected"):
        table_of(data)
