# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a limited or shallow run left out is said by what is made of it: the review and the baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.baseline import source_of
from ansible_collections.vigil.ports.plugins.plugin_utils._review.review_markdown import review_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._review.review_run import review_run
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._history.estate import Estate, host


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, []),
        ({"limit": "web1", "left_out": ["db1", "web2"]}, ["2 hosts", "limit web1", "db1, web2"]),
        ({"left_out": ["db1"]}, ["1 host of", "db1"]),
        ({"scan_depth": "none"}, ["from outside nothing was asked", "internet"]),
        ({"scan_depth": "known"}, ["only known ports"]),
        ({"absent_scanners": ["scan9"]}, ["scan9"]),
        ({"limit": "a\n#b", "left_out": ["x\u202e"]}, ["limit a\\x0a#b"]),
    ],
)
def test_the_review_and_the_baseline_say_what_the_run_left_out(
    tmp_path: Path, asked: dict[str, Any], said: list[str]
) -> None:
    run = Estate(tmp_path / "reports", "").opened_run(1, {"web1": host("web1")}, **asked)
    source, review = source_of(run), review_run(run, 90)
    assert "\n" not in source
    assert (source == f"run {run.run_id}") is (not said)
    assert bool(review.left_out) is bool(said)
    for text in said:
        assert text in source
        assert text in "; ".join(review.left_out)
    sheet = "\n".join(review_lines(review))
    assert ("did not look at everything" in sheet) is bool(said)
