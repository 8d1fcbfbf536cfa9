# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is judged as of another day is a question: nothing takes it for the state."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from .conftest import Ended, Json, Playbooks

TODAY = dt.datetime.now(dt.UTC).date()
DAYS = [f"{TODAY + dt.timedelta(400)}", f"{TODAY - dt.timedelta(1)}"]


def channel(folder: Path) -> list[Json]:
    return [{"name": "file", "urls": [f"json://localhost:9/{folder.name}"]}]


def sealed(run: Ended) -> list[Path]:
    return sorted(path.parent for path in run.report_dir.glob("2*/manifest.json"))


@pytest.mark.parametrize("day", DAYS)
def test_nothing_takes_it_for_the_state(playbook: Playbooks, tmp_path: Path, day: str) -> None:
    settings: Json = {
        "audit_history": True,
        "audit_metrics_file": str(tmp_path / "vigil.prom"),
        "notify_channels": channel(tmp_path),
        "notify_retries": 0,
        "notify_timeout": 1,
        "audit_label": "nightly",
        "audit_every": 60,
    }
    first = playbook(variables=settings)
    latest = (first.report_dir / "latest").readlink()
    told, counted = (first.report_dir / "alerts.json").read_bytes(), (tmp_path / "vigil.prom").read_bytes()
    asked = playbook("vigil.ports.audit", "-e", f"audit_date={day}", variables=settings)
    assert f"A what-if run as of {day}: it is not recorded and tells nobody." in asked.said
    assert len(sealed(asked)) == 2
    assert (asked.report_dir / "latest").readlink() == latest
    assert (asked.report_dir / "alerts.json").read_bytes() == told
    assert (tmp_path / "vigil.prom").read_bytes() == counted
    (what_if,) = (path for path in sealed(asked) if path.name != str(latest))
    assert f"What-if run as of {day}".lower() in (what_if / "summary.md").read_text().lower()
    verified = playbook("vigil.ports.verify", "-e", f"run_dir={what_if}")
    assert verified.exit_status == 0, verified.output
    # Neither what is recorded late nor what is recorded anew has it.
    after = playbook(variables=settings)
    results = json.loads((after.report_dir / "latest" / "results.json").read_text())
    assert results["changes"]["last"]["run_id"] == str(latest)
    assert results["run"]["due"]["last_run_id"] == str(latest)
    (after.report_dir / "history.db").unlink()
    rebuilt = playbook("vigil.ports.history_rebuild")
    assert "2 runs were recorded" in rebuilt.said


def test_today_is_no_other_day(playbook: Playbooks) -> None:
    run = playbook("vigil.ports.audit", "-e", f"audit_date={TODAY}")
    assert "what-if" not in run.said
    assert (run.report_dir / "latest").is_symlink()
    assert "what_if" not in run.read("evidence/run.json")


def test_alerts_sent_later_are_not_of_it(playbook: Playbooks, tmp_path: Path) -> None:
    asked = playbook("vigil.ports.audit", "-e", f"audit_date={DAYS[0]}")
    (run,) = sealed(asked)
    settings = {"notify_channels": channel(tmp_path), "notify_retries": 0, "notify_timeout": 1}
    told = playbook("vigil.ports.notify", "-e", f"run_dir={run}", hosts=["localhost"], variables=settings)
    assert not (asked.report_dir / "alerts.json").exists()
    assert "0 delivered, 0 wait for the next run" in told.said


def test_a_change_window_is_about_today(playbook: Playbooks) -> None:
    given = json.dumps({"change": "CHG-1", "change_nothing": True, "audit_date": DAYS[0]})
    run = playbook("vigil.ports.change_open", "-e", given)
    assert run.exit_status == 2
    assert f"audit_date: {DAYS[0]} is not today (UTC), and a change window is about today" in run.said
