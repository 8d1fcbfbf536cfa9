# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A link that somebody put into the report directory is followed nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.state import AlertState, one_at_a_time
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.lock_file import others_who_write
from ansible_collections.vigil.ports.plugins.plugin_utils._history.problem import HistoryError
from ansible_collections.vigil.ports.plugins.plugin_utils._history.store import opened
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.verify_run import verify_run
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._history.estate import Estate, host


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(tmp_path / "reports", "")


def sealed(estate: Estate, hour: float) -> Path:
    return estate.sealed(estate.opened_run(hour, {"web1": host("web1")})).path


@pytest.mark.parametrize("name", [".lock", ".alerts.lock"])
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe"])
def test_a_lock_that_is_no_plain_file_is_refused_by_its_name(
    estate: Estate, tmp_path: Path, name: str, kind: str
) -> None:
    victim = tmp_path / "victim"
    if kind == "link":
        victim.write_text("as it was")
    if kind == "pipe":
        os.mkfifo(estate.report_dir / name)
    else:
        (estate.report_dir / name).symlink_to(victim)
    use = {".lock": lambda: sealed(estate, 1), ".alerts.lock": one_at_a_time(estate.report_dir).__enter__}[name]
    with pytest.raises(OSError, match="not a plain file") as raised:
        use()
    assert str(estate.report_dir / name) in str(raised.value)
    assert victim.exists() == (kind == "link")


def test_alerts_are_not_read_through_a_link(estate: Estate, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (estate.report_dir / "alerts.json").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="not a plain file"):
        AlertState.of(estate.report_dir)


@pytest.mark.parametrize("suffix", ["", "-journal", "-wal"])
def test_the_database_is_not_opened_through_a_link(estate: Estate, tmp_path: Path, suffix: str) -> None:
    victim = tmp_path / "victim.db"
    (estate.report_dir / f"history.db{suffix}").symlink_to(victim)
    with pytest.raises(HistoryError, match="a link, which is not followed"), opened("", estate.report_dir):
        pass
    assert not victim.exists()


@pytest.mark.parametrize("leads", ["../elsewhere", "{0}/elsewhere", "..", "link"])
def test_latest_leads_to_a_run_beside_it_or_nowhere(estate: Estate, tmp_path: Path, leads: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (estate.report_dir / "link").symlink_to(tmp_path / "elsewhere")
    (estate.report_dir / "latest").symlink_to(leads.format(tmp_path))
    run = estate.opened_run(1, {"web1": host("web1")})
    assert run.latest() is None
    estate.sealed(run)
    assert run.latest() is not None
    assert os.readlink(estate.report_dir / "latest") == run.run_id


@pytest.mark.parametrize(("mode", "said"), [(0o700, None), (0o755, None), (0o775, "group"), (0o1777, "everybody")])
def test_who_else_may_write_the_runs_is_said(tmp_path: Path, mode: int, said: str | None) -> None:
    tmp_path.chmod(mode)
    others = others_who_write(tmp_path)
    assert others is None if said is None else said in str(others)


def test_a_newer_sealed_run_beside_the_verified_one_is_named(estate: Estate) -> None:
    first, second, third = (sealed(estate, hour) for hour in (1, 2, 3))
    from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory

    def named(path: Path) -> list[str]:
        return [note for note in verify_run(RunDirectory(path)).notes if "newer" in note]

    assert named(third) == []
    [note] = named(second)
    assert third.name in note
    [note] = named(first)
    assert third.name in note
