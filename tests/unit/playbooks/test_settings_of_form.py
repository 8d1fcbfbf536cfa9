# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings given as text, and what a text may hold that ends in a file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .conftest import Json, Playbooks


@pytest.mark.parametrize("text", ['["web1:failed"]', "web1:failed", "web1:failed,web2:failed"])
def test_accepted_gaps_as_text_are_refused_and_never_split(playbook: Playbooks, text: str) -> None:
    run = playbook("vigil.ports.audit", "-e", f"audit_accept_gaps='{text}'")
    assert run.exit_status == 2
    assert "audit_accept_gaps: it is text, and has to be a list. On a command line give it as JSON" in run.said
    given = playbook("vigil.ports.audit", "-e", json.dumps({"audit_accept_gaps": ["web1:failed"]}))
    assert given.read("evidence/run.json")["settings"]["accept_gaps"] == ["web1:failed"]


@pytest.mark.parametrize("name", ["vigil_vantages", "notify_channels", "schedule_jobs", "schedule_arguments"])
def test_no_list_is_taken_as_text(playbook: Playbooks, name: str) -> None:
    run = playbook("vigil.ports.audit", "-e", f"""{name}='["x"]'""")
    assert run.exit_status == 2
    assert f"{name}: it is text, and has to be a list" in run.said or "vigil_vantages" in run.said


def test_a_list_that_an_action_gets_as_text_is_refused(playbook: Playbooks) -> None:
    options = {"report_dir": "reports", "vantages": [], "accept_gaps": '["web1:failed"]'}
    run = playbook([{"hosts": "all", "gather_facts": False, "tasks": [{"vigil.ports.run": options, "run_once": True}]}])
    assert "accept_gaps: it is text, and has to be a list" in run.said


HIDDEN = ["a\nb", "a\rb", "a\x1b[2Jb", "a\x00b", "a\u2028b", "a\x85b", "a\tb"]


@pytest.mark.parametrize("text", HIDDEN, ids=ascii)
def test_no_label_ends_a_line(playbook: Playbooks, text: str) -> None:
    """It is shown, so it is made visible: in each file, and where runs of one label are counted."""
    metrics = playbook.folder / "vigil.prom"
    given = json.dumps({"audit_label": text, "audit_metrics_file": str(metrics), "audit_every": 60})
    first = playbook("vigil.ports.audit", "-e", given)
    assert first.exit_status == 0, first.output
    assert first.read("evidence/run.json")["label"] == visible(text) != text
    assert text not in metrics.read_text()
    run_id = first.read("evidence/run.json")["run_id"]
    second = playbook("vigil.ports.audit", "-e", given)
    assert second.read("evidence/run.json")["due"]["last_run_id"] == run_id


@pytest.mark.parametrize("text", HIDDEN, ids=ascii)
def test_no_name_ends_a_line(playbook: Playbooks, text: str) -> None:
    run = playbook("vigil.ports.audit", "-e", json.dumps({"audit_signing_key": text}))
    assert run.exit_status == 2
    assert f"audit_signing_key: the text holds the character U+{ord(text[1]):04X} at position 2" in run.said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("audit_report_dir", "reports\nx"),
        ("audit_metrics_file", "/tmp/x\n.prom"),
        ("audit_history_url", "sqlite:///x\n"),
        ("audit_signing_key", "key\nx"),
        ("audit_accept_gaps", ["web1:failed\nx"]),
        ("notify_report_url", "https://x/\ny"),
        ("vigil_vantages", [{"name": "office\nx", "scanners": ["web1"]}]),
        ("schedule_user", "root\nx"),
        ("schedule_arguments", ["-v", "x\n* * * * * root touch /tmp/x"]),
        ("schedule_variables", {"x": "y\nz"}),
        ("schedule_jobs", [{"name": "x", "every": "daily\nExecStart=/bin/x"}]),
    ],
)
def test_no_text_of_a_setting_ends_a_line(playbook: Playbooks, name: str, value: Any) -> None:
    run = playbook("vigil.ports.audit", "-e", json.dumps({name: value}))
    assert run.exit_status == 2
    assert "the text holds the character U+000A" in run.said
    assert name in run.said


def test_a_change_that_ends_a_line_opens_nothing(playbook: Playbooks) -> None:
    run = playbook("vigil.ports.change_open", "-e", json.dumps({"change": "CHG-1\nx"}))
    assert run.exit_status == 2
    assert "the text holds the character U+000A" in run.said
    assert not run.report_dir.exists()


@pytest.mark.parametrize("path", ["/etc/cron.d/vigil", "/etc/profile.d/vigil.sh", "metrics.txt", "prom"])
def test_metrics_are_written_into_files_of_the_textfile_collector_only(playbook: Playbooks, path: str) -> None:
    run = playbook("vigil.ports.audit", "-e", f"audit_metrics_file={path}")
    assert run.exit_status == 2
    assert "audit_metrics_file: the file's name has to end in .prom" in run.said


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule_user": "root touch /tmp/x #"},
        {"schedule_user": "root\n* * * * * root touch /tmp/x"},
        {"schedule_arguments": ["-v\n* * * * * root touch /tmp/x"]},
        {"schedule_arguments": "-v"},
        {"schedule_inventory": "/x\n* * * * * root touch /tmp/x"},
        {"schedule_directory": "/x\n[Service]"},
    ],
    ids=ascii,
)
def test_no_setting_of_the_schedule_ends_a_line_or_a_field(playbook: Playbooks, settings: Json) -> None:
    role = {"ansible.builtin.include_role": {"name": "vigil.ports.schedule"}}
    given = {"schedule_directory": "/", "schedule_report_dir": "/", "schedule_inventory": "/x", **settings}
    places = {"schedule_settings_dir": str(playbook.folder / "settings"), "schedule_unit_dir": str(playbook.folder)}
    run = playbook([{"hosts": "all", "gather_facts": False, "tasks": [role]}], "-e", json.dumps({**given, **places}))
    assert run.exit_status == 2, run.output
    (name,) = settings
    assert f"{name}: the text holds the character U+000A" in run.said or name in run.said
    assert "Keep the variables of the jobs" not in run.output
    assert not (playbook.folder / "settings").exists()
