# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the audit is called: what would leave out a part of it, or all of it, without a word."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

from faults.audits import Auditing
from faults.conftest import Telling
from faults.stages import play, role
from faults.table import assessed, fault, no_run, not_assessed

#: A host was unreachable, which Ansible says rather than that a task failed (2).
LOST = 4

WHOLE = "Everything in scope was looked at"


@fault(
    "tags-of-nothing",
    area="calls",
    fault="Tags that no task has would skip everything",
    cause="--tags with a tag that is nowhere",
    says=assessed("web1", line=WHOLE),
)
def test_tags_that_nothing_has(audit: Auditing, told: Telling) -> None:
    told(audit(arguments=("--tags", "nothing")))


@fault(
    "skip-tags-always",
    area="calls",
    fault="Tags to skip that would leave out the whole audit",
    cause="--skip-tags always",
    says=no_run(line="would leave out the whole audit"),
)
def test_tags_to_skip_that_would_leave_out_everything(audit: Auditing, told: Telling) -> None:
    told(audit(arguments=("--skip-tags", "always")))


@fault(
    "limit-to-others",
    area="calls",
    fault="A limit leaves out every host of audit_hosts",
    cause="--limit to one host, audit_hosts another",
    says=no_run(line="matches no host of the inventory within the limit (cache1)"),
)
def test_a_limit_that_leaves_out_every_host_of_the_audit(audit: Auditing, told: Telling) -> None:
    told(audit(arguments=("--limit", "cache1")))


@fault(
    "limit-to-one",
    area="calls",
    fault="A limit leaves one host, and the scanners out",
    cause="--limit to one host, audit_hosts all",
    says=assessed("web1", line="left out of this run (limit `web1`)"),
)
def test_a_limit_to_one_host_scans_it_and_names_what_was_left_out(audit: Auditing, told: Telling) -> None:
    run = audit("all", arguments=("--limit", "web1"))
    told(run)
    assert {"cache1", "ghost1"} <= set(run.results()["coverage"]["left_out"])


@fault(
    "empty-group",
    area="calls",
    fault="The group that is to be audited is empty",
    cause="audit_hosts with a group of the inventory that has no host",
    says=no_run(line="audit_hosts (nobodies) matches no host of the inventory"),
)
def test_a_group_without_a_host(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    group = tmp_path / "group.json"
    group.write_text(json.dumps({"nobodies": {"hosts": {}}}))
    told(audit("nobodies", arguments=("-i", str(group))))


@fault(
    "pattern-of-nothing",
    area="calls",
    fault="A host that is asked for is misspelled",
    cause="audit_hosts web1,databse1, of which Ansible only warns",
    says=not_assessed("databse1:matches-nothing", line="databse1 (in the hosts of the play) matches no host"),
)
def test_a_host_that_nobody_knows(audit: Auditing, told: Telling) -> None:
    told(audit("web1,databse1"))


@fault(
    "limit-of-nothing",
    area="calls",
    fault="A host in the limit is misspelled",
    cause="--limit web1,databse1, of which Ansible only warns",
    says=not_assessed("databse1:matches-nothing", line="databse1 (in the limit) matches no host"),
)
def test_a_limit_to_a_host_that_nobody_knows(audit: Auditing, told: Telling) -> None:
    told(audit(arguments=("--limit", "web1,databse1")))


@fault(
    "inventory-unparsed",
    area="calls",
    fault="One of two inventories cannot be read",
    cause="a second inventory with a bracket that nobody closes, of which Ansible only warns",
    says=no_run(line="Ansible could not read this inventory, and hosts may be missing"),
)
def test_an_inventory_that_cannot_be_read(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("all: {hosts: {db1: [")
    told(audit(arguments=("-i", str(tmp_path / "more.yml"))))


@fault(
    "slice-without-scanners",
    area="calls",
    fault="A slice of the inventory leaves the scanners out, and nothing is to be scanned",
    cause="vantage points whose scanners the inventory does not have, audit_scan_depth none",
    says=assessed("web1", line="A part of an inventory: 1 scanner of the vantage points missing from it"),
)
def test_a_slice_without_the_scanners(audit: Auditing, told: Telling) -> None:
    elsewhere = [{"name": "office", "scanners": ["scan-elsewhere"]}]
    told(audit(vigil_vantages=elsewhere, audit_scan_depth="none"))


@fault(
    "what-if",
    area="calls",
    fault="A run is judged as of another day",
    cause="audit_date in a hundred days; the run stays in its own directory, and is neither latest nor in history",
    says=assessed("web1", line="A what-if run as of"),
)
def test_a_what_if_run_is_not_the_state(audit: Auditing, told: Telling) -> None:
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(100)).date()
    run = audit(audit_date=f"{day}")
    told(run)
    assert not (run.report_dir / "latest").exists()


@fault(
    "check-mode",
    area="calls",
    fault="Check mode, in which many modules do nothing",
    cause="--check",
    says=assessed("web1", line="in check mode"),
)
def test_check_mode_looks_all_the_same(audit: Auditing, told: Telling) -> None:
    told(audit(arguments=("--check",)))


@fault(
    "strategy-free-configured",
    area="calls",
    fault="A strategy that lets each host go its own way, in the configuration",
    cause="ANSIBLE_STRATEGY=free around the playbook",
    says=assessed("web1", line=WHOLE),
)
def test_the_playbook_goes_in_step_whatever_is_configured(audit: Auditing, told: Telling) -> None:
    told(audit(around=("env", "ANSIBLE_STRATEGY=free")))
    assert len(list(audit.report_dir.glob("2*"))) == 1


@fault(
    "strategy-free-own-play",
    area="calls",
    fault="A strategy that lets each host go its own way, in a play of one's own",
    cause="the role in a play with strategy free",
    says=no_run(line="set strategy: ansible.builtin.linear in the play"),
)
def test_a_play_that_does_not_go_in_step(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(audit(play=play(tmp_path, roles=["vigil.ports.audit"], hosts="web1,cache1", strategy="free")))


@fault(
    "serial",
    area="calls",
    fault="A play in batches, each of which would call the others not assessed",
    cause="the role in a play with serial",
    says=no_run(line="remove serial from the play"),
)
def test_a_play_in_batches(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(audit(play=play(tmp_path, roles=["vigil.ports.audit"], hosts="web1,cache1", serial=1)))


@fault(
    "any-errors-fatal",
    area="calls",
    fault="A host does not answer, and any error ends the play",
    cause="ANSIBLE_ANY_ERRORS_FATAL=1 around the playbook, and an address where nobody is",
    says=not_assessed("ghost1:unreachable", "ghost1:scan-failed@office:198.18.0.66", line="No route to host"),
)
def test_any_errors_fatal_does_not_cost_the_report(audit: Auditing, told: Telling) -> None:
    told(audit("web1,ghost1", around=("env", "ANSIBLE_ANY_ERRORS_FATAL=1")))


@fault(
    "max-fail-percentage",
    area="calls",
    fault="A host does not answer, and no host may fail",
    cause="the role in a play with max_fail_percentage 0, and an address where nobody is",
    says=not_assessed("ghost1:unreachable", "ghost1:scan-failed@office:198.18.0.66", line="No route to host"),
)
def test_a_limit_of_failures_does_not_cost_the_report(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    own = play(tmp_path, roles=["vigil.ports.audit"], hosts="web1,ghost1", max_fail_percentage=0)
    told(audit(play=own))


@fault(
    "start-at-task",
    area="calls",
    fault="The playbook is begun at a later task",
    cause="--start-at-task with the task that judges",
    says=no_run(line="'audit_run' is undefined"),
)
def test_a_playbook_that_is_begun_in_the_middle(audit: Auditing, told: Telling) -> None:
    told(audit(arguments=("--start-at-task", "Hold what was seen against what is declared")))


@fault(
    "host-added",
    area="calls",
    fault="A host comes into the inventory while the audit runs",
    cause="add_host between opening the run and gathering",
    says=assessed("web1", line="Hosts in scope: 1; fully assessed: 1."),
)
def test_a_host_that_comes_late_is_not_in_the_scope(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    late = {"ansible.builtin.add_host": {"name": "late1", "groups": ["web"]}}
    own = play(tmp_path, role("open"), late, *map(role, ("gather", "scan", "judge")), hosts="web1")
    told(audit(play=own))


@fault(
    "gather-facts",
    area="calls",
    fault="A host does not answer, and facts are gathered before the audit",
    cause="the role in a play with gather_facts, and an address where nobody is",
    says=dataclasses.replace(not_assessed("ghost1:no-evidence", line="it left no evidence"), exit_status=LOST),
)
def test_a_host_that_left_the_play_before_the_audit(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    told(audit(play=play(tmp_path, roles=["vigil.ports.audit"], hosts="web1,ghost1", gather_facts=True)))
