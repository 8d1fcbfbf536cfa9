# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases to record in: SQLite, and a real PostgreSQL on a socket of its own, started by a user who is not root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._history.estate import Estate

_SERVER_USER = "nobody"


def _programs() -> Path | None:
    """Where initdb and postgres are; Debian keeps them off the PATH."""
    found = list(Path("/usr/lib/postgresql").glob("*/bin"))
    where = shutil.which("initdb")
    if where:
        found.append(Path(where).parent)
    return max(found, default=None, key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0)


class Server:
    """A PostgreSQL that listens on a socket in its own folder, and nowhere else."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vigil-pg-"))
        self._programs = programs
        # PostgreSQL refuses to run as root.
        self._as_user = ("setpriv", "--reuid", _SERVER_USER, "--clear-groups") if os.geteuid() == 0 else ()
        if self._as_user:
            shutil.chown(self.folder, _SERVER_USER)
        self._databases = 0
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "audit", "-E", "UTF8", "-D", str(self.folder / "data"))
        self.start()

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self._ctl("start", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        self._ctl("stop", "-m", "immediate")

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"history{self._databases}"
        self._run("createdb", "-h", str(self.folder), "-U", "audit", name)
        return f"postgresql://audit:s3cr3t%21@/{name}?host={self.folder}"

    def _ctl(self, *words: str) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", *words)

    def _run(self, program: str, *words: str) -> None:
        command = (*self._as_user, str(self._programs / program), *words)
        done = subprocess.run(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed (tests/integration/packages.txt)", pytrace=False)
        pytest.skip("PostgreSQL is not installed (tests/integration/packages.txt)")
    up = Server(programs)
    yield up
    up.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def estate(request: pytest.FixtureRequest, tmp_path: Path) -> Estate:
    """A report directory and its database."""
    url = request.getfixturevalue("server").new_database() if request.param == "postgresql" else ""
    return Estate(tmp_path / "reports", url)


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Estate:
    return Estate(tmp_path / "reports", "")
