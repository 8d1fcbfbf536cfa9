# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who, where and how a run was made: said where it is known, without secrets, and None where it is not."""

from __future__ import annotations

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.provenance import ci_job, controller
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.recorded_command import recorded_command
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.vantage_points import scanner_addresses

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "org/ports",
    "GITHUB_RUN_ID": "42",
}
AZURE = {"SYSTEM_COLLECTIONURI": "https://azure.example/org/", "SYSTEM_TEAMPROJECT": "ports", "BUILD_BUILDID": "7"}


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"CI_JOB_URL": "https://gitlab.example/ports/-/jobs/1"}, "https://gitlab.example/ports/-/jobs/1"),
        (GITHUB, "https://github.example/org/ports/actions/runs/42"),
        (AZURE, "https://azure.example/org/ports/_build/results?buildId=7"),
        ({"BUILD_URL": "https://jenkins.example/job/ports/3/"}, "https://jenkins.example/job/ports/3/"),
        ({"CI_JOB_URL": "https://ci:hunter2@gitlab.example/1"}, "https://[redacted]@gitlab.example/1"),
        ({"BUILD_URL": "https://x/\x1b[31m"}, "https://x/\\x1b[31m"),
        ({"GITHUB_SERVER_URL": "https://github.example"}, None),
        ({"CI_JOB_URL": ""}, None),
        ({}, None),
    ],
)
def test_the_ci_job_has_its_address_without_credentials(environment: dict[str, str], address: str | None) -> None:
    assert ci_job(environment) == address
    assert controller(environment)["ci_job"] == address


def test_the_command_that_started_the_run_is_told_without_its_secrets() -> None:
    given = [
        "ansible-playbook",
        "vigil.ports.audit",
        "-e",
        "db_password=hunter2",
        "-e",
        '{"api_token": "hunter2", "a": 1}',
    ]
    told = recorded_command([*given, "-e", "audit_scan_depth=known", "--vault-password-file", "vault.txt"])
    assert "hunter2" not in " ".join(told)
    assert told[:3] == given[:3]
    assert told[-3:] == ["audit_scan_depth=known", "--vault-password-file", "vault.txt"]


@pytest.mark.parametrize(
    ("place", "addresses"),
    [
        ({"ansible_host": "192.0.2.7", "ansible_connection": "ssh"}, ["192.0.2.7"]),
        ({"ansible_host": None}, ["scan1"]),
        ({}, ["scan1"]),
        ({"ansible_connection": "local"}, ["192.0.2.1"]),
    ],
)
def test_a_scanner_has_the_addresses_by_which_it_is_reached(place: dict[str, str | None], addresses: list[str]) -> None:
    vantages = [{"name": "internet", "scanners": ["scan1", "localhost"]}]
    found = scanner_addresses(vantages, {"scan1": place}, ["192.0.2.1"])
    is_control = place.get("ansible_connection") == "local"
    assert found["scan1"] == {"addresses": addresses, "is_control": is_control}
    assert found["localhost"] == {"addresses": ["192.0.2.1"], "is_control": True}
