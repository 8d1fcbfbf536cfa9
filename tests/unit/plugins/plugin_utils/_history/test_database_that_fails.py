# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is wrong with the database, the audit completes, says so, and the run is recorded later."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._history import tables
from ansible_collections.vigil.ports.plugins.plugin_utils._history.problem import HistoryError
from ansible_collections.vigil.ports.plugins.plugin_utils._history.rebuild import rebuild
from ansible_collections.vigil.ports.plugins.plugin_utils._history.store import opened
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._history.estate import (
    Estate,
    changes_of,
    host,
    results_of,
    scanned,
)

SSH, WEB = build.listener(22), build.listener(8080)
OPEN = [scanned("web1", [22])]
PASSWORD = "s3cr3t"  # noqa: S105 - what must be seen nowhere


def audited_in_spite(estate: Estate, hour: float) -> tuple[RunDirectory, str]:
    """An audit of a database that fails: it is complete. The run, and all that was said of history."""
    run = estate.opened_run(hour, {"web1": host("web1", [SSH, WEB])}, OPEN)
    asked = estate.recall(run, patience=0.3)
    estate.sealed(run)
    told = estate.remember(run, patience=0.3)
    assert told.state == "not recorded"
    for path in run.path.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()
    said = " ".join((*asked.problems, *told.problems))
    assert PASSWORD not in said
    return run, said


def unavailable(run: RunDirectory, reason: str) -> None:
    """The reports say that nothing was compared, and why."""
    assert results_of(run)["changes"]["history"].startswith("unavailable: ")
    for name in ("report.md", "summary.md"):
        page = (run.path / name).read_text()
        assert "History is unavailable, so nothing is compared with earlier runs" in page
        assert reason in page


def made_good(estate: Estate, hour: float, late: int = 1) -> None:
    """The next audit compares with the run that was not recorded."""
    run = estate.audit(hour, {"web1": host("web1", [SSH])}, OPEN)
    assert ("web1", "closed", 8080) in changes_of(run)
    assert results_of(run)["changes"]["imported"] == late


def begun(estate: Estate) -> Path:
    estate.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    return estate.report_dir / "history.db"


def broken_at_the_start(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def broken_inside(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xee" * (len(content) - 4096)
    file.write_bytes(content)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize("damage", [broken_at_the_start, broken_inside, cut])
def test_a_broken_database_is_set_aside_and_made_anew(on_sqlite: Estate, damage: Callable[[Path], None]) -> None:
    file = begun(on_sqlite)
    before = on_sqlite.dump()
    damage(file)
    run, said = audited_in_spite(on_sqlite, 2)
    unavailable(run, "vigil.ports.history_rebuild")
    assert "vigil.ports.history_rebuild" in said
    rebuilt = rebuild("", on_sqlite.report_dir)
    assert (rebuilt.recorded, rebuilt.set_aside) == (2, file.with_name("history.db.broken-1"))
    assert file.with_name("history.db.broken-1").exists()
    with opened("", on_sqlite.report_dir) as history, history.writing() as connection:
        connection.execute(sa.delete(tables.RUNS).where(tables.RUNS.c.run_id == run.run_id))
    made_good(on_sqlite, 3)
    assert before["lives"][0]["first_seen"] == on_sqlite.dump()["lives"][0]["first_seen"]


def test_a_value_that_was_edited_is_said(on_sqlite: Estate) -> None:
    begun(on_sqlite)
    with opened("", on_sqlite.report_dir) as history, history.writing() as connection:
        connection.execute(sa.update(tables.BELIEFS).values(body=b"no value"))
    run = on_sqlite.opened_run(2, {"web1": host("web1", [SSH, WEB])}, OPEN)
    assert on_sqlite.recall(run).state == "unavailable"
    unavailable(on_sqlite.sealed(run), "a value cannot be read")


def test_a_locked_database_is_not_waited_for_for_ever(on_sqlite: Estate) -> None:
    other = sa.create_engine(f"sqlite:///{begun(on_sqlite)}", poolclass=sa.pool.NullPool)
    with other.connect() as connection:
        connection.connection.driver_connection.isolation_level = None  # type: ignore[union-attr]
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        run, said = audited_in_spite(on_sqlite, 2)
        unavailable(run, "database is locked")
        connection.exec_driver_sql("ROLLBACK")
    assert "another process writes to it" in said
    made_good(on_sqlite, 3)


def test_another_writer_that_hangs_is_not_waited_for_for_ever(server: Any, tmp_path: Path) -> None:
    estate = Estate(tmp_path / "reports", server.new_database())
    begun(estate)
    with opened(estate.url, estate.report_dir) as other, other.writing():
        _run, said = audited_in_spite(estate, 2)
    assert "lock timeout" in said
    made_good(estate, 3)


@pytest.mark.parametrize("estate", ["sqlite", "postgresql"], indirect=True)
def test_a_database_of_a_newer_version_is_left_alone(estate: Estate) -> None:
    begun(estate)
    with opened(estate.url, estate.report_dir) as history, history.writing() as connection:
        connection.exec_driver_sql("UPDATE vigil_version SET version_num = '9999'")
    run, said = audited_in_spite(estate, 2)
    unavailable(run, "made by a newer version of the collection")
    with pytest.raises(HistoryError, match="newer version"):
        rebuild(estate.url, estate.report_dir)
    assert "9999" in said


def test_a_server_that_is_down_is_said_and_the_run_is_recorded_when_it_is_up(server: Any, tmp_path: Path) -> None:
    estate = Estate(tmp_path / "reports", server.new_database())
    begun(estate)
    server.stop()
    try:
        run, said = audited_in_spite(estate, 2)
        third, _said = audited_in_spite(estate, 3)
    finally:
        server.start()
    unavailable(run, "see that the server is up")
    assert results_of(third)["changes"]["unrecorded"] == 1
    assert "audit:***@" in said
    made_good(estate, 4, late=2)


def test_a_server_that_goes_down_between_both_steps_costs_nothing(server: Any, tmp_path: Path) -> None:
    estate = Estate(tmp_path / "reports", server.new_database())
    begun(estate)
    run = estate.opened_run(2, {"web1": host("web1", [SSH, WEB])}, OPEN)
    assert estate.recall(run).state == "ok"
    server.stop()
    try:
        assert estate.remember(estate.sealed(run), patience=0.3).state == "not recorded"
    finally:
        server.start()
    made_good(estate, 3)


_ON_A_FULL_DISK = """
import subprocess, sys
from pathlib import Path
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._history.stages import remember
from ansible_collections.vigil.ports.plugins.plugin_utils._history.store import opened
run, place = RunDirectory(Path(sys.argv[1])), sys.argv[2]
subprocess.run(("mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", place), check=True)
url = f"sqlite:///{place}/history.db"
with opened(url, Path(place)):
    pass
for room in (0, 16384):
    filler = Path(place, "filler")
    with filler.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)): pass
        except OSError:
            pass
    with filler.open("rb+") as stream:
        stream.truncate(filler.stat().st_size - room)
    print(remember(run, url, keep_days=1, patience=1))
    filler.unlink()
print(remember(run, url, keep_days=1))
"""


def test_a_full_disk_is_said_and_leaves_the_database_as_it_was(on_sqlite: Estate, tmp_path: Path) -> None:
    hosts = {f"web{number}": host(f"web{number}", [SSH, WEB]) for number in range(30)}
    run = on_sqlite.sealed(on_sqlite.opened_run(1, hosts))
    place = tmp_path / "full"
    place.mkdir()
    namespaces = ("--mount",) if os.geteuid() == 0 else ("--mount", "--user", "--map-root-user")
    command = ("unshare", *namespaces, sys.executable, "-c", _ON_A_FULL_DISK, str(run.path), str(place))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert [line.split("'")[1] for line in lines] == ["not recorded", "not recorded", "recorded"], done.stderr
    assert "disk is full; make room" in lines[0]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql://audit:{PASSWORD}@host:port/x", "not a URL of a database"),
        (f"mysql://audit:{PASSWORD}@host/x", "not a URL of a database"),
        (f"{PASSWORD} is no URL", "not a URL of a database"),
        ("sqlite://", "SQLite without a file forgets"),
        ("sqlite:////no/such/folder/history.db", "unable to open"),
        (f"postgresql://audit:{PASSWORD}@/x?host=/no/such/folder", "see that the server is up"),
    ],
)
def test_a_url_that_leads_nowhere_is_said_without_its_password(tmp_path: Path, url: str, said: str) -> None:
    run, told = audited_in_spite(Estate(tmp_path / "reports", url), 1)
    unavailable(run, "audit_history_url" if "URL" in said or "SQLite" in said else said)
    assert said in told


def test_without_sqlalchemy_the_audit_goes_on(on_sqlite: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(on_sqlite)
    with monkeypatch.context() as missing:
        missing.setattr(tables, "SQLALCHEMY_IMPORT_ERROR", ImportError("no module"))
        run, said = audited_in_spite(on_sqlite, 2)
    unavailable(run, "SQLAlchemy is not installed")
    assert "ee-requirements.txt" in said
    made_good(on_sqlite, 3)


def test_a_run_that_cannot_be_read_is_said_and_does_not_stop_the_others(on_sqlite: Estate) -> None:
    lost = on_sqlite.audit(1, {"web1": host("web1", [SSH])}, OPEN)
    on_sqlite.audit(2, {"web1": host("web1", [SSH])}, OPEN)
    (on_sqlite.report_dir / "history.db").unlink()
    lost.results.write_bytes(lost.results.read_bytes()[:-5])
    rebuilt = rebuild("", on_sqlite.report_dir)
    assert rebuilt.recorded == 1
    assert [str(lost.results) in problem for problem in rebuilt.problems] == [True]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://audit:one/s3cr3t@127.0.0.1:1/vigil",
        "postgresql://audit:one?s3cr3t@127.0.0.1:1/vigil",
        "postgresql://audit:one#s3cr3t@127.0.0.1:1/vigil",
        "postgresql://audit:one@s3cr3t@127.0.0.1:1/vigil",
        "postgresql://audit:one@s3cr3t/two@127.0.0.1:1/vigil",
        "postgresql://audit:one:s3cr3t@127.0.0.1:1/vigil",
        "postgresql://audit:s3cr3t%2Ftwo@127.0.0.1:1/vigil",
        "postgresql://audit@127.0.0.1:1/vigil?password=s3cr3t",
        "postgresql://audit@127.0.0.1:1/vigil?sslpassword=s3cr3t&application_name=a",
        "postgresql://audit:x@127.0.0.1:s3cr3t/vigil",
        "mysql://audit:s3cr3t@127.0.0.1/vigil",
        "s3cr3t",
    ],
)
def test_no_part_of_a_password_is_in_an_error_whatever_it_holds(url: str, tmp_path: Path) -> None:
    with pytest.raises(HistoryError) as raised, opened(url, tmp_path, patience=2):
        pass
    assert "s3cr3t" not in str(raised.value)
    assert "two" not in str(raised.value)
