# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worst texts as real names of processes, command lines and banners, and from a host that was taken: what
``ansible-playbook -vvv`` prints, and what stands on disk."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest
import yaml
from faults.inside import Inside, inside
from fleet import playbook
from fleet.services import PLANTED_SOCKET, PYTHON

FIRST_PORT = 4500
WORST = (
    "\x1b[2J\x1b[1;1HPASSED",
    "\x1b]0;title\x07\x1b]52;c;cm0=\x07",
    "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "\x1b[8mha:////4AAA\x1b[0m",
    "FAILED\r\x1b[KPASSED",
    "\b\b\b\x7f\x07",
    "\x9b31m\u009b2J",
    "\n::error::forged",
    "\n::stop-commands::x",
    "\n##vso[task.complete result=Succeeded;]",
    "a ##[set-env name=x]y",
    "\n##teamcity[buildStatus status='SUCCESS']",
    "section_start:1:x\r\x1b[0K",
    "\n/approve\n/merge",
    "\n--- collapsed",
    "{{ 7*7 }}",
    "{{ lookup('pipe', 'touch /tmp/evil') }}",
    "{% for x in [1] %}",
    "\u202egnp.exe\u2066\u200b",
    "\u0455shd",
    "]]><x>&e;\ufffe",
    "](https://evil.example)<img src=x>`|",
    "me@evil.example @root",
    "$(touch /tmp/evil) `id`",
    "../../../tmp/evil",
    '"}],"status":"pass"',
    "\udcff\udcfe\udc80",
    "M\u00fcller",
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufffe]")
COMMANDS = re.compile(r"##(?:\[|vso\[|teamcity\[)|^\s*(?:::[a-z-]+.*::|/(?:approve|merge)|--- )|section_start:")
TAKEN_PYTHON = r"""#!/bin/sh
cat > /dev/null
printf '%s\n' '{"failed": true, "msg": "\u001b[2J\n::error::forged {{ 7*7 }} ##vso[x]\u202e \u009b31m"}'
printf '\n::error::forged behind the answer\n##vso[x]\n\033[2J\033]0;title\007\n'
"""


def planted(host: Inside) -> Iterator[Any]:
    for number, text in enumerate(WORST):
        raw = text.encode("utf-8", "surrogateescape")
        options = [
            "--name",
            raw[:15].hex(),
            "--banner",
            (raw + b"\r\n").hex(),
            "--rest",
            raw.decode("utf-8", "surrogateescape"),
        ]
        yield host.start(PYTHON, PLANTED_SOCKET, "0.0.0.0", str(FIRST_PORT + number), *options)


@pytest.fixture(scope="module")
def audit(fleet: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Output and run directory of an audit of the host with the planted processes, and of one that was taken."""
    folder = tmp_path_factory.mktemp("hostile")
    with inside("hostile1") as host, inside("dev1") as taken:
        started = list(planted(host))
        taken.script("/tmp/taken-python", TAKEN_PYTHON)
        more = folder / "taken.yml"
        interpreter = {"ansible_python_interpreter": "/tmp/taken-python"}
        more.write_text(yaml.safe_dump({"all": {"hosts": {"dev1": interpreter}}}), encoding="utf-8")
        try:
            for _try in range(300):
                listening = host.run("ss -H -n -l -t")
                if all(f":{FIRST_PORT + number} " in listening for number in range(len(WORST))):
                    break
                time.sleep(0.1)
            variables = {
                "audit_report_dir": str(folder / "reports"),
                "audit_scan_depth": "known",
                "audit_label": WORST[0],
                "vigil_vantages": [{"name": "office", "scanners": ["scan-office"]}],
            }
            arguments = ("-i", str(more), "--limit", "hostile1,dev1", "-vvv", "-e", json.dumps(variables))
            _status, output = playbook.run("vigil.ports.audit", *arguments)
        finally:
            for process in started:
                process.kill()
                process.wait()
            host.run("rm -f /tmp/taken-python")
        yield output, folder / "reports" / "latest"


def lines(output: str) -> list[str]:
    """The lines of the output but those in which Ansible itself, with -vvv, quotes what a connection said."""
    return [line for line in output.split("\n") if not re.match(r"<\d+\.|<dev1>|<hostile1>", line)]


def test_every_planted_process_is_found_and_nothing_ran(audit: tuple[str, Path]) -> None:
    output, run = audit
    assert (run / "results.json").exists(), output[-3000:]
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    found = {row["port"] for row in results["findings"] if row["rule"] == "undeclared-listener"}
    assert found >= {FIRST_PORT + number for number in range(len(WORST))}
    assert not Path("/tmp/evil").exists()
    assert any("{{ 7*7 }}" in row["message"] for row in results["findings"])
    [row] = [row for row in results["hosts"] if row["host"] == "dev1"]
    assert r"\x1b[2J\x0a::error::forged {{ 7*7 }} ##vso[x]\u202e \x9b31m" in row["message"]


def test_the_terminal_is_told_nothing_and_a_runner_finds_no_command(audit: tuple[str, Path]) -> None:
    shown = lines(audit[0])
    assert [line for line in shown if CONTROLS.search(line)] == []
    assert [line for line in shown if COMMANDS.search(line)] == []
    assert not re.search(r"\b49\b(?=.*undeclared)", "\n".join(shown))
    screen = pyte.Screen(max(map(len, shown)) + 1, len(shown) + 1)
    pyte.Stream(screen).feed("\r\n".join(shown))
    assert [line.rstrip() for line in screen.display][: len(shown)] == [line.rstrip() for line in shown]
    assert screen.title == ""


def test_no_file_of_the_run_holds_a_control_character(audit: tuple[str, Path]) -> None:
    for path in audit[1].resolve().rglob("*"):
        if path.is_file():
            assert not CONTROLS.search(path.read_text(encoding="utf-8")), path
