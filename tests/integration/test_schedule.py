# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audits by the clock, on a machine with a real systemd: what the role sets up runs, once at a time, and goes again."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fleet.layout import CHECKOUT
from systemd_machine import SystemdMachine, systemd_machine

Json = dict[str, Any]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
COLLECTIONS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(CHECKOUT / ".cache" / "tree"))
SSH = {"port": 22, "justification": "Remote login", "owner": "ops", "required": False}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an operator: settings, an inventory of the machine itself, and where the runs go."""
    path = tmp_path_factory.mktemp("control node")
    inventory = {
        "all": {
            "hosts": {
                "here": {
                    "ansible_connection": "local",
                    "ansible_python_interpreter": sys.executable,
                    "vigil_addresses": ["127.0.0.1"],
                    "vigil_ports__ssh": [SSH],
                }
            }
        }
    }
    (path / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
    settings = f"[defaults]\ncollections_path = {COLLECTIONS}\nhome = {path}/home\nremote_tmp = {path}/tmp\n"
    (path / "ansible.cfg").write_text(settings, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def machine(place: Path) -> Iterator[SystemdMachine]:
    with systemd_machine(place) as up:
        yield up


def schedule(machine: SystemdMachine, place: Path, *arguments: str, **variables: Any) -> str:
    """The role, run on the machine; its output."""
    given = {
        "schedule_directory": str(place),
        "schedule_inventory": "inventory.yml",
        "schedule_report_dir": f"{place}/runs",
        "schedule_settings_dir": f"{place}/settings",
        "schedule_ansible_playbook": str(PLAYBOOK),
        **variables,
    }
    play = [{"hosts": "all", "gather_facts": False, "roles": ["vigil.ports.schedule"]}]
    (place / "schedule.yml").write_text(json.dumps(play), encoding="utf-8")
    command = (str(PLAYBOOK), "-i", "inventory.yml", "schedule.yml", "-e", json.dumps(given), *arguments)
    done = machine.run("env", "ANSIBLE_NOCOLOR=1", f"ANSIBLE_HOME={place}/home", *command, cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def recap(output: str) -> str:
    return output[output.index("PLAY RECAP") :]


def results(place: Path) -> Json:
    found: Json = json.loads((place / "runs" / "latest" / "results.json").read_text(encoding="utf-8"))
    return found


def test_a_check_shows_the_units_and_makes_none(machine: SystemdMachine, place: Path) -> None:
    output = schedule(machine, place, "--check", "--diff")
    assert "+OnCalendar=hourly" in output
    assert "vigil-ports" not in machine.run("ls", "/etc/systemd/system", str(place)).stdout


def test_the_timers_run_and_a_second_time_changes_nothing(machine: SystemdMachine, place: Path) -> None:
    schedule(machine, place)
    timers = machine.run("systemctl", "list-timers", "--all", "--output=json")
    assert {row["unit"] for row in json.loads(timers.stdout)} == {
        "vigil-ports-inside.timer",
        "vigil-ports-outside.timer",
    }
    for name in ("inside", "outside"):
        loaded = machine.run("systemctl", "show", "--property=LoadState", f"vigil-ports-{name}.service").stdout
        assert loaded.strip() == "LoadState=loaded"
    assert "changed=0" in recap(schedule(machine, place))
    modes = machine.run("stat", "-c", "%a", f"{place}/settings/inside.json").stdout.strip()
    assert modes == "600"


def test_a_job_audits_from_inside_and_the_next_run_tells_of_those_that_were_missed(
    machine: SystemdMachine, place: Path
) -> None:
    started = machine.run("systemctl", "start", "vigil-ports-inside.service")
    assert started.returncode == 0, started.stderr + machine.run("systemctl", "status", "--full", "--no-pager").stdout
    found = results(place)
    assert (found["run"]["label"], found["run"]["settings"]["scan_depth"]) == ("inside", "none")
    assert found["run"]["due"] == {"every": 3600, "last_run_id": None, "missed": 0}
    assert [row["host"] for row in found["hosts"]] == ["here"]

    run = (place / "runs" / "latest").resolve()
    about = json.loads((run / "evidence" / "run.json").read_text(encoding="utf-8"))
    about["started"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5 * 3600))  # a night without power
    (run / "evidence" / "run.json").write_text(json.dumps(about), encoding="utf-8")
    assert machine.run("systemctl", "start", "vigil-ports-inside.service").returncode == 0
    assert results(place)["run"]["due"] == {"every": 3600, "last_run_id": run.name, "missed": 4}
    report = (place / "runs" / "latest" / "report.md").read_text(encoding="utf-8")
    assert f"due every 3600 seconds; 4 missing since `{run.name}`" in report


def test_a_job_that_still_runs_is_not_begun_again(machine: SystemdMachine, place: Path) -> None:
    holder = subprocess.Popen(
        (
            "nsenter",
            f"--target={machine.pid}",
            "--mount",
            "--",
            "flock",
            "--no-fork",
            f"{place}/settings/inside.json",
            "sleep",
            "60",
        )
    )
    try:
        while machine.run("flock", "--nonblock", f"{place}/settings/inside.json", "true").returncode == 0:
            time.sleep(0.05)
        before = (place / "runs" / "latest").resolve()
        assert machine.run("systemctl", "start", "vigil-ports-inside.service").returncode != 0
        status = machine.run("systemctl", "show", "--property=ExecMainStatus", "vigil-ports-inside.service").stdout
        assert status.strip() == "ExecMainStatus=75"
        assert (place / "runs" / "latest").resolve() == before
    finally:
        holder.kill()
        holder.wait()


def test_cron_takes_the_jobs_over_and_its_line_runs(machine: SystemdMachine, place: Path) -> None:
    schedule(machine, place, schedule_with="cron")
    assert "vigil-ports" not in machine.run("ls", "/etc/systemd/system").stdout
    assert machine.run("systemctl", "list-timers", "--all", "--output=json").stdout.strip() == "[]"
    lines = machine.run("cat", "/etc/cron.d/vigil-ports-inside").stdout.splitlines()
    [line] = [one for one in lines if not one.startswith("#")]
    minute, *rest = line.split(maxsplit=6)
    assert 0 <= int(minute) < 60
    assert rest[:5] == ["*", "*", "*", "*", "root"]
    before = (place / "runs" / "latest").resolve()
    done = machine.run("env", "-i", "HOME=/root", "PATH=/usr/bin:/bin", "sh", "-c", rest[5])  # as cron does
    assert done.returncode == 0, done.stdout + done.stderr
    assert (place / "runs" / "latest").resolve() != before
    assert "changed=0" in recap(schedule(machine, place, schedule_with="cron"))


def test_absent_leaves_nothing(machine: SystemdMachine, place: Path) -> None:
    schedule(machine, place)
    schedule(machine, place, schedule_state="absent")
    left = machine.run("sh", "-c", "ls /etc/systemd/system /etc/cron.d; find . -name inside.json", cwd=place).stdout
    assert "vigil-ports" not in left
    assert "inside.json" not in left
    assert "changed=0" in recap(schedule(machine, place, schedule_state="absent"))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"schedule_report_dir": "runs"}, "schedule_report_dir: an absolute path is needed"),
        ({"schedule_ansible_playbook": "/nowhere/ansible-playbook"}, "/nowhere/ansible-playbook is not there"),
        ({"schedule_jobs": [{"name": "No Good", "every": "daily"}]}, "schedule_jobs: each job needs a name"),
        ({"schedule_jobs": [{"name": "a", "every": "yearly"}]}, "must be one of: hourly, daily, weekly"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    machine: SystemdMachine, place: Path, wrong: Json, told: str
) -> None:
    with pytest.raises(AssertionError) as refused:
        schedule(machine, place, **wrong)
    assert told in " ".join(shlex.split(str(refused.value), posix=False)) or told in str(refused.value)
    assert "vigil-ports" not in machine.run("ls", "/etc/systemd/system").stdout
