# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each run saw, under digests of its content: written once, however often it is seen again.

A run has a tree: an object that names one for each group of hosts, and these name the state of each
host. This module is private to the collection.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from . import tables
from .problem import ContentError

with contextlib.suppress(ImportError):  # tables.py holds the error
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql, sqlite

#: SQLite takes 32,766 values in a statement, PostgreSQL 65,535.
CHUNK = 500

_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True).encode


def packed(value: Any) -> bytes:
    """A value as the database holds it. The same value gives the same bytes."""
    return zlib.compress(_encode(value).encode("ascii"), 1)


def unpacked(body: bytes) -> Any:
    """The value. Raises ContentError for bytes that are none."""
    try:
        return json.loads(zlib.decompress(body))
    except (zlib.error, ValueError) as error:
        raise ContentError(f"a value cannot be read ({error})") from error


def digest_of(value: Any) -> str:
    return hashlib.sha256(_encode(value).encode("ascii")).hexdigest()[:32]


def group_of(host: str) -> str:
    """Hosts are kept in 256 groups."""
    return hashlib.sha256(host.encode("utf-8", "surrogatepass")).hexdigest()[:2]


def kept_text(text: str | None) -> str | None:
    """Text as every database takes it: no NUL, no lone surrogates."""
    if text is None:
        return None
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


class Objects:
    """The objects of a database, within a transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.get = functools.lru_cache(maxsize=20_000)(self._get)

    def put(self, objects: Mapping[str, Any]) -> None:
        """Writes those that are not there. ``objects`` are values by their digests."""
        digests = list(objects)
        for start in range(0, len(digests), CHUNK):
            chunk = digests[start : start + CHUNK]
            there = sa.select(tables.OBJECTS.c.digest).where(tables.OBJECTS.c.digest.in_(chunk))
            known = set(self._connection.scalars(there))
            new = [{"digest": digest, "body": packed(objects[digest])} for digest in chunk if digest not in known]
            if new:
                self._connection.execute(sa.insert(tables.OBJECTS), new)

    def put_tree(self, states: Mapping[str, str]) -> str:
        """Writes the tree of a run, from the digest of each host's state; returns the tree's digest."""
        groups: dict[str, dict[str, str]] = {}
        for host, digest in states.items():
            groups.setdefault(group_of(host), {})[host] = digest
        named = {group: digest_of(members) for group, members in groups.items()}
        tree = digest_of(named)
        self.put({**{named[group]: members for group, members in groups.items()}, tree: named})
        return tree

    def state_of(self, tree: str, host: str) -> str | None:
        """The digest of a host's state in a run; None when the run had it not in scope."""
        group = self.get(tree).get(group_of(host))
        return None if group is None else self.get(group).get(host)

    def states(self, tree: str) -> dict[str, str]:
        """The digest of each host's state in a run."""
        return {host: digest for group in self.get(tree).values() for host, digest in self.get(group).items()}

    def _get(self, digest: str) -> Any:
        body = self._connection.scalar(sa.select(tables.OBJECTS.c.body).where(tables.OBJECTS.c.digest == digest))
        if body is None:
            raise ContentError(f"the object {digest} is missing")
        return unpacked(body)


def upsert(connection: sa.Connection, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows in the place of those with the same key."""
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name]
    statement = dialect.insert(table)
    key = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    values = list(rows)
    if values:
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=others), values)
