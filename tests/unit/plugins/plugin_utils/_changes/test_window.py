# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A window is opened once, closed once, by whom it belongs to, and held against the run it was opened with."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.close_window import closing, held_against_plan
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.open_window import (
    declared_inventories,
    new_window,
    plan_by_id,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.outcome_junit import junit_chunks
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.outcome_text import console_lines, report_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.window import WindowError, Windows, open_changes
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.open_changes import open_change
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils.sealed_runs import sealed_run
from lxml import etree

Json = dict[str, Any]
NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
BY = {"host": "control1", "user": "operator", "kernel": "Linux 6.1.0", "ci_job": None}
OTHER = {"host": "control2", "user": "operator"}
HOSTILE = "x\x1b[31m|`::error::"


@pytest.fixture
def before(tmp_path: Path) -> RunDirectory:
    return sealed_run(tmp_path)


def window(before: RunDirectory, change: str = "CHG-1", *hosts: str) -> Json:
    plan = {host: [] for host in hosts or ("web1", "web2")}
    return new_window(change, before, plan, "nothing", None, BY, NOW)


@pytest.fixture
def windows(before: RunDirectory) -> Windows:
    """One window is open."""
    made = Windows(before.path.parent)
    made.add(window(before), again=False)
    return made


def closed(windows: Windows, before: RunDirectory, change: str = "CHG-1") -> None:
    after = sealed_run(before.path.parent, 1)
    found = held_against_plan(windows.of(change).read(), before.path.parent, after, BY, NOW)
    windows.close(windows.of(change), closing(found, after, {}), {})


def test_both_files_are_as_their_schema_says(windows: Windows, before: RunDirectory) -> None:
    closed(windows, before)
    found = windows.of("CHG-1")
    for name in ("window.json", "close.json"):
        build.validator("change").validate(json.loads((found.path / name).read_text(encoding="utf-8")))
        assert (found.path / name).stat().st_mode & 0o777 == 0o600
    assert found.path.stat().st_mode & 0o777 == 0o700


def test_an_open_window_is_in_the_way_of_its_change_and_of_its_hosts(windows: Windows, before: RunDirectory) -> None:
    with pytest.raises(WindowError, match="CHG-1 is open already, since 2026-11-21T02:00:00Z by operator@control1"):
        windows.add(window(before), again=True)
    with pytest.raises(WindowError, match="web2: in the window of change CHG-1"):
        windows.add(window(before, "CHG-2", "web2", "web3"), again=False)
    windows.add(window(before, "CHG-2", "web3"), again=False)
    assert [one.read()["change"] for one in windows.open()] == ["CHG-1", "CHG-2"]


def test_a_window_is_closed_once(windows: Windows, before: RunDirectory) -> None:
    closed(windows, before)
    with pytest.raises(
        WindowError, match=r"was closed at .* by operator@control1, and did not go as planned: .*report"
    ):
        windows.refuse_closing("CHG-1", BY, take_over=False)
    with pytest.raises(WindowError, match="change_again=true"):
        windows.add(window(before), again=False)
    windows.add(window(before), again=True)
    assert windows.of("CHG-1").read()["opened"] == "2026-11-21T02:00:00Z"
    assert (windows.path / "CHG-1~1" / "close.json").exists(), "the closed window was lost"
    assert [one.path.name for one in windows.open()] == ["CHG-1"]


def test_ids_that_differ_in_capitals_only_are_never_taken_for_each_other(windows: Windows) -> None:
    """On a file system that does not tell them apart, as the link here does not."""
    opened = windows.of("CHG-1")
    opened.path.with_name("chg-1").symlink_to(opened.path)
    told = 'is the window of change CHG-1; .* "chg-1" needs another id'
    with pytest.raises(WindowError, match=told):
        windows.refuse_closing("chg-1", BY, take_over=False)
    with pytest.raises(WindowError, match=told):
        windows.refuse_opening("chg-1", ["web9"], again=False)


def test_an_unknown_change_names_those_that_are_open(windows: Windows) -> None:
    with pytest.raises(WindowError, match=r'"CHG-7" has no window in .*; open are: CHG-1$'):
        windows.refuse_closing("CHG-7", BY, take_over=False)


def test_another_controller_closes_only_when_it_says_so(windows: Windows, before: RunDirectory) -> None:
    with pytest.raises(WindowError, match=r"opened by operator@control1, and this is operator@control2"):
        windows.refuse_closing("CHG-1", OTHER, take_over=False)
    taken = windows.refuse_closing("CHG-1", OTHER, take_over=True)
    after = sealed_run(before.path.parent, 1)
    found = held_against_plan(taken.read(), before.path.parent, after, OTHER, NOW)
    assert closing(found, after, {})["taken_over"]
    assert "operator@control2`, who took it over." in "\n".join(report_lines(found))


@pytest.mark.parametrize("damage", ["gone", "resealed", "edited"])
def test_a_run_before_that_is_not_as_it_was_is_no_ground(windows: Windows, before: RunDirectory, damage: str) -> None:
    if damage == "gone":
        before.path.rename(before.path.with_name("elsewhere"))
    elif damage == "resealed":
        before.manifest.write_bytes(before.manifest.read_bytes() + b" ")
    else:
        before.results.write_bytes(before.results.read_bytes().replace(b"6379", b"6380"))
    after = sealed_run(before.path.parent, 1)
    with pytest.raises(WindowError, match="what was before the change is not known any more"):
        held_against_plan(windows.of("CHG-1").read(), before.path.parent, after, BY, NOW)


def test_a_plan_that_matches_nothing_names_what_is_carried(before: RunDirectory) -> None:
    hosts = declared_inventories(before)
    with pytest.raises(WindowError, match="of the 2 hosts carries the change id CHG-1; they carry none at all"):
        plan_by_id(hosts, "CHG-1", nothing=False)
    assert plan_by_id(hosts, "CHG-1", nothing=True) == {"web1": [], "web2": None}


@pytest.mark.parametrize("change", ["", "CHG\x1b[31m", "CHG\n1", "x" * 2000])
def test_an_id_that_does_not_print_is_refused(windows: Windows, change: str) -> None:
    with pytest.raises(WindowError, match="is no change id"):
        windows.refuse_opening(change, ["web9"], again=False)


def test_open_windows_are_told_also_where_one_cannot_be_read(windows: Windows, before: RunDirectory) -> None:
    windows.add(window(before, "CHG-2", "web3"), again=False)
    (windows.of("CHG-2").path / "window.json").write_text("{", encoding="utf-8")
    told = open_changes(before.path.parent, NOW + dt.timedelta(hours=5, minutes=59))
    build.validator("evidence").evolve(
        schema={
            **build.validator("evidence").schema["$defs"]["run"]["properties"]["open_changes"],
            "$defs": build.validator("evidence").schema["$defs"],
        }
    ).validate(told)
    assert [(row["change"], row["hours"], row["problem"] is None) for row in told] == [
        ("CHG-1", 5, True),
        ("CHG-2", None, False),
    ]
    assert open_change(told[0], str) == (
        "Change window CHG-1 is open for 5 hours, since 2026-11-21T02:00:00Z by operator@control1, on 2 hosts"
    )
    assert "cannot be read: " in open_change(told[1], str)


def test_what_hosts_chose_does_nothing_in_the_reports(windows: Windows, before: RunDirectory) -> None:
    after = RunDirectory(sealed_run(before.path.parent, 1).path)
    about = {**windows.of("CHG-1").read(), "change": HOSTILE, "hosts": [HOSTILE], "plan": {HOSTILE: []}}
    found = held_against_plan(about, before.path.parent, after, BY, NOW)
    for line in (*console_lines(found, HOSTILE), *report_lines(found)):
        assert line.isprintable()
    assert not any("::error::" in line for line in console_lines(found, HOSTILE))
    assert not any("|`::" in line for line in report_lines(found))
    suites = etree.fromstring(b"".join(junit_chunks(found)))
    assert [suite.get("errors") for suite in suites] == ["2"]
    for suite in suites:
        assert suite.get("tests") == "3"
        assert [part.tag for part in suite] == ["properties", *["testcase"] * 3, "system-out", "system-err"]
