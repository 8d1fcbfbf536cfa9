# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the hosts that scan."""

from __future__ import annotations

import json
import sys

from faults.audits import Auditing
from faults.conftest import Telling
from faults.inside import Inside
from faults.table import assessed, fault, not_assessed

UNSEEN = "web1:scan-failed@office"
LOST = "198.18.0.67"  # nobody is there
PYTHON = "/run/fleet/python"


@fault(
    "scanners-all-lost",
    area="scanners",
    fault="No scanner of a vantage point answers",
    cause="two scanners at addresses where nobody is",
    says=not_assessed(UNSEEN, line="No route to host"),
)
def test_all_scanners_of_a_vantage_point_are_lost(audit: Auditing, told: Telling) -> None:
    vantages = [{"name": "office", "scanners": ["ghost1", "ghost2"]}]
    told(audit(host_vars={"ghost2": {"ansible_host": LOST}}, vigil_vantages=vantages))


@fault(
    "scanner-lost",
    area="scanners",
    fault="One of two scanners does not answer",
    cause="a scanner at an address where nobody is, and one that stands",
    says=assessed("web1", line="`scan-office` instead of `ghost1`"),
)
def test_what_a_lost_scanner_left_is_taken_over(audit: Auditing, told: Telling) -> None:
    run = audit("web1,scan-dmz", vigil_vantages=[{"name": "office", "scanners": ["ghost1", "scan-office"]}])
    told(run)
    scan = json.loads((run.run / "evidence/scans/office.json").read_text(encoding="utf-8"))
    assert {(share["scanner"], *share["instead_of"], share["status"]) for share in scan["shares"]} == {
        ("ghost1", "unreachable"),
        ("scan-office", "scanned"),
        ("scan-office", "ghost1", "scanned"),
    }


@fault(
    "scanner-without-python",
    area="scanners",
    fault="A scanner has no Python",
    cause="the interpreter of the inventory is not there",
    says=not_assessed(UNSEEN, line="/opt/none/python3"),
)
def test_a_scanner_without_python(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"scan-office": {"ansible_python_interpreter": "/opt/none/python3"}}))


@fault(
    "scanner-disk-full",
    area="scanners",
    fault="The disk of a scanner is full",
    cause="full file systems over /tmp and /var/tmp, the home directory read-only",
    says=not_assessed(UNSEEN, line="No usable temporary directory"),
)
def test_a_scanner_with_a_full_disk(audit: Auditing, told: Telling, scanner: Inside) -> None:
    scanner.full("/tmp", "/var/tmp")
    scanner.breaks("mount --bind /root /root && mount -o remount,bind,ro /root", "umount -l /root")
    told(audit())


@fault(
    "scanner-without-raw-sockets",
    area="scanners",
    fault="A scanner may not make raw sockets",
    cause="CAP_NET_RAW taken from everything that runs there; a host whose declarations name UDP",
    says=not_assessed("dns1:scan-partial@office", line="UDP needs root or CAP_NET_RAW"),
)
def test_a_scanner_without_raw_sockets(audit: Auditing, told: Telling, scanner: Inside) -> None:
    scanner.script(PYTHON, f'#!/bin/sh\nexec setpriv --bounding-set=-net_raw,-net_admin {sys.executable} "$@"')
    told(audit("dns1", host_vars={"scan-office": {"ansible_python_interpreter": PYTHON}}))


@fault(
    "scanner-hangs",
    area="scanners",
    fault="A scanner takes the question and never answers",
    cause="an interpreter that sleeps for longer than audit_scan_timeout and audit_answer_timeout together, here 12 s",
    says=not_assessed("web1:not-scanned@office", line="no scanner of it reported"),
)
def test_a_scanner_that_never_answers(audit: Auditing, told: Telling, scanner: Inside) -> None:
    scanner.script(PYTHON, "#!/bin/sh\nexec sleep 600")
    overlay = {"scan-office": {"ansible_python_interpreter": PYTHON}}
    told(audit(host_vars=overlay, audit_answer_timeout=10, audit_scan_timeout=2))


SWEEP = {"audit_scan_depth": "full", "audit_scan_rate": 500, "audit_scan_target_rate": 250}


@fault(
    "scanner-killed",
    area="scanners",
    fault="nmap and Python are killed on a scanner in the middle of a scan",
    cause="SIGKILL to both as soon as the sweep of all ports runs; what was seen before is kept",
    says=not_assessed("web1:scan-partial@office", line="scan-office was lost"),
)
def test_a_scanner_that_is_killed_in_the_middle(audit: Auditing, told: Telling, scanner: Inside) -> None:
    sweep = "until ps -C nmap -o args= | grep -q -- '-p 1-'; do sleep 0.1; done"
    with audit.begun(**SWEEP) as started:
        scanner.run(f"{sweep}; pkill -KILL nmap; pkill -KILL python")
        ended = audit.ended(started)
    told(ended)
    # the known ports came first: what they say is judged
    judged = [row for row in ended.results()["findings"] if row["rule"] == "blocked-service"]
    assert {row["status"] for row in judged} == {"pass"}
