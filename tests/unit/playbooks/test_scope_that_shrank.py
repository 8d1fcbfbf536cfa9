# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was asked for and matched nothing is said, whatever Ansible makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import ACCEPT_THE_MACHINE, Json, Playbooks

WEB: dict[str, Json] = {"web": {"hosts": {"web1": {}, "web2": {}}}, "nobodies": {"hosts": {}}}


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ("web1,databse1", {"databse1"}),
        ("web1:databse1", {"databse1"}),
        ("web,databses", {"databses"}),
        ("web1,nobodies", {"nobodies"}),
        ("web1,sql*,~x[0-9]+", {"sql*", "~x[0-9]+"}),
        ("web[0:9]", set()),
        ("web1,!databse1", set()),
        ("web,&web1", set()),
        ("all,!web2", set()),
        ("web1,localhost", set()),
        (["web1", "databse1"], {"databse1"}),
    ],
)
def test_a_pattern_that_matches_nothing_is_a_gap(
    playbook: Playbooks, asked: str | list[str], missing: set[str]
) -> None:
    run = playbook("vigil.ports.audit", "-e", json.dumps({"audit_hosts": asked}), hosts=["db1"], groups=WEB)
    assert {gap for gap in run.gaps() if gap.endswith(":matches-nothing")} == {
        f"{one}:matches-nothing" for one in missing
    }
    assert run.exit_status == (2 if missing else 0), run.output


@pytest.mark.parametrize(
    ("limit", "missing"),
    [("web1,databse1", {"databse1"}), ("web1,!nix", set()), ("web1,db[3]", {"db[3]"}), ("web", set())],
)
def test_a_limit_that_matches_nothing_is_a_gap(playbook: Playbooks, limit: str, missing: set[str]) -> None:
    run = playbook("vigil.ports.audit", "--limit", limit, hosts=["db1"], groups=WEB)
    gaps = {gap for gap in run.gaps() if gap.endswith(":matches-nothing")}
    assert gaps == {f"{one}:matches-nothing" for one in missing}
    assert run.exit_status == (2 if missing else 0), run.output
    if missing:
        assert "(in the limit) matches no host of the inventory" in run.said


def test_a_place_that_a_group_does_not_have_is_an_error_of_ansible(playbook: Playbooks) -> None:
    run = playbook("vigil.ports.audit", "-e", json.dumps({"audit_hosts": "web[0],web[7]"}), groups=WEB)
    assert run.exit_status != 0
    assert "web[7]" in run.said
    assert not (run.report_dir / "latest").exists()


def test_a_line_of_a_file_of_limits_that_matches_nothing_is_a_gap(playbook: Playbooks, tmp_path: Path) -> None:
    (tmp_path / "limit.retry").write_text("web1\ndatabse1\n\n")
    run = playbook("vigil.ports.audit", "--limit", f"@{tmp_path}/limit.retry", hosts=["db1"], groups=WEB)
    assert {gap for gap in run.gaps() if "nothing" in gap} == {"databse1:matches-nothing"}


def test_a_play_of_ones_own_has_the_same_gap(playbook: Playbooks) -> None:
    role = {"ansible.builtin.include_role": {"name": "vigil.ports.audit"}}
    run = playbook([{"hosts": ["web1", "databse1"], "gather_facts": False, "tasks": [role]}], groups=WEB)
    assert "databse1:matches-nothing" in run.gaps()


def test_the_gap_is_an_error_of_junit_and_can_be_accepted(playbook: Playbooks) -> None:
    asked = {"audit_hosts": "web1,databse1", "audit_accept_gaps": ["databse1:matches-nothing", *ACCEPT_THE_MACHINE]}
    run = playbook("vigil.ports.audit", "-e", json.dumps(asked), groups=WEB)
    assert run.exit_status == 0, run.output
    refused = playbook("vigil.ports.audit", "-e", json.dumps({"audit_hosts": "web1,databse1"}), groups=WEB)
    junit = (refused.report_dir / "latest" / "junit.xml").read_text()
    assert "<error" in junit
    assert "databse1 (in the hosts of the play) matches no host" in junit


@pytest.mark.parametrize("name", ["vigil.ports.change_open", "vigil.ports.baseline"])
def test_playbooks_without_a_verdict_refuse_it(playbook: Playbooks, name: str) -> None:
    playbook()
    asked = json.dumps({"audit_hosts": "web1,databse1", "change": "CHG-1", "change_nothing": True})
    run = playbook(name, "-e", asked, groups=WEB)
    assert run.exit_status == 2, run.output
    assert "databse1: it is in the hosts of the play (audit_hosts), and matches no host" in run.said


BROKEN = {"broken.yml": "all: [", "broken.ini": "[web\nx", "broken.sh": "#!/bin/sh\nexit 3\n", "gone.yml": None}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("play", ["vigil.ports.audit", "vigil.ports.change_open", "vigil.ports.baseline"])
def test_an_inventory_that_cannot_be_read_is_an_error(
    playbook: Playbooks, tmp_path: Path, name: str, play: str
) -> None:
    text = BROKEN[name]
    if text is not None:
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755 if name.endswith(".sh") else 0o644)
    run = playbook(play, "-i", str(tmp_path / name), "-e", "change=CHG-1")
    assert run.exit_status == 2, run.output
    assert f"{tmp_path / name}: Ansible could not read this inventory" in run.said
    assert not run.report_dir.exists()


def test_a_file_of_an_inventory_directory_that_cannot_be_read_is_an_error(playbook: Playbooks, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "group_vars" / "all.yml").write_text("x: 1\n")
    (folder / "more").mkdir()
    (folder / "a.ini").write_text("db1 ansible_connection=local\n")
    (folder / "more" / "b.ini").write_text("db2\n")
    (folder / "backup.orig").write_text("all: [")
    assert playbook("vigil.ports.audit", "-i", str(folder), "-e", "audit_hosts=web1").exit_status == 0
    (folder / "more" / "c.yml").write_text("all: [")
    run = playbook("vigil.ports.audit", "-i", str(folder), "-e", "audit_hosts=web1")
    assert run.exit_status == 2
    assert f"{folder}/more/c.yml: Ansible could not read this inventory" in run.said


def test_hosts_given_on_the_command_line_are_an_inventory(playbook: Playbooks) -> None:
    run = playbook("vigil.ports.audit", "-i", "db1,", "-e", "audit_hosts=web1")
    assert run.exit_status == 0, run.output


ELSEWHERE = [{"name": "office", "scanners": ["scan-office", "scan-other"]}]


def test_a_part_of_an_inventory_without_the_scanners_is_looked_at_from_inside(playbook: Playbooks) -> None:
    """As a slice of a job in AWX: the inventory has some hosts, and no other."""
    run = playbook(variables={"vigil_vantages": ELSEWHERE, "audit_scan_depth": "none"})
    assert run.exit_status == 0, run.output
    assert "looked at from inside only, nothing breaks the gate" in run.said
    assert "A part of an inventory: 2 scanners of the vantage points missing from it." in run.said
    report = (run.report_dir / "latest" / "report.md").read_text()
    assert "Scanners of the vantage points that the inventory does not have: `scan-office`, `scan-other`." in report
    verify = playbook("vigil.ports.verify", variables={"vigil_vantages": ELSEWHERE})
    assert verify.exit_status == 0, verify.output


def test_scanners_that_are_to_scan_have_to_be_there(playbook: Playbooks) -> None:
    run = playbook(variables={"vigil_vantages": ELSEWHERE, "audit_scan_depth": "known"})
    assert run.exit_status == 2
    assert "the scanner is not in the inventory" in run.said


def test_two_vantage_points_of_one_name_are_an_error_all_the_same(playbook: Playbooks) -> None:
    run = playbook(variables={"vigil_vantages": ELSEWHERE * 2})
    assert "the name is taken at" in run.said
