# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scans that are ended in the middle on the real fleet: what was seen is kept, and nothing of them stays behind.
Scanners that cannot begin are in ``faults``."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleet import playbook
from fleet.control import Fleet
from testinfra.host import Host

ESTATE = ("web1", "cache1", "db1", "dual1")
# Slow enough to be caught in the middle: some 17 minutes for the estate.
SWEEP = {
    "audit_scan_depth": "full",
    "audit_scan_rate": 500,
    "audit_scan_target_rate": 250,
    "audit_scan_versions": False,
}
Json = dict[str, Any]


def arguments(report_dir: Path, vantages: list[Json], **more: Any) -> list[str]:
    """An audit of a few hosts from these vantage points."""
    variables = {
        "audit_hosts": ",".join(ESTATE),
        "audit_report_dir": str(report_dir),
        "audit_scan_depth": "known",
        "vigil_vantages": vantages,
        **more,
    }
    return ["-e", json.dumps(variables)]


def shares_of(run: Path, vantage: str) -> list[Json]:
    scan = run / "evidence" / "scans" / f"{vantage}.json"
    rows: list[Json] = json.loads(scan.read_text(encoding="utf-8"))["shares"] if scan.exists() else [{"status": None}]
    return rows


def test_a_playbook_that_gets_sigkill_leaves_no_scan_behind(
    tmp_path: Path, fleet: Fleet, reach: Callable[[str], Host]
) -> None:
    """Nobody can tell the worker of it: it has to see for itself that nobody waits."""
    vantages = [{"name": "office", "scanners": ["scan-office"]}]
    scanner = reach("scan-office")
    with playbook.start("vigil.ports.audit", *arguments(tmp_path, vantages, **SWEEP)) as started:
        wait_for(lambda: sweeping(scanner), started)
        started.kill()
        started.wait(timeout=60)
        [run] = [path for path in tmp_path.iterdir() if path.is_dir()]
        wait_for(lambda: shares_of(run, "office")[0]["status"] == "interrupted")
        wait_for(lambda: not sweeping(scanner))
    assert not (tmp_path / "latest").exists()
    assert "playbook that asked for the scan was ended" in shares_of(run, "office")[0]["message"]


def test_an_audit_that_is_interrupted_leaves_no_scan_behind(
    tmp_path: Path, fleet: Fleet, reach: Callable[[str], Host]
) -> None:
    vantages = [{"name": "office", "scanners": ["scan-office"]}]
    scanner = reach("scan-office")
    with playbook.start("vigil.ports.audit", *arguments(tmp_path, vantages, **SWEEP)) as started:
        wait_for(lambda: sweeping(scanner), started)
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=60)
    wait_for(lambda: not sweeping(scanner))
    assert not (tmp_path / "latest").exists()
    [run] = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert {path.stem for path in (run / "evidence" / "hosts").iterdir()} == set(ESTATE)


def sweeping(scanner: Host) -> bool:
    """Whether nmap runs there with more ports than are known: the sweep."""
    return any(len(line) > 0 and "-p 1-" in line for line in scanner.run("pgrep -a nmap").stdout.splitlines())


def wait_for(done: Callable[[], bool], running: subprocess.Popen[str] | None = None) -> None:
    """Returns as soon as it is so. Fails, and ends what is running, when it does not come."""
    end = time.monotonic() + 120
    while not done():
        if time.monotonic() > end or (running is not None and running.poll() is not None):
            if running is not None:
                running.kill()
            pytest.fail("it did not come to that")
        time.sleep(0.3)
