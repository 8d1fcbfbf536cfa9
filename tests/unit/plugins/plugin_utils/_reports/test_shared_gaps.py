# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What leaves a gap on most hosts is said once, first, and never in the place of what is wrong."""

from __future__ import annotations

from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.console import console_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
HOSTS = [f"web{number:02}" for number in range(12)]
LOST = "there is no python-nmap"


def audited(lost: int) -> Json:
    """Hosts with an undeclared listener each; of the first ``lost`` nothing was seen from outside."""
    hosts = [
        build.host_evidence(
            host=host,
            listening={
                **build.listening([build.listener(8000)]),
                "machine": build.machine(host, f"192.0.2.{number + 1}"),
            },
        )
        for number, host in enumerate(HOSTS)
    ]
    unseen = {"status": "failed", "reason": LOST, "states": []}
    targets = [build.target(host=host, **(unseen if number < lost else {})) for number, host in enumerate(HOSTS)]
    return build.audit(build.run(HOSTS), [(one.host, one) for one in hosts], [build.scan(targets)])


def console(results: Json) -> list[str]:
    return list(console_lines(Results.of(results), "x"))


def text(results: Json, name: str) -> str:
    return {name: b"".join(chunks).decode() for name, chunks in reports(Results.of(results))}[name]


def test_a_gap_of_all_hosts_is_one_line_before_the_findings() -> None:
    lines = console(audited(12))
    [number] = [number for number, line in enumerate(lines) if "Not assessed from internet: 12 of 12 hosts" in line]
    assert LOST in lines[number]
    assert "Remove the cause and run again" in lines[number]
    assert sum(LOST in line for line in lines) == 1
    findings = [line for line in lines if "undeclared-listener" in line]
    assert len(findings) == 10
    assert lines.index(findings[0]) > number


def test_every_report_begins_with_it() -> None:
    results = audited(12)
    for name, first in (("summary.md", "| severity |"), ("report.md", "## ")):
        report = text(results, name)
        assert 0 < report.index("Not assessed from `internet`: 12 of 12 hosts") < report.index(first)
    table = text(results, "summary.md").splitlines()
    assert [line.split("|")[1].strip() for line in table if line.startswith("| medium")] == ["medium"] * 12
    assert "".join(line[2] for line in table if line.startswith(("| medium", "| not"))) == "m" * 12 + "n" * 12


def test_the_gap_of_a_few_hosts_is_theirs() -> None:
    lines = console(audited(2))
    assert not any("of 12 hosts, for one" in line for line in lines)
    assert "of 12 hosts, for one" not in text(audited(2), "report.md")
