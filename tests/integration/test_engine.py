# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A campaign by ansible-runner: jobs are transmitted over SSH to workers in the fleet's namespaces, as Receptor carries
them, and their parts are merged. One worker is killed, one answer comes twice, and one job runs twice."""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fleet import playbook
from fleet.layout import SSH_CONFIG

pytestmark = pytest.mark.usefixtures("fleet")
Json = dict[str, Any]

BIN = Path(sys.executable).parent
#: Who gathers what. Each has an inventory of its hosts only, as a slice of AWX has; the scanners are not in it.
SLICES = {"scan-office": ("web1", "cache1"), "scan-dmz": ("db1",), "scan-internet": ("app1", "policy1")}
HOSTS = sorted(host for hosts in SLICES.values() for host in hosts)
KILLED = "scan-dmz"
VANTAGES = [{"name": "office", "scanners": ["scan-office"]}]
CAMPAIGN: Json = {
    "audit_part": "nightly",
    "audit_part_archive_dir": "{{ lookup('ansible.builtin.env', 'AWX_ISOLATED_DATA_DIR') }}/parts",
    "audit_report_dir": "{{ lookup('ansible.builtin.env', 'AWX_ISOLATED_DATA_DIR') }}/../../vigil",
    "audit_scan_depth": "known",
    "audit_scan_versions": False,
    "vigil_vantages": VANTAGES,
}


@dataclasses.dataclass(frozen=True)
class Job:
    """What is transmitted to a worker: ``folder`` is its private data directory, ``ident`` its name."""

    folder: Path
    ident: str

    @classmethod
    def made(cls, folder: Path, ident: str, hosts: tuple[str, ...], *, sliced: bool, **more: Any) -> Job:
        job = cls(folder / ident, ident)
        for name in ("inventory", "env", "project"):
            (job.folder / name).mkdir(parents=True)
        if sliced:
            job.slice_inventory(hosts)
        else:
            subprocess.run(("cp", "-r", f"{playbook.INVENTORY.parent}/.", str(job.folder / "inventory")), check=True)
        mine = {name: text for name, text in playbook.environment().items() if name in _CARRIED}
        (job.folder / "env/envvars").write_text(json.dumps({**mine, "ANSIBLE_HOME": "/tmp/ansible"}))
        asked = {**CAMPAIGN, "audit_hosts": ",".join(hosts), **more}
        (job.folder / "env/extravars").write_text(json.dumps(asked))
        return job

    def slice_inventory(self, hosts: tuple[str, ...]) -> None:
        """As AWX gives it to a slice: a script that prints these hosts, their groups and their variables."""
        command = (BIN / "ansible-inventory", "-i", playbook.INVENTORY, "--list", "--limit", ",".join(hosts))
        shown = subprocess.run(command, env=playbook.environment(), check=True, capture_output=True, text=True)
        script = self.folder / "inventory" / "slice.sh"
        script.write_text(f"#!/bin/sh\ncat <<'END'\n{shown.stdout}\nEND\n", encoding="utf-8")
        script.chmod(0o755)

    def send(self, worker: str) -> subprocess.Popen[bytes]:
        """Starts a worker with the job. What it answers is in ``answers/IDENT``."""
        answers = self.folder.parent / "answers"
        answers.mkdir(exist_ok=True)
        work = f"/tmp/{self.ident}"
        there = f"echo $$ > {work}.pid; PATH={BIN}:$PATH exec {BIN}/ansible-runner worker --private-data-dir {work}"
        transmit = f"{BIN}/ansible-runner transmit {self.folder} -p vigil.ports.audit --ident {self.ident}"
        carry = f"ssh -F {SSH_CONFIG} root@{worker} {shlex.quote(there)}"
        with (answers / self.ident).open("wb") as answer:
            return subprocess.Popen(("bash", "-c", f"{transmit} | {carry}"), stdout=answer)

    def process(self, into: Path, *, seconds: float = 60) -> str:
        """Takes the answer in, and returns the status of the job."""
        answer = self.folder.parent / "answers" / self.ident
        command = (BIN / "ansible-runner", "process", str(into), "--ident", self.ident)
        with answer.open("rb") as stream:
            subprocess.run(command, stdin=stream, capture_output=True, timeout=seconds, check=False)
        status = into / "artifacts" / self.ident / "status"
        return status.read_text() if status.exists() else "none"


_CARRIED = ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_CONFIG", "ANSIBLE_NOCOLOR", "VIGIL_FLEET_STATE")


def _there(worker: str, script: str) -> str:
    ssh = ("ssh", "-F", str(SSH_CONFIG), f"root@{worker}", script)
    return subprocess.run(ssh, capture_output=True, text=True, check=False, timeout=60).stdout


def _kill(job: Job, worker: str) -> None:
    """SIGKILL to a worker that has its job, and to all that it started."""
    end = time.monotonic() + 120
    while "begun" not in _there(worker, f"test -d /tmp/{job.ident}/artifacts && echo begun"):
        assert time.monotonic() < end, "the worker does not begin"
        time.sleep(0.2)
    _there(worker, f"kill -9 $(cat /tmp/{job.ident}.pid); pkill -9 -f /tmp/{job.ident}/")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, fleet: object) -> Path:
    """The data directory of the campaign, after all answers came or did not."""
    folder = tmp_path_factory.mktemp("campaign")
    jobs = {worker: Job.made(folder, f"gather-{worker}", hosts, sliced=True) for worker, hosts in SLICES.items()}
    again = Job.made(folder, "gather-again", SLICES["scan-office"], sliced=False)
    scan = Job.made(folder, "scan", tuple(HOSTS), sliced=False, audit_part_inside=False, audit_part_vantages=["office"])
    running = {name: job.send(name) for name, job in jobs.items()}
    _kill(jobs[KILLED], KILLED)
    for started in running.values():
        started.wait(timeout=300)
    for job, worker in ((again, "scan-internet"), (scan, "scan-dmz")):
        job.send(worker).wait(timeout=300)
    into = folder / "out"
    statuses = {name: job.process(into) for name, job in jobs.items()}
    assert statuses.pop(KILLED) != "successful"
    assert set(statuses.values()) == {"successful"}, statuses
    assert [again.process(into), scan.process(into)] == ["successful", "successful"]
    assert jobs["scan-internet"].process(folder / "out" / "answered-twice") == "successful"
    return into


def _merge(report_dir: Path, parts: Path, **more: Any) -> tuple[int, Json, str]:
    asked = {
        **{name: CAMPAIGN[name] for name in ("audit_scan_depth", "audit_scan_versions", "vigil_vantages")},
        "audit_merge": "nightly",
        "audit_merge_parts": [str(parts)],
        "audit_hosts": ",".join(HOSTS),
        "audit_report_dir": str(report_dir),
        "audit_history": False,
        **more,
    }
    status, output = playbook.run("vigil.ports.merge", "-e", json.dumps(asked))
    results = report_dir / "latest" / "results.json"
    assert results.exists(), output
    return status, json.loads(results.read_bytes()), output


def test_a_campaign_over_workers_has_one_verdict_and_every_loss_is_a_gap(tmp_path: Path, out: Path) -> None:
    status, results, output = _merge(tmp_path, out)
    assert status == 2, output
    names = {row["gap"] for row in results["findings"] if row["gap"]}
    of_parts = {name for name in names if name.startswith("part:") or ":no-part" in name or "disagree" in name}
    parents = {one["run_id"]: one for one in results["run"]["merged"]["parents"]}
    assert len(parents) == 4
    by_vantage = [one for one in parents.values() if one["vantages"]]
    assert [(one["vantages"], one["inside"]) for one in by_vantage] == [(["office"], False)]
    assert {name for name in of_parts if "no-part" in name} == {f"{host}:no-part" for host in SLICES[KILLED]}
    twice = [name.split(":") for name in of_parts if ":twice" in name]
    assert sorted(len(steps) for steps in twice) == [3, 4], of_parts
    assert all(parents.keys() >= set(steps[1::2]) for steps in twice)
    assert len(of_parts) == 3, of_parts
    verify = ("-e", f"run_dir={tmp_path / 'latest'}")
    assert playbook.run("vigil.ports.verify", *verify)[0] == 0


def test_parts_of_workers_find_what_one_run_finds(tmp_path: Path, out: Path) -> None:
    """Of the hosts of which no part was lost: the fleet stands still, so what is found is the same, but for times."""
    hosts = sorted({*HOSTS} - {*SLICES[KILLED]})
    one = {
        **CAMPAIGN,
        "audit_hosts": ",".join(hosts),
        "audit_report_dir": str(tmp_path / "one"),
        "audit_history": False,
    }
    del one["audit_part"], one["audit_part_archive_dir"]
    playbook.run("vigil.ports.audit", "-e", json.dumps(one))
    whole = json.loads((tmp_path / "one/latest/results.json").read_bytes())
    _status, merged, _output = _merge(tmp_path / "parts", out, audit_hosts=",".join(hosts))
    assert _failed(merged) == _failed(whole)
    assert _failed(whole)


def _failed(results: Json) -> set[tuple[Any, ...]]:
    keys = ("rule", "status", "severity", "host", "protocol", "port", "address", "vantage", "message", "id")
    return {tuple(row[key] for key in keys) for row in results["findings"] if row["status"] in ("fail", "excepted")}
