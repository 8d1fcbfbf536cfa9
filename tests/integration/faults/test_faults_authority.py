# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may say what: a host that answers with facts of its choice, and hosts that do not say the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from faults.audits import Auditing
from faults.conftest import Telling
from faults.inside import Inside
from faults.stages import play
from faults.table import assessed, fault, no_run, not_assessed

Json = dict[str, Any]

TAKEN = "/run/fleet/taken-python"
BACKDOOR = {"port": 4444, "justification": "mine", "owner": "me", "reachable_from": "any"}
DECIDE = "facts name variables that decide"


def taken(host: Inside, folder: Path, facts: Json, hosts: str = "web1") -> str:
    """A play of one's own that gathers facts, which the host answers as it likes, and then audits."""
    answer = json.dumps({"changed": False, "ansible_facts": facts})
    host.script(TAKEN, f"#!/bin/sh\ncat <<'ANSWER'\n{answer}\nANSWER")
    gather = {
        "ansible.builtin.setup": {},
        "vars": {"ansible_python_interpreter": TAKEN},
        "when": f"inventory_hostname == '{host.name}'",
    }
    audit = {"ansible.builtin.include_role": {"name": "vigil.ports.audit"}}
    return play(folder, gather, audit, hosts=hosts)


@fault(
    "fact-declares",
    area="authority",
    fault="A taken host declares its own backdoor in its facts",
    cause="a Python on the host that answers setup with vigil_ports__evil, and a play that gathers facts",
    says=not_assessed("web1:inventory-invalid", line="a fact of the host has the name of a declaration"),
)
def test_a_host_that_declares_its_own_port(audit: Auditing, told: Telling, web1: Inside, tmp_path: Path) -> None:
    told(audit(play=taken(web1, tmp_path, {"vigil_ports__evil": [BACKDOOR]})))


@fault(
    "fact-decides",
    area="authority",
    fault="A taken host sets the gate, the label, the metrics file and the channels of the alerts in its facts",
    cause="a Python on the first host of the play that answers setup with them, and a play that gathers facts",
    says=no_run(line=f"{DECIDE} (web1: audit_fail_on, audit_label, audit_metrics_file, notify_channels)"),
)
def test_a_host_that_decides_for_all(audit: Auditing, told: Telling, web1: Inside, tmp_path: Path) -> None:
    facts = {
        "audit_fail_on": "never",
        "audit_label": "$(touch /tmp/owned)",
        "audit_metrics_file": f"{tmp_path}/profile.sh",
        "notify_channels": [{"name": "me", "urls": ["json://198.18.0.11"]}],
    }
    told(audit("web1,cache1", play=taken(web1, tmp_path, facts, hosts="web1,cache1")))
    assert not (tmp_path / "profile.sh").exists()


@fault(
    "fact-names-another-host",
    area="authority",
    fault="A taken host says in its facts that it is another host",
    cause="a Python on the host that answers setup with inventory_hostname, and a play that gathers facts",
    says=no_run(line=f"{DECIDE} (web1: inventory_hostname)"),
)
def test_a_host_that_says_it_is_another(audit: Auditing, told: Telling, web1: Inside, tmp_path: Path) -> None:
    told(audit(play=taken(web1, tmp_path, {"inventory_hostname": "cache1"}, hosts="web1,cache1")))


@fault(
    "fact-shadows",
    area="authority",
    fault="A taken host gives a fact the name of a variable that its declarations are made of",
    cause="a Python on the host that answers setup with that name, and a play that gathers facts",
    says=assessed("web1", line="Everything in scope was looked at"),
)
def test_a_fact_does_not_stand_before_the_inventory(
    audit: Auditing, told: Telling, web1: Inside, tmp_path: Path
) -> None:
    more = {**BACKDOOR, "port": "{{ spare_port | int }}", "required": False}
    run = audit(
        play=taken(web1, tmp_path, {"spare_port": 4444}),
        host_vars={"web1": {"spare_port": 8098, "vigil_ports__more": [more]}},
    )
    told(run)
    evidence = json.loads((run.run / "evidence/hosts/web1.json").read_text())
    assert evidence["inventory"]["vigil_ports__more"][0]["port"] == 8098


@fault(
    "hosts-disagree",
    area="authority",
    fault="Two hosts of a run give its gate different values",
    cause="audit_fail_on in the variables of both, so that the first would decide",
    says=no_run(line="audit_fail_on: the hosts of this run do not agree"),
)
def test_hosts_that_give_the_gate_two_values(audit: Auditing, told: Telling) -> None:
    values = {"web1": {"audit_fail_on": "never"}, "cache1": {"audit_fail_on": "low"}}
    told(audit("web1,cache1", host_vars=values))


@fault(
    "accepted-gaps-as-text",
    area="authority",
    fault="Accepted gaps are given as text, which would be split at its commas",
    cause="-e audit_accept_gaps='[\"ghost1:unreachable\"]'",
    says=no_run(line="audit_accept_gaps: it is text, and has to be a list"),
)
def test_accepted_gaps_that_are_text(audit: Auditing, told: Telling) -> None:
    told(audit(audit_accept_gaps='["ghost1:unreachable"]'))


@fault(
    "label-with-a-line-break",
    area="authority",
    fault="The label of the run holds a line break, and what a shell would run",
    cause="audit_label with a line of a crontab and a command; the file of the metrics is given to a shell",
    says=assessed("web1", line="nightly\\x0a* * * * * root touch owned$(touch owned)"),
)
def test_a_label_that_ends_its_line(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.prom"
    label = "nightly\n* * * * * root touch owned$(touch owned)"
    told(audit(audit_label=label, audit_metrics_file=str(metrics)))
    subprocess.run(("sh", str(metrics)), cwd=tmp_path, check=False, capture_output=True)
    assert not (tmp_path / "owned").exists()
    assert "* * *" not in {line[:5] for line in metrics.read_text().splitlines()}


@fault(
    "schedule-with-a-line-break",
    area="authority",
    fault="A setting that ends in a crontab and in units holds a line break",
    cause="schedule_arguments with a line of a crontab in it",
    says=no_run(line="schedule_arguments[0]: the text holds the character U+000A"),
)
def test_an_argument_that_ends_its_line(audit: Auditing, told: Telling) -> None:
    told(audit(schedule_arguments=["-v\n* * * * * root touch /tmp/owned"]))
