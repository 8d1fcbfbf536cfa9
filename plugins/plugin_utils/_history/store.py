# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database: opened by its URL, brought up to date, its errors said with a way out.

One writer at a time: SQLite by ``BEGIN IMMEDIATE``, PostgreSQL by an advisory lock. Each recording is one
transaction, so that a writer that is killed has written nothing. The password of the URL is in no
message. This module is private to the collection.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import tables
from .problem import BROKEN, ContentError, HistoryError
from .schema_version import bring_up_to_date

with contextlib.suppress(ImportError):  # tables.py holds the error
    import sqlalchemy as sa
    from sqlalchemy import event

#: Of ours in a database: pg_advisory_xact_lock(bigint). The letters "vigil".
_WRITER = 0x766967696C

_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgresql+psycopg": "postgresql+psycopg"}

#: What the driver says -> what to do about it.
_WAYS_OUT = (
    ("database is locked", "another process writes to it; look for one that hangs"),
    ("lock timeout", "another process writes to it; look for one that hangs"),
    ("disk is full", "make room; the run is recorded by the next one"),
    ("not a database", BROKEN),
    ("malformed", BROKEN),
    ("readonly", "let the user who audits write to it and to its folder"),
    ("unable to open", "let the user who audits write to it and to its folder"),
)
_OTHERWISE = {
    "sqlite": "see that the file can be read and written",
    "postgresql": "see that the server is up, and that the user of the URL may log in and make tables",
}
_CORRUPT = ("not a database", "malformed")


class History:
    """An open database. ``shown`` is its URL without the password. Methods raise HistoryError."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.shown = engine.url.render_as_string(hide_password=True)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction; nobody else writes meanwhile. It is whole, or, after an error, never was."""
        with self._named_errors(), self._engine.connect() as connection:
            connection = connection.execution_options(vigil_writes=True)
            with connection.begin():
                if self._engine.dialect.name == "postgresql":
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER})
                yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one moment of the database."""
        with self._named_errors(), self._engine.connect() as connection:
            if self._engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def close(self) -> None:
        self._engine.dispose()

    def error(self, what: str, way_out: str, *, corrupt: bool = False) -> HistoryError:
        """What is wrong with this database, and what to do."""
        return HistoryError(f"{self.shown}: {what}; {way_out}", corrupt=corrupt)

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except ContentError as error:
            raise self.error(str(error), BROKEN, corrupt=True) from None
        except sa.exc.SQLAlchemyError as error:
            raise _named(error, self._engine.url, self.shown) from None


@contextlib.contextmanager
def opened(url: str, report_dir: Path, patience: float = 60.0) -> Iterator[History]:
    """The database of ``url``, by default ``history.db`` in ``report_dir``, with all its tables.

    ``patience``: how many seconds to wait for other writers. Raises HistoryError.
    """
    if tables.SQLALCHEMY_IMPORT_ERROR is not None:
        raise HistoryError(
            "SQLAlchemy is not installed on the control node: pip install -r meta/ee-requirements.txt of the collection"
        )
    history = History(_engine(_url(url, report_dir), patience))
    try:
        bring_up_to_date(history)
        yield history
    finally:
        history.close()


def database_file(url: str, report_dir: Path) -> Path | None:
    """The file of an SQLite database; None for a server."""
    database = _url(url, report_dir)
    return Path(str(database.database)) if database.get_backend_name() == "sqlite" else None


def _url(given: str, report_dir: Path) -> sa.URL:
    if not given:
        return sa.URL.create("sqlite", database=str(report_dir / "history.db"))
    try:
        url = sa.make_url(given)
    except (sa.exc.ArgumentError, ValueError):  # its text would show the password
        url = None
    if url is None or url.drivername not in _DIALECTS:
        raise HistoryError(
            "audit_history_url: not a URL of a database that can be used; allowed are sqlite:////absolute/path.db and "
            "postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise HistoryError("audit_history_url: SQLite without a file forgets; give sqlite:////absolute/path.db")
    return url.set(drivername=_DIALECTS[url.drivername])


def _engine(url: sa.URL, patience: float) -> sa.Engine:
    options: dict[str, Any] = {"timeout": patience}
    if url.get_backend_name() == "postgresql":
        options = {} if "connect_timeout" in url.query else {"connect_timeout": max(2, round(min(patience, 10)))}
    else:
        _only_for_its_owner(Path(str(url.database)))
    try:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=options)
    except ImportError as error:
        shown = url.render_as_string(hide_password=True)
        raise HistoryError(f"{shown}: the driver is missing ({error}); pip install 'psycopg[binary]'") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "begin", lambda connection: _wait_no_longer(connection, patience))
    return engine


def _only_for_its_owner(file: Path) -> None:
    """Makes an empty database that nobody else can read; its journal takes the same mode from it."""
    with contextlib.suppress(OSError):  # SQLite says in its own words what is wrong
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    # IMMEDIATE takes the writers' lock at once: two that read first and write then would block each other.
    writes = connection.get_execution_options().get("vigil_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _wait_no_longer(connection: sa.Connection, patience: float) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(patience * 1000)}")


def _named(error: sa.exc.SQLAlchemyError, url: sa.URL, shown: str) -> HistoryError:
    text = " ".join(str(getattr(error, "orig", None) or error).split())[:500]
    if url.password:
        text = text.replace(str(url.password), "***")
    backend = url.get_backend_name()
    way_out = next((way for said, way in _WAYS_OUT if said in text), _OTHERWISE[backend])
    return HistoryError(f"{shown}: {text}; {way_out}", corrupt=any(said in text for said in _CORRUPT))
