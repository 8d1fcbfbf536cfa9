# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operator does besides the plain run: a play of their own, a limit, check mode, mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fleet import playbook

pytestmark = pytest.mark.usefixtures("fleet")
Json = dict[str, Any]
ONE_VANTAGE = [{"name": "office", "scanners": ["scan-office"]}]
KNOWN: Json = {"audit_scan_depth": "known", "audit_scan_versions": False, "vigil_vantages": ONE_VANTAGE}


def variables(report_dir: Path, **more: Any) -> list[str]:
    return ["-e", json.dumps({**KNOWN, "audit_report_dir": str(report_dir), **more})]


def results(report_dir: Path) -> Json:
    found: Json = json.loads((report_dir / "latest" / "results.json").read_text(encoding="utf-8"))
    return found


def own_play(folder: Path, **more: Any) -> str:
    """A play of the operator's own, with the inventory in its vars."""
    play = {
        "hosts": "web1",
        "gather_facts": False,
        "vars": {
            "vigil_ports__web": [
                {
                    "port": [80, 443],
                    "process": "nginx",
                    "reachable_from": "any",
                    "justification": "From the play",
                    "owner": "play-team",
                }
            ]
        },
        "roles": ["vigil.ports.audit"],
        **more,
    }
    path = folder / "own.yml"
    path.write_text(json.dumps([play]), encoding="utf-8")
    return str(path)


def test_the_role_works_in_a_play_of_ones_own_with_the_inventory_in_its_vars(tmp_path: Path) -> None:
    status, output = playbook.run(own_play(tmp_path), *variables(tmp_path / "reports"))
    assert status == 0, output
    found = results(tmp_path / "reports")
    assert [row["host"] for row in found["hosts"]] == ["web1"]
    assert "play-team" in {row["owner"] for row in found["findings"]}
    assert "Port audit PASSED" in output


def test_a_play_in_batches_is_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    play = own_play(tmp_path, hosts="web1,cache1", serial=1)
    status, output = playbook.run(play, *variables(tmp_path / "reports"))
    assert status == 2
    assert "remove serial from the play" in output
    assert not (tmp_path / "reports").exists()


def test_a_limit_audits_one_host_and_names_what_was_left_out(tmp_path: Path) -> None:
    status, output = playbook.run("vigil.ports.audit", "--limit", "web1", *variables(tmp_path))
    assert status == 0, output
    found = results(tmp_path)
    assert [row["host"] for row in found["hosts"]] == ["web1"]
    assert {"cache1", "ghost1"} <= set(found["coverage"]["left_out"])
    assert found["run"]["limit"] == "web1"
    assert "left out of this run (limit `web1`)" in (tmp_path / "latest" / "report.md").read_text(encoding="utf-8")


def test_check_mode_gives_the_same_verdicts(tmp_path: Path) -> None:
    def verdicts(name: str, *more: str) -> set[tuple[str, str]]:
        playbook.run("vigil.ports.audit", *more, *variables(tmp_path / name, audit_hosts="cache1"))
        return {(row["id"], row["status"]) for row in results(tmp_path / name)["findings"]}

    assert verdicts("checked", "--check") == verdicts("run")


def test_a_second_run_of_the_same_fleet_has_the_same_findings(tmp_path: Path) -> None:
    kept = []
    for _number in range(3):
        playbook.run("vigil.ports.audit", *variables(tmp_path, audit_hosts="cache1,dev1"))
        kept.append({(row["rule"], row["host"], row["port"], row["status"]) for row in results(tmp_path)["findings"]})
    # What looked ephemeral in the first run, and is on the same port in the second, was not.
    listens = ("undeclared-listener", "dev1")
    assert kept[0] ^ kept[1] == {(*listens, "ephemeral:python3/root", "fail"), (*listens, 40000, "fail")}
    assert kept[1] == kept[2]


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ({"vigil_vantages": [{"name": "moon", "scanners": []}]}, "vigil_vantages[0].scanners"),
        ({"vigil_vantages": [{"name": "moon", "scanners": ["nobody1"]}]}, "the scanner is not in the inventory"),
        ({"vigil_vantages": []}, "there is no vantage point"),
        ({"audit_scan_rate": 0}, "scan_rate: out of bounds"),
        ({"audit_scan_depth": "deep"}, "audit_scan_depth"),
        ({"audit_date": "2026-02-30"}, "no day as YYYY-MM-DD"),
        ({"audit_hosts": "nobody"}, "matches no host of the inventory"),
    ],
)
def test_a_mistake_is_said_before_anything_is_looked_at(tmp_path: Path, mistake: Json, message: str) -> None:
    status, output = playbook.run("vigil.ports.audit", *variables(tmp_path / "reports", **mistake))
    assert status != 0
    assert message in " ".join(output.split()), output
    assert not (tmp_path / "reports").exists()


def test_a_report_directory_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way", encoding="utf-8")
    status, output = playbook.run("vigil.ports.audit", *variables(blocker / "reports"))
    assert status == 2
    assert str(blocker) in output
    assert "Write down what is declared" not in output
