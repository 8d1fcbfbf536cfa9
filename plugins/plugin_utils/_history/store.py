# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database: opened by its URL, brought up to date, its errors said with a way out.

One writer at a time: SQLite by ``BEGIN IMMEDIATE``, PostgreSQL by an advisory lock. Each recording is one
transaction, so that a writer that is killed has written nothing. Of the URL only the user, the host and the
name of the database are in a message, and only of one that can be read in one way. This module is private to the
collection.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from .._evidence.lock_file import open_plain
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
    """An open database. ``shown`` is what messages say of its URL. Methods raise HistoryError."""

    def __init__(self, engine: sa.Engine, given: str) -> None:
        self._engine, self._given = engine, given
        self.shown = _shown(engine.url, given)

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
            raise _named(error, self._engine.url, self._given) from None


@contextlib.contextmanager
def opened(url: str, report_dir: Path, patience: float = 60.0) -> Iterator[History]:
    """The database of ``url``, by default ``history.db`` in ``report_dir``, with all its tables.

    ``patience``: how many seconds to wait for other writers. Raises HistoryError.
    """
    if tables.SQLALCHEMY_IMPORT_ERROR is not None:
        raise HistoryError(
            "SQLAlchemy is not installed on the control node: pip install -r meta/ee-requirements.txt of the collection"
        )
    history = History(_engine(_url(url, report_dir), url, patience), url)
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


def _engine(url: sa.URL, given: str, patience: float) -> sa.Engine:
    options: dict[str, Any] = {"timeout": patience}
    if url.get_backend_name() == "postgresql":
        options = {} if "connect_timeout" in url.query else {"connect_timeout": max(2, round(min(patience, 10)))}
    else:
        _only_for_its_owner(Path(str(url.database)))
    try:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=options)
    except ImportError as error:
        raise HistoryError(
            f"{_shown(url, given)}: the driver is missing ({error}); pip install 'psycopg[binary]'"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "begin", lambda connection: _wait_no_longer(connection, patience))
    return engine


def _only_for_its_owner(file: Path) -> None:
    """Makes an empty database that nobody else can read; its journal takes the same mode from it."""
    for name in (f"{file.name}{suffix}" for suffix in ("", "-journal", "-wal", "-shm")):
        if file.with_name(name).is_symlink():  # SQLite would follow it, and write to what it leads to
            raise HistoryError(
                f"{file.with_name(name)}: a link, which is not followed; see who put it there, and name the file itself"
            )
    with contextlib.suppress(OSError):  # SQLite says in its own words what is wrong
        os.close(open_plain(file, os.O_RDWR | os.O_CREAT))


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    # IMMEDIATE takes the writers' lock at once: two that read first and write then would block each other.
    writes = connection.get_execution_options().get("vigil_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _wait_no_longer(connection: sa.Connection, patience: float) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(patience * 1000)}")


def _named(error: sa.exc.SQLAlchemyError, url: sa.URL, given: str) -> HistoryError:
    text = " ".join(str(getattr(error, "orig", None) or error).split())[:500]
    backend = url.get_backend_name()
    way_out = next((way for said, way in _WAYS_OUT if said in text), _OTHERWISE[backend])
    corrupt = any(said in text for said in _CORRUPT)
    if backend != "sqlite" and _tells_a_secret(text, url, given):
        text = "the driver refused it, in words that hold a part of the URL and are not shown"
    return HistoryError(f"{_shown(url, given)}: {text}; {way_out}", corrupt=corrupt)


def _shown(url: sa.URL, given: str) -> str:
    """The URL without its password and without its query, which may hold one; of SQLite the file.

    Where the password holds what separates the parts of a URL, a part that is taken for the host may be the password's:
    then nothing of it is shown.
    """
    if url.get_backend_name() == "sqlite":
        return url.render_as_string(hide_password=True)
    if not _is_plain(given):
        return f"{url.get_backend_name()}: the database of audit_history_url"
    return url.set(query={}).render_as_string(hide_password=True)


#: A URL that can be read in one way: no part of the login holds a separator.
_PLAIN_URL = re.compile(
    r"[\w+]+://(?:[\w.%~-]*(?::[^\s@/?#:]*)?@)?(?:[\w.,-]|:\d|\[[0-9a-fA-F:]+\])*(?:/[\w.~-]*)?(?:\?[^@#]*)?"
)


def _is_plain(given: str) -> bool:
    return _PLAIN_URL.fullmatch(given) is not None


def _tells_a_secret(text: str, url: sa.URL, given: str) -> bool:
    """Whether the words of a driver hold a part of a secret of the URL, as it is or as URLs write it."""
    known = {url.username, url.host, url.database, url.drivername, str(url.port), "postgresql", "psycopg"}
    if _is_plain(given):
        parts = {str(url.password or ""), *(str(value) for value in url.query.values())}
    else:
        parts = set(re.split(r"[^\w.~-]+", given)) - {name for name in known if name and len(name) < _SHORT}
    spelled = {way(part) for part in parts for way in (str, unquote, unquote_plus, quote, quote_plus)}
    return any(part in text for part in spelled if len(part) >= _SHORT or part == url.password)


#: Shorter parts are in any sentence.
_SHORT = 4
