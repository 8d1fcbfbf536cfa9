# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door for real: through Ansible, under each Python of this machine, on its own loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.modules import scan_info
from ansible_collections.vigil.ports.tests.unit.target_pythons import target_python, target_versions

ROOT = Path(__file__).resolve().parents[4]
ANSIBLE = Path(sys.executable).parent / "ansible"


def run(options: dict[str, Any], python: str, *more: str) -> dict[str, Any]:
    done = subprocess.run(
        [
            *(str(ANSIBLE), "localhost", "-i", "localhost,", "-c", "local", "-m", "vigil.ports.scan_info"),
            *("-e", f"ansible_python_interpreter={python}", "-a", json.dumps(options), *more),
        ],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        timeout=120,
        check=False,
    )
    text = done.stdout.decode()
    assert "=>" in text, done.stderr.decode()
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text[text.index("{", text.index("=>")) :])[0]
    return found


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize("version", target_versions())
def test_the_connect_engine_runs_under_every_python(version: str, listening: int) -> None:
    python = target_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    targets = [{"host": "web", "address": "127.0.0.1"}, {"host": "bad", "address": "-oN x"}]
    found = run({"targets": targets, "ports": [listening, 1], "engine": "connect"}, python, "--check")
    good, bad = found["targets"]
    assert found["changed"] is False
    assert good["status"] == "complete"
    assert {row["state"]: row["ports"] for row in good["states"]} == {"open": str(listening), "closed": "1"}
    assert bad["status"] == "refused"
    assert found["coverage"]["engine_version"].startswith(f"Python {version}.")


def test_what_is_no_address_of_a_host_is_refused_and_reaches_no_command_line(listening: int) -> None:
    hostile = [
        *(
            "-oN/tmp/owned",
            "--script=x",
            "a b",
            "a;id",
            "$(id)",
            "10.0.0.0/8",
            "127.1",
            "0x7f.1",
            "2130706433",
        ),
        *(
            "0177.0.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "ff02::1",
            "fe80::1%lo",
            "::ffff:0.0.0.0",
        ),
        *("", "\n127.0.0.1", "127.0.0.1\n-oN", "user@127.0.0.1", "[::1]"),
    ]
    targets = [{"host": "web", "address": "127.0.0.1"}, *({"host": "bad", "address": text} for text in hostile)]
    # A name that leads where it should not: to this scanner itself.
    targets.append({"host": "bad", "address": "localhost", "own_addresses": ["198.18.0.2"]})
    found = run({"targets": targets, "ports": [listening], "versions": False}, sys.executable)
    assert [row["status"] for row in found["targets"]] == ["complete", *["refused"] * (len(hostile) + 1)]
    (command,) = found["coverage"]["commands"] or [["127.0.0.1"]]
    assert command[-1] == "127.0.0.1"
    assert not set(command) & {*hostile, "localhost", "::1"}


def test_bad_options_fail_with_every_error() -> None:
    options = {"targets": [{"host": "h", "address": "127.0.0.1"}], "ports": ["80-", 70000], "rate": 0}
    found = run(options, sys.executable)
    assert "targets" not in found
    assert all(part in found["msg"] for part in ("'80-'", "70000", "rate: 0"))


def test_the_documentation_has_every_option_and_every_result(listening: int) -> None:
    documented = yaml.safe_load(scan_info.DOCUMENTATION)["options"]
    for name, spec in scan_info._ARGUMENTS.items():
        assert documented[name].get("type") == spec["type"], name
        assert documented[name].get("default") == spec.get("default"), name
        assert list(documented[name].get("choices", [])) == list(spec.get("choices", [])), name
    assert documented.keys() == scan_info._ARGUMENTS.keys()
    returned = yaml.safe_load(scan_info.RETURN)
    options = {"targets": [{"host": "h", "address": "127.0.0.1"}], "ports": [listening], "engine": "connect"}
    found = run(options, sys.executable)
    assert returned["coverage"]["contains"].keys() == found["coverage"].keys()
    assert returned["targets"]["contains"].keys() == found["targets"][0].keys()
    endpoints = returned["targets"]["contains"]["endpoints"]["contains"]
    assert endpoints.keys() == found["targets"][0]["endpoints"][0].keys()
