# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module as Ansible runs it: packed, sent and started under each Python that a target may have."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.vigil.ports.plugins.modules import listeners_info
from ansible_collections.vigil.ports.tests.unit.target_pythons import target_pythons

ROOT = Path(__file__).resolve().parents[4]
TREE = ROOT / ".cache" / "tree"
MODULE = "vigil.ports.listeners_info"

# Plants sockets in this (new) namespace, lets Ansible look, and tells what ss says about the same sockets.
PLANT_AND_ASK = r"""
import json, os, re, socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
def bound(kind, family, address, port, v6only=None, device=None):
    made = socket.socket(family, kind)
    if v6only is not None:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    if device:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen()
    return made
S, D, V4, V6 = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6
planted = [bound(S, V4, "0.0.0.0", 8001), bound(S, V6, "::", 8002, 0), bound(S, V6, "::", 8003, 1),
           bound(S, V4, "127.0.0.1", 8004, device=b"lo"), bound(D, V4, "0.0.0.0", 8005), bound(D, V6, "::1", 8006)]
raw = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)), socket.socket(V4, socket.SOCK_RAW, 1),
       socket.socket(V6, socket.SOCK_RAW, 58), socket.socket(V4, socket.SOCK_RAW, 255)]
raw[0].bind(("lo", 3))
subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr)
rows = []
for line in subprocess.run(["ss", "-Htulnp"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines():
    protocol, _state, _r, _s, local, _peer, *users = line.split(None, 6)
    address, _, port = local.rpartition(":")
    address, _, device = address.partition("%")
    pids = sorted({int(pid) for pid in re.findall(r"pid=(\d+)", " ".join(users))})
    dual = address == "*"
    rows.append([protocol, "::" if dual else address.strip("[]"), int(port), device or None, dual, pids])
print(json.dumps(rows))
"""


def as_witness(result: dict[str, Any]) -> list[Any]:
    return [
        [
            row["protocol"],
            row["address"],
            row["port"],
            row["interface"],
            row["v6only"] is False and row["address"] == "::",
            [owner["pid"] for owner in row["owners"]],
        ]
        for row in result["listeners"]
    ]


def ansible(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ansible", "adhoc", *arguments]


def environment(home: Path) -> dict[str, str]:
    config = home / "ansible.cfg"
    config.touch()
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_LOCAL_TEMP": str(home / "tmp"),
        "ANSIBLE_REMOTE_TMP": str(home / "remote"),
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_FORKS": "2",
    }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[Any]]:
    """What the module says under each Python, and what ss says, about one namespace."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes a network namespace")
    for tool in ("unshare", "ip", "ss"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    home = tmp_path_factory.mktemp("ansible")
    inventory = home / "hosts.yml"
    hosts = {
        version: {"ansible_connection": "local", "ansible_python_interpreter": python}
        for version, python in target_pythons().items()
    }
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    results = home / "results"
    options = json.dumps({"packages": True, "namespaces": "host", "verify_bind": {"tcp": ["8000-8010"], "udp": [8005]}})
    asked = ansible("all", "-i", str(inventory), "-m", MODULE, "-a", options, "-t", str(results))
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", PLANT_AND_ASK, *asked],
        env=environment(home),
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr.decode()
    said = {file.name: json.loads(file.read_text()) for file in results.iterdir()}
    return said, json.loads(done.stdout.splitlines()[-1])


def test_it_runs_under_each_python_and_agrees_with_ss_exactly(answers: tuple[dict[str, Any], list[Any]]) -> None:
    said, witness = answers
    assert set(said) == set(target_pythons())
    for version, result in said.items():
        assert result["host"]["python"].startswith(f"{version}."), result
        assert sorted(as_witness(result), key=str) == sorted(witness, key=str), version
        assert len(result["listeners"]) == 6
        sources = dict(result["coverage"]["sources"])
        assert {sources.pop(raw) for raw in ("packet", "raw_ipv4", "raw_ipv6")} == {"proc"}
        assert set(sources.values()) == {"netlink"}
        assert not {"packet", "raw"} & {one["what"] for one in result["coverage"]["not_looked_at"]}


def test_packet_and_raw_sockets_are_listed_with_who_holds_them(answers: tuple[dict[str, Any], list[Any]]) -> None:
    said, witness = answers
    planter = next(pid for *_rest, pids in witness for pid in pids)
    shown = ("kind", "family", "number", "receives", "interface", "address", "sockets", "owners_state")
    for version, result in said.items():
        rows = [tuple(row[key] for key in shown) for row in result["raw_sockets"]]
        assert rows == [
            ("packet", None, 3, True, "lo", None, 1, "known"),
            ("raw", "ipv4", 1, True, None, "0.0.0.0", 1, "known"),
            ("raw", "ipv4", 255, False, None, "0.0.0.0", 1, "known"),
            ("raw", "ipv6", 58, True, None, "::", 1, "known"),
        ], version
        assert {owner["pid"] for row in result["raw_sockets"] for owner in row["owners"]} == {planter}


def test_each_python_says_the_same(answers: tuple[dict[str, Any], list[Any]]) -> None:
    said, _witness = answers
    seen = {
        json.dumps([result["listeners"], result["raw_sockets"], result["addresses"]], sort_keys=True)
        for result in said.values()
    }
    assert len(seen) == 1


def test_ports_that_somebody_holds_are_refused_to_each_python(answers: tuple[dict[str, Any], list[Any]]) -> None:
    said, _witness = answers
    for version, result in said.items():
        told = {(row["protocol"], row["ports"]): row["state"] for row in result["bind"]["ports"]}
        assert told == {
            ("tcp", "8000,8005-8010"): "free",
            ("tcp", "8001-8004"): "held_by_listed",
            ("udp", "8005"): "held_by_listed",
        }, version


def test_the_result_has_exactly_the_documented_shape(answers: tuple[dict[str, Any], list[Any]]) -> None:
    said, _witness = answers
    source = (ROOT / "plugins" / "modules" / "listeners_info.py").read_text()
    match = re.search(r'RETURN = r"""(.*?)"""', source, re.DOTALL)
    assert match
    documented = yaml.safe_load(match[1])
    result = next(iter(said.values()))
    of_sockets = {"listeners", "raw_sockets", "translated", "bind"}
    assert set(documented) == {*of_sockets, "addresses", "machine", "host", "coverage"}
    for key, described in documented.items():
        _check(key, described, result[key])


TYPES = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}


def _check(place: str, described: dict[str, Any], value: Any) -> None:
    if value is None:
        return
    assert isinstance(value, TYPES[described["type"]]), place
    if "contains" not in described:
        return
    for each in value if isinstance(value, list) else [value]:
        assert set(each) == set(described["contains"]), place
        for key, below in described["contains"].items():
            _check(f"{place}.{key}", below, each[key])


def test_check_mode_is_the_same_and_a_wrong_option_is_refused(tmp_path: Path) -> None:
    python = f"ansible_python_interpreter={sys.executable}"
    local = ("localhost", "-i", "localhost,", "-c", "local", "-e", python, "-m", MODULE)
    checked = subprocess.run(ansible(*local, "--check"), env=environment(tmp_path), capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert b'"changed": false' in checked.stdout
    refused = subprocess.run(
        ansible(*local, "-a", "namespaces=some"), env=environment(tmp_path), capture_output=True, check=False
    )
    assert refused.returncode != 0
    assert b"value of namespaces must be one of: host, all" in refused.stdout
    no_port = ansible(*local, "-a", '{"verify_bind": {"tcp": ["80-"]}}')
    refused = subprocess.run(no_port, env=environment(tmp_path), capture_output=True, check=False)
    assert refused.returncode != 0
    assert b"verify_bind: '80-' is neither a port" in refused.stdout


def test_elsewhere_than_on_linux_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "freebsd14")
    with patch_module_args({}), pytest.raises(SystemExit):
        listeners_info.main()
    said = json.loads(capsys.readouterr().out)
    assert said["failed"] is True
    assert said["msg"] == "vigil.ports.listeners_info needs Linux; this host runs freebsd14."


def test_the_examples_run(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root: it makes a network namespace, in which nothing listens")
    examples = [task for task in yaml.safe_load(listeners_info.EXAMPLES) if not task["name"].startswith("Make sure")]
    for task in examples:
        task.pop("become", None)
    book = tmp_path / "examples.yml"
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": examples}
    book.write_text(yaml.safe_dump([play]))
    python = f"ansible_python_interpreter={sys.executable}"
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-e", python, str(book)],
        env=environment(tmp_path),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
