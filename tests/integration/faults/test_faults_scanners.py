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
from faults.table import assessed, failed, fault, not_assessed

UNSEEN = ("web1:scan-failed@office:198.18.0.11", "web1:scan-failed@office:[fd00:198:18::11]")
LOST = "198.18.0.67"  # nobody is there
PYTHON = "/run/fleet/python"


@fault(
    "scanners-all-lost",
    area="scanners",
    fault="No scanner of a vantage point answers",
    cause="two scanners at addresses where nobody is",
    says=not_assessed(*UNSEEN, line="No route to host"),
)
def test_all_scanners_of_a_vantage_point_are_lost(audit: Auditing, told: Telling) -> None:
    vantages = [{"name": "office", "scanners": ["ghost1", "ghost2"]}]
    told(audit(host_vars={"ghost2": {"ansible_host": LOST}}, vigil_vantages=vantages))


@fault(
    "scanners-all-lost-for-all",
    area="scanners",
    fault="No scanner of a vantage point answers, and several hosts are audited",
    cause="a scanner at an address where nobody is; what all hosts lack is said once, before all else",
    says=not_assessed(*UNSEEN, "cache1:scan-failed@office:198.18.0.12", line="ghost1 was lost"),
)
def test_a_gap_of_all_hosts_is_said_once(audit: Auditing, told: Telling) -> None:
    run = audit("web1,cache1", vigil_vantages=[{"name": "office", "scanners": ["ghost1"]}])
    told(run)
    said = "2 of 2 hosts, for one"
    report = (run.run / "report.md").read_text(encoding="utf-8")
    assert report.count(said) == run.output.count(said) == 1
    assert report.index(said) < report.index("## ")  # before all that is of a host


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
    "scanner-named-by-its-template",
    area="scanners",
    fault="The address of a scanner is a template of inventory_hostname, which leads to the audited host",
    cause="ansible_host of the scanner is made of inventory_hostname; the audited host drops 80 and 443 from it",
    says=failed(
        "web1:blocked-service:tcp/80@office",
        "web1:blocked-service:tcp/443@office",
        line="is filtered from office, declared reachable",
    ),
)
def test_the_scan_is_made_by_the_scanner_whatever_its_address_is_made_of(
    audit: Auditing, told: Telling, web1: Inside
) -> None:
    web1.firewall("chain in { type filter hook input priority 0;\n ip saddr 198.18.0.202 tcp dport { 80, 443 } drop\n}")
    leads = "{{ {'web1': '198.18.0.11', 'scan-office': '198.18.0.202'}[inventory_hostname] }}"
    run = audit(host_vars={"scan-office": {"ansible_host": leads}})
    told(run)
    (share,) = json.loads((run.run / "evidence/scans/office.json").read_text(encoding="utf-8"))["shares"]
    assert ["198.18.0.202" in machine["addresses"] for machine in share["machines"]] == [True]


@fault(
    "scanner-reached-in-another-way",
    area="scanners",
    fault="What is no option of the connection is made of inventory_hostname",
    cause="the interpreter of the scanner depends on inventory_hostname",
    says=not_assessed(*UNSEEN, line="ansible_python_interpreter of scan-office is made of inventory_hostname"),
)
def test_an_interpreter_that_is_made_of_the_name_of_the_audited_host(audit: Auditing, told: Telling) -> None:
    made = "/usr/bin/{{ 'python3' if inventory_hostname == 'scan-office' else 'env python3' }}"
    told(audit(host_vars={"scan-office": {"ansible_python_interpreter": made}}))


@fault(
    "scanner-is-target",
    area="scanners",
    fault="A scanner's address is the audited host's",
    cause="the inventory gives the scanner the address of the audited host",
    says=not_assessed(
        "web1:scanner-is-target@office",
        "web1:not-scanned@office",
        line="what answered as scan-office is web1 itself, which is no look from office",
    ),
)
def test_a_scanner_that_is_the_audited_host(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"scan-office": {"ansible_host": "198.18.0.11"}}))


@fault(
    "scanner-changed",
    area="scanners",
    fault="Another machine answers under a scanner's name than in the run before",
    cause="between two runs the inventory gives the scanner the address of another one",
    says=not_assessed("web1:scanner-changed@office", line="another machine answered as scan-office than before"),
)
def test_a_scanner_that_is_another_machine_than_before(audit: Auditing, told: Telling) -> None:
    assert audit().exit_status == 0
    elsewhere = {"scan-office": {"ansible_host": "198.18.0.203"}}
    told(audit(host_vars=elsewhere))
    again = audit(host_vars=elsewhere)
    assert again.exit_status == 2, "what nobody accepted became known by itself"
    accepted = audit(host_vars=elsewhere, audit_accept_gaps=["web1:scanner-changed@office"])
    assert accepted.exit_status == 0, accepted.output
    assert audit(host_vars=elsewhere).exit_status == 0, "what was accepted is known from then on"


@fault(
    "scanner-without-python",
    area="scanners",
    fault="A scanner has no Python",
    cause="the interpreter of the inventory is not there",
    says=not_assessed(*UNSEEN, line="/opt/none/python3"),
)
def test_a_scanner_without_python(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"scan-office": {"ansible_python_interpreter": "/opt/none/python3"}}))


@fault(
    "scanner-disk-full",
    area="scanners",
    fault="The disk of a scanner is full",
    cause="full file systems over /tmp and /var/tmp, the home directory read-only",
    says=not_assessed(*UNSEEN, line="No usable temporary directory"),
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
    # What the fleet never tells, whoever asks: its syslog server is silent.
    says=not_assessed("dns1:no-answer:udp/514@office", line="gave no answer to office"),
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
    says=not_assessed(
        "web1:scan-partial@office:198.18.0.11:tcp/1-21,23-79,81-442,444-65535",
        "web1:scan-partial@office:[fd00:198:18::11]:tcp/1-21,23-79,81-442,444-65535",
        line="scan-office was lost",
    ),
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
