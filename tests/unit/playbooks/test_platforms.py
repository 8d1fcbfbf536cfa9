# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples for platforms: their files fit together, name options that exist, and those that can be run are run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT, Ended, Playbooks

EXAMPLES = ROOT / "examples"
PROJECT = EXAMPLES / "awx/project"
BIN = Path(sys.executable).parent


class _Loader(yaml.SafeLoader):
    """YAML of Ansible."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def _loaded(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a loader that makes nothing but texts


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from _keys(part)
    elif isinstance(value, list):
        for part in value:
            yield from _keys(part)


def _tasks() -> dict[str, list[dict[str, Any]]]:
    """What is configured, by the short name of the module."""
    found: dict[str, list[dict[str, Any]]] = {}
    for task in _loaded(EXAMPLES / "awx/configure.yml")[0]["tasks"]:
        for name, options in task.items():
            if name.startswith("awx.awx."):
                found.setdefault(name.removeprefix("awx.awx."), []).append(options)
    return found


@pytest.mark.parametrize(
    "path", [*EXAMPLES.glob("awx/**/*.yml"), *EXAMPLES.glob("eda/*.yml")], ids=lambda path: path.name
)
def test_an_example_names_no_option_that_the_role_does_not_have(path: Path) -> None:
    spec = _loaded(ROOT / "roles/audit/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    loaded = _loaded(path)
    named = {key for key in _keys(loaded) if key.startswith(("audit_", "vigil_vantages"))}
    asked = {row["variable"] for one in _tasks()["workflow_job_template"] for row in one["survey_spec"]["spec"]}
    assert named | asked <= {*spec, "audit_hosts"}


def test_every_job_template_runs_a_playbook_of_the_project_and_the_workflow_runs_every_template() -> None:
    tasks = _tasks()
    names = {one["name"] for one in tasks["job_template"]}
    assert all((PROJECT / one["playbook"]).is_file() for one in tasks["job_template"])
    (workflow,) = tasks["workflow_job_template"]
    used = {node["unified_job_template"]["name"] for node in workflow["workflow_nodes"]}
    vantages = ("office", "internet")
    assert used == (names - {"vigil scan {{ item.name }}"}) | {f"vigil scan {name}" for name in vantages}


def test_the_merge_of_the_workflow_runs_whatever_became_of_its_parts() -> None:
    (workflow,) = _tasks()["workflow_job_template"]
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    parts = {row["identifier"] for row in nodes["campaign"]["related"]["success_nodes"]}
    assert parts == nodes.keys() - {"campaign", "merge"}
    assert all(nodes[name]["related"] == {"always_nodes": [{"identifier": "merge"}]} for name in parts)
    assert nodes["merge"]["all_parents_must_converge"] is True


def _job(playbook: Playbooks, name: str, job: str, hosts: tuple[str, ...], **more: Any) -> Ended:
    """A job of AWX: a playbook of the project with a data directory of its own."""
    data = playbook.folder / "jobs" / job
    data.mkdir(parents=True)
    settings = {
        "parts_host": "localhost",
        "parts_dir": str(playbook.folder / "kept"),
        "vigil_campaign": "20261127T010203Z",
        "vigil_vantages": [{"name": "office", "scanners": ["scan-office"]}],
        **more,
    }
    environment = {"AWX_ISOLATED_DATA_DIR": str(data)}
    return playbook(str(PROJECT / name), hosts=hosts, variables=settings, environment=environment)


def test_the_playbooks_of_the_awx_project_gather_send_and_merge(playbook: Playbooks) -> None:
    for number, host in enumerate(("web1", "web2")):
        ended = _job(playbook, "gather.yml", f"slice{number}", (host,))
        assert ended.exit_status == 0, ended.output
    merged = _job(playbook, "merge.yml", "merge", ("web1", "web2", "web3", "scan-office"))
    assert "Merged from 2 parts of a campaign." in merged.said, merged.output
    assert {name for name in merged.gaps() if "part" in name} == {"scan-office:no-part", "web3:no-part"}
    assert merged.exit_status == 2


def test_the_build_context_of_the_execution_environment_is_made_without_a_container_engine(tmp_path: Path) -> None:
    folder = EXAMPLES / "execution-environment"
    command = (BIN / "ansible-builder", "create", "--output-filename", "Containerfile", "-c", tmp_path / "context")
    environment = {**os.environ, "PATH": f"{BIN}:/usr/bin:/bin"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    recipe = (tmp_path / "context/Containerfile").read_text(encoding="utf-8")
    assert "introspect.py introspect" in recipe
    assert (tmp_path / "context/_build/requirements.yml").read_text() == (folder / "requirements.yml").read_text()
    # What the build asks the collection in the image, asked here.
    script = tmp_path / "context/_build/scripts/introspect.py"
    ask = (sys.executable, script, "introspect", ROOT / ".cache/tree")
    asked = subprocess.run(ask, env=environment, capture_output=True, text=True, check=True)
    needs = (ROOT / "meta/ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    for line in needs:
        assert line.startswith("#") or line.partition(">")[0] in asked.stdout, asked.stdout
    assert "nmap" in asked.stdout
