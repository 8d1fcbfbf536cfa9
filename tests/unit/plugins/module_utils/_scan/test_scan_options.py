# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: bad options are all named before anything is sent; a failing nmap gives no state."""

from __future__ import annotations

import sys
import unittest.mock
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import NmapProgram, find_nmap
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanError
from ansible_collections.vigil.ports.plugins.module_utils._scan.scan import (
    Surroundings,
    scan,
)

XML = (
    '<nmaprun version="7.93" args="nmap"><scaninfo type="syn" protocol="tcp" services="1-3"/>{}'
    '<runstats><finished exit="{}"/><hosts/></runstats></nmaprun>'
)
HOST = '<host><status state="up"/><address addr="{}" addrtype="ipv4"/><ports>{}</ports></host>'


def options(**changed: Any) -> dict[str, Any]:
    return {
        "targets": [{"host": "h", "address": "127.0.0.1"}],
        "ports": ["1-3"],
        "udp_ports": [],
        "top_ports": 0,
        "canaries": 0,
        "confirm": False,
        "target_rate": 0,
        "engine": "connect",
        "import_file": None,
        "versions": False,
        "scripts": [],
        "rate": 500,
        "retries": 1,
        "timeout": 60,
        "host_timeout": 0,
        **changed,
    }


def program(folder: Path, body: str) -> NmapProgram:
    """A stand-in for an nmap that fails in a way that a real one does only now and then."""
    path = folder / "nmap"
    path.write_text(f'#!/bin/sh\nwhile [ "$1" != -oX ]; do shift; done\n{body}\n', encoding="utf-8")
    path.chmod(0o755)
    return NmapProgram(str(path), "7.93")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ports": ["80-", 70000], "udp_ports": [0]}, ["ports: '80-'", "ports: 70000", "udp_ports: 0"]),
        ({"rate": 0}, ["rate: 0"]),
        ({"rate": 10**9}, ["rate: 1000000000"]),
        ({"target_rate": -1, "canaries": 65}, ["target_rate: -1", "canaries: 65"]),
        ({"target_rate": 10**9, "canaries": -1}, ["target_rate: 1000000000", "canaries: -1"]),
        ({"canaries": 1}, ["canaries: 1 can prove nothing"]),
        ({"targets": [{"host": "h", "address": "::1", "listening": ["22", "x"]}]}, ["targets[0].listening: 'x'"]),
        ({"retries": -1, "timeout": -1, "host_timeout": -1}, ["retries", "timeout: -1", "host_timeout"]),
        ({"scripts": ["../../evil", "banner"]}, ["scripts: '../../evil'"]),
        ({"ports": []}, ["no port was asked for"]),
        ({"targets": []}, ["nothing to scan"]),
        ({"engine": "import"}, ["import_file"]),
        ({"engine": "import", "import_file": "/nowhere/x.xml"}, ["import_file"]),
        ({"engine": "nmap"}, ["no nmap on PATH"]),
    ],
)
def test_bad_options_are_named(tmp_path: Path, changed: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(ScanError) as error:
        scan(options(**changed), Surroundings(str(tmp_path), nmap=lambda: None), Stop())
    assert all(name in str(error.value) for name in named), error.value


def test_a_scanner_needs_no_python_nmap(tmp_path: Path) -> None:
    """Without it every host was not assessed where UDP was declared."""
    without = dict.fromkeys(("nmap", "nmap.nmap"))
    with unittest.mock.patch.dict(sys.modules, without):
        found = scan(
            options(engine="auto"), Surroundings(str(tmp_path), nmap=lambda: program(tmp_path, "exit 3")), Stop()
        )
    assert found["coverage"]["engine"] == "nmap"
    assert "python-nmap" not in found["coverage"]["why"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (f"cat > $2 <<'X'\n{XML.format('', 'success')}\nX", "said nothing about 127.0.0.1"),
        (f"cat > $2 <<'X'\n{XML.format('', 'error')}\nX", "good end"),
        ("echo boom >&2; exit 3", "boom"),
        ("echo '<nmaprun><host><add' > $2; kill -9 $$", "status -9"),
        ("echo garbage > $2", "no report that can be read"),
        (": > $2", "no report that can be read"),
    ],
)
def test_a_failing_nmap_leaves_everything_unknown(tmp_path: Path, body: str, why: str) -> None:
    around = Surroundings(str(tmp_path), nmap=lambda: program(tmp_path, body))
    found = scan(options(engine="nmap"), around, Stop(30))
    (target,) = found["targets"]
    assert (target["status"], target["states"]) == ("failed", [])
    assert target["unknown"] == [{"protocol": "tcp", "ports": "1-3"}]
    assert why in target["reason"]
    assert not found["coverage"]["complete"]


def test_an_nmap_that_dies_in_the_second_pass_takes_nothing_back(tmp_path: Path) -> None:
    port = '<port protocol="tcp" portid="1"><state state="open" reason="syn-ack"/></port>'
    closed = '<extraports state="closed" count="2"><extrareasons reason="reset" proto="tcp" ports="2-3"/></extraports>'
    report = XML.format(HOST.format("127.0.0.1", port + closed), "success")
    body = f"case $2 in *-1.xml|*/versions-*) kill -9 $$;; esac\ncat > $2 <<'X'\n{report}\nX"
    asked = options(engine="nmap", versions=True, confirm=True)
    found = scan(asked, Surroundings(str(tmp_path), nmap=lambda: program(tmp_path, body)), Stop(30))
    (target,) = found["targets"]
    assert (target["status"], [e["port"] for e in target["endpoints"]]) == ("partial", [1])
    assert "ports 1 were not asked a second time" in target["reason"]
    assert not found["coverage"]["complete"]
    problems = {p["code"]: p["message"] for p in found["coverage"]["problems"]}
    assert set(problems) >= {"nmap-failed", "not-confirmed", "versions-incomplete"}
    assert "ports 1 were not asked a second time" in problems["not-confirmed"]


def test_warnings_are_problems_and_lose_no_state(tmp_path: Path) -> None:
    closed = '<extrareasons reason="reset" proto="tcp" ports="1-3"/>'
    host = HOST.format("127.0.0.1", f'<extraports state="closed" count="3">{closed}</extraports>')
    body = f"printf 'RTTVAR has grown \\033[31m\\n' >&2\ncat > $2 <<'X'\n{XML.format(host, 'success')}\nX"
    found = scan(options(engine="nmap"), Surroundings(str(tmp_path), nmap=lambda: program(tmp_path, body)), Stop(30))
    assert found["targets"][0]["status"] == "complete"
    assert found["coverage"]["problems"] == [{"code": "nmap-warning", "message": "RTTVAR has grown \\x1b[31m"}]


def test_an_nmap_that_ignores_sigterm_is_ended_all_the_same(tmp_path: Path) -> None:
    body = "trap '' TERM; while :; do sleep 0.1; done"
    found = scan(options(engine="nmap"), Surroundings(str(tmp_path), nmap=lambda: program(tmp_path, body)), Stop(1))
    assert "time-out of 1 s" in found["targets"][0]["reason"]
    assert not found["coverage"]["complete"]


def test_an_imported_report_has_the_same_shape_and_attributes_nothing_to_strangers(tmp_path: Path) -> None:
    hosts = "".join(
        HOST.format(a, '<port protocol="tcp" portid="1"><state state="open" reason="syn-ack"/></port>')
        for a in ("127.0.0.1", "198.18.0.7")
    )
    report = tmp_path / "vendor.xml"
    report.write_text(XML.format(hosts, "success"), encoding="utf-8")
    found = scan(
        options(engine="import", import_file=str(report), ports=[]),
        Surroundings(str(tmp_path), nmap=lambda: None),
        Stop(),
    )
    live = scan(options(), Surroundings(str(tmp_path)), Stop())
    assert found["coverage"].keys() == live["coverage"].keys()
    assert found["targets"][0].keys() == live["targets"][0].keys()
    assert [target["address"] for target in found["targets"]] == ["127.0.0.1"]
    assert found["targets"][0]["status"] == "partial"
    assert found["targets"][0]["unknown"] == [{"protocol": "tcp", "ports": "2-3"}]
    assert "198.18.0.7" in found["coverage"]["problems"][0]["message"]
    assert not found["coverage"]["complete"]


def test_a_missing_nmap_is_not_found(tmp_path: Path) -> None:
    assert find_nmap(str(tmp_path)) is None
    program(tmp_path, "exit 1")
    assert find_nmap(str(tmp_path)) is None
