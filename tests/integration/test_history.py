# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A port of the fleet lives: it opens, is excepted, the exception ends, it closes; its host disappears and returns."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fleet import playbook

pytestmark = pytest.mark.usefixtures("fleet")
Json = dict[str, Any]

PORT = 18099
ONE_VANTAGE = [{"name": "office", "scanners": ["scan-office"]}]
KNOWN: Json = {"audit_scan_depth": "known", "audit_scan_versions": False, "vigil_vantages": ONE_VANTAGE}
_LISTEN = (
    "import socket, sys, time; made = socket.socket(); made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);"
    f" made.bind(('0.0.0.0', {PORT})); made.listen(); print('up', flush=True); sys.stdin.read()"
)
EXCUSE = {
    "port": PORT,
    "reason": "Until the cut-over",
    "owner": "web-team",
    "approved_by": "netsec",
    "expires": f"{dt.datetime.now(dt.UTC).date() + dt.timedelta(1)}",
}
EXPIRED = {**EXCUSE, "expires": f"{dt.datetime.now(dt.UTC).date() - dt.timedelta(1)}"}


class Opened:
    """A port that is open on web1 for the time of the block."""

    def __enter__(self) -> None:
        command = ("ssh", "-F", str(playbook.STATE / "ssh_config"), "root@web1", f'/usr/bin/python3 -c "{_LISTEN}"')
        self._held = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._held.stdout is not None
        assert self._held.stdout.readline() == "up\n"

    def __exit__(self, *_error: object) -> None:
        self._held.communicate()


def audit(report_dir: Path, *arguments: str, **more: Any) -> tuple[Json, str]:
    """Results and output of an audit of web1."""
    variables = {**KNOWN, "audit_report_dir": str(report_dir), "audit_hosts": "web1", **more}
    before = set(report_dir.glob("2*"))
    _status, output = playbook.run("vigil.ports.audit", "-e", json.dumps(variables), *arguments)
    [run] = set(report_dir.glob("2*")) - before
    results: Json = json.loads((run / "results.json").read_text(encoding="utf-8"))
    results["report"] = (run / "report.md").read_text(encoding="utf-8")
    return results, output


def changed(results: Json) -> set[tuple[str, str]]:
    return {
        (row["kind"], row["rule"] or f"{row['protocol']}/{row['port']}") for row in results["changes"]["since_last"]
    }


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("history")


def test_a_port_lives_and_history_tells_its_life(reports: Path) -> None:
    first, _output = audit(reports)
    assert first["changes"]["history"] == "first run"
    with Opened():
        second, output = audit(reports)
        assert {("opened", f"tcp/{PORT}"), ("finding-opened", "undeclared-listener")} <= changed(second)
        assert "since the last run: finding-opened" in output
        assert f"| opened | `web1` | `tcp/{PORT}` |" in second["report"]
        excepted, _output = audit(reports, vigil_exceptions__test=[EXCUSE])
        assert ("finding-excepted", "undeclared-listener") in changed(excepted)
        assert not any(kind in ("opened", "closed") for kind, _what in changed(excepted))
        expired, _output = audit(reports, vigil_exceptions__test=[EXPIRED])
        assert {("finding-reopened", "undeclared-listener"), ("finding-opened", "exception-expired")} <= changed(
            expired
        )
        [open_one] = [
            row for row in expired["findings"] if row["rule"] == "undeclared-listener" and row["status"] == "fail"
        ]
        assert open_one["open_since"] == second["run"]["started"]
    lost, _output = audit(reports, ansible_host="198.18.0.66", audit_scan_timeout=20)
    assert ("finding-opened", "not-assessed") in changed(lost)
    assert ("closed", f"tcp/{PORT}") not in changed(lost)
    assert ("finding-resolved", "undeclared-listener") not in changed(lost)
    back, _output = audit(reports)
    gone = {
        ("closed", f"tcp/{PORT}"),
        ("finding-resolved", "undeclared-listener"),
        ("finding-resolved", "not-assessed"),
    }
    assert gone <= changed(back)
    green, _output = audit(reports)
    assert changed(green) == set()
    assert green["report"].count("| passed |") + green["report"].count("| failed |") == 7
    _status, output = playbook.run("vigil.ports.timeline", "-e", f"audit_report_dir={reports} host=web1 port={PORT}")
    assert life_of("  tcp/", output) == ["opened", "closed"], output
    life = ["finding-opened", "finding-excepted", "finding-reopened", "finding-resolved"]
    assert life_of("  undeclared-listener", output) == life, output
    assert life_of("  undeclared-exposure", output) == life, output


def life_of(subject: str, output: str) -> list[str]:
    """The kinds of events below the first line that begins with the subject."""
    lines = iter(output.splitlines())
    next(line for line in lines if line.startswith(subject))
    events = itertools.takewhile(lambda line: line.startswith("    "), lines)
    return [line.split()[1] for line in events if line.startswith("    2")]


def test_a_lost_database_is_made_again_from_the_runs(reports: Path) -> None:
    arguments = ("-e", f"audit_report_dir={reports} host=web1 port={PORT}")
    _status, before = playbook.run("vigil.ports.timeline", *arguments)
    (reports / "history.db").unlink()
    status, output = playbook.run("vigil.ports.history_rebuild", *arguments)
    assert (status, "7 runs were recorded" in output) == (0, True), output
    _status, after = playbook.run("vigil.ports.timeline", *arguments)
    assert [line for line in after.splitlines() if line.startswith("  ")] == [
        line for line in before.splitlines() if line.startswith("  ")
    ]


def test_an_audit_with_a_broken_database_completes_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_text("no database", encoding="utf-8")
    results, output = audit(tmp_path)
    assert results["changes"]["history"].startswith("unavailable")
    assert "history is unavailable" in " ".join(output.split())
    assert results["gate"]["passed"] is True


def test_check_mode_records_nothing(tmp_path: Path) -> None:
    audit(tmp_path, "--check")
    database = sqlite3.connect(tmp_path / "history.db")
    assert database.execute("SELECT count(*) FROM vigil_runs").fetchone() == (0,)
    database.close()
