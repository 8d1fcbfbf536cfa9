# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that really has thousands of listeners: the others get their verdicts, and it gets its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.audits import Audit, Auditing
from faults.inside import inside
from lxml import etree

Json = dict[str, Any]

FIRST, NUMBER = 10_000, 11_000
#: What is asked of a host for its own claims (docs/scaling.md).
ASKED = 10_000

LISTENS = f"""
import resource, signal, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
held = [socket.create_server(("0.0.0.0", port)) for port in range({FIRST}, {FIRST + NUMBER})]
open("/run/fleet/many", "w").close()
signal.pause()
"""


@pytest.fixture(scope="module")
def audited(fleet: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    with inside("web1") as web1:
        program = web1.start("/usr/bin/python3", web1.script("/run/fleet/python3-many", LISTENS))
        try:
            web1.run("until test -e /run/fleet/many; do sleep 0.05; done; rm /run/fleet/many")
            paced = {"audit_scan_rate": 20_000, "audit_scan_target_rate": 10_000}
            yield Auditing(tmp_path_factory.mktemp("many"))("web1,cache1", **paced)
        finally:
            web1.run("pkill -f '[-]many'")
            program.wait(10)


def read(audited: Audit, name: str) -> Json:
    found: Json = json.loads((audited.run / name).read_text(encoding="utf-8"))
    return found


def test_each_listener_is_found_and_each_port_asked_for_is_said_to_be_open(audited: Audit) -> None:
    failed = [row for row in audited.results()["findings"] if row["host"] == "web1" and row["status"] == "fail"]
    of_rule = {rule: {row["port"] for row in failed if row["rule"] == rule} for rule in {row["rule"] for row in failed}}
    assert of_rule["undeclared-listener"] == set(range(FIRST, FIRST + NUMBER))
    assert "undeclared-exposure" in of_rule, [row["gap"] for row in audited.results()["findings"] if row["gap"]]
    assert len(of_rule["undeclared-exposure"]) >= ASKED - 100
    assert of_rule["undeclared-exposure"] <= of_rule["undeclared-listener"]


def test_what_was_not_asked_for_is_a_gap_of_that_host_alone(audited: Audit) -> None:
    untold = [row for row in audited.results()["findings"] if row["status"] == "not_assessed"]
    assert {row["host"] for row in untold} == {"web1"}, [row["message"] for row in untold]
    assert any(row["gap"].startswith("web1:scan-partial@office") for row in untold)


def test_the_other_host_is_asked_for_none_of_them_and_passes(audited: Audit) -> None:
    scan = read(audited, "evidence/scans/office.json")
    (target,) = [one for share in scan["shares"] for one in share["targets"] if one["host"] == "cache1"]
    asked = {int(port) for row in target["states"] for part in row["ports"].split(",") for port in part.split("-")}
    assert not asked & set(range(FIRST, FIRST + NUMBER))
    assert not [row for row in audited.results()["findings"] if row["host"] == "cache1" and row["breaks_gate"]]


def test_the_reports_can_be_read(audited: Audit) -> None:
    sizes = {path.name: path.stat().st_size for path in Path(audited.run).glob("*.*")}
    assert sizes["summary.md"] < 60_000
    suites = etree.parse(str(audited.run / "junit.xml"), etree.XMLParser(huge_tree=True)).getroot()
    assert {suite.get("hostname") for suite in suites} >= {"web1", "cache1"}
    assert max(len(etree.tostring(suite)) for suite in suites) < 30_000_000  # what GitLab takes
    assert len(audited.output) < 100_000
