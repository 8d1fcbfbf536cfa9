# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``results.json``: one JSON document that can be written and read host by host, however many there are.

Each host and each finding stands on a line of its own, and so does everything else before them. The
findings that people read about come first. This module is private to the collection.
"""

from __future__ import annotations

import functools
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .atomic import named_in_errors, written_whole
from .kept import EvidenceError
from .run_directory import RESULTS_SHAPE
from .shape import head_problem, row_keys

Row = Mapping[str, Any]

_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_AGAIN = "it was cut or edited: run vigil.ports.audit on the run directory again"
_ROW_END = ",\n"
_READ_AT_ONCE = 1 << 15  # bytes; more of them fall out of the cache of the processor
_HOSTS, _FINDINGS, _END = b'"hosts":[\n', b'],\n"findings":[\n', b"]}\n"


def is_notable(finding: Row) -> bool:
    """True for the findings that stand first in the file."""
    return finding["status"] != "pass" or finding["exception"] is not None


class Results(Mapping[str, Any]):
    """The results of a run, as ``schemas/results.schema.json`` describes them.

    ``["hosts"]`` and ``["findings"]`` can be gone through as often as needed, but not indexed: of a large
    run they are read from the file each time. ``host_names`` are the names of the hosts, in the same order.
    """

    def __init__(self, head: Row, hosts: Iterable[Row], findings: Iterable[Row], host_names: Sequence[str]) -> None:
        self._parts = {**head, "hosts": hosts, "findings": findings}
        self.host_names = host_names

    @classmethod
    def of(cls, value: Row) -> Results:
        """Results that are in memory as a whole."""
        head = {key: part for key, part in value.items() if key not in ("hosts", "findings")}
        return cls(head, value["hosts"], value["findings"], [row["host"] for row in value["hosts"]])

    def __getitem__(self, key: str) -> Any:
        return self._parts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    @functools.cached_property
    def notable(self) -> list[Row]:
        """The findings that people read about: those that did not pass, and exceptions in force."""
        return list(itertools.takewhile(is_notable, self["findings"]))

    def passed(self) -> Iterator[Row]:
        """The other findings, in the order of their hosts."""
        return itertools.dropwhile(is_notable, self["findings"])


class ResultsWriter:
    """Takes hosts with their findings one after the other, then writes the document as a whole.

    ``check`` looks at it before it takes its place, as in ``written_whole``.
    """

    def __init__(self, path: Path, check: Callable[[Path], None] | None = None) -> None:
        self._path = path
        self._check = check
        with named_in_errors(path):
            self._hosts, self._notable, self._passed = (_Spool(path.parent) for _part in range(3))

    def add(self, host: Row | None, findings: Iterable[Row]) -> None:
        """A host (None: what concerns the run) with its findings."""
        with named_in_errors(self._path):
            if host is not None:
                self._hosts.add(host)
            for finding in findings:
                (self._notable if is_notable(finding) else self._passed).add(finding)

    def close(self) -> None:
        """Lets go of what was not finished. Does nothing after ``finish``."""
        with named_in_errors(self._path):
            for spool in (self._hosts, self._notable, self._passed):
                spool.close()

    def finish(self, head: Row) -> None:
        """Writes ``results.json``; it is there whole or not at all. Raises OSError as the file system does."""
        with written_whole(self._path, self._check) as stream:
            stream.write(_encode({key: head[key] for key in sorted(head)}).encode("ascii")[:-1] + b",\n")
            stream.write(_HOSTS)
            self._hosts.pour(stream, more=False)
            stream.write(_FINDINGS)
            self._notable.pour(stream, more=not self._passed.is_empty)
            self._passed.pour(stream, more=False)
            stream.write(_END)


class _Spool:
    """Lines of JSON with commas between them, kept in a file without a name until they are needed."""

    def __init__(self, directory: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed when poured
        self.is_empty = True

    def add(self, row: Row) -> None:
        self._file.write((b"" if self.is_empty else b",\n") + _encode(row).encode("ascii"))
        self.is_empty = False

    def close(self) -> None:
        self._file.close()

    def pour(self, into: IO[bytes], *, more: bool) -> None:
        self._file.seek(0)
        shutil.copyfileobj(self._file, into, 1 << 20)
        self.close()
        into.write(b"" if self.is_empty else b",\n" if more else b"\n")


class _Section:
    """The lines of one part of the file, read anew each time. Raises EvidenceError for a line that is no row, and at
    the end for rows that are more or fewer than ``count``."""

    def __init__(self, path: Path, start: int, count: int, keys: frozenset[str]) -> None:
        self._path, self._start, self._count, self._keys = path, start, count, keys

    def __iter__(self) -> Iterator[Row]:
        seen = 0
        with self._path.open("rb") as stream:
            stream.seek(self._start)
            while lines := stream.readlines(_READ_AT_ONCE):
                end = next((place for place, line in enumerate(lines) if line.startswith(b"]")), None)
                rows = self._rows(lines[:end])
                seen += len(rows)
                yield from rows
                if end is not None:
                    break
        if seen != self._count:
            raise EvidenceError(f"{self._path}: {seen} rows of {self._count}; {_AGAIN}")

    def _rows(self, lines: Sequence[bytes]) -> list[Row]:
        """Many lines together, which takes a third of the time; one by one where that does not come out even."""
        try:
            rows: list[Row] = json.loads(f"[{b''.join(lines).decode('ascii').rstrip(_ROW_END)}]")
        except (ValueError, RecursionError):
            rows = []
        if len(rows) != len(lines):
            rows = [self._row(line) for line in lines]
        if not all(isinstance(row, dict) and row.keys() >= self._keys for row in rows):
            raise EvidenceError(f"{self._path}: a row has not the keys of its kind; {_AGAIN}")
        return rows

    def _row(self, line: bytes) -> Row:
        try:
            row: Row = json.loads(line.rstrip(b",\n"))
        except (ValueError, RecursionError) as error:
            raise EvidenceError(f"{self._path}: a row cannot be read ({error}); {_AGAIN}") from error
        return row


def read_results(path: Path) -> Results:
    """The results in a file. Raises EvidenceError for what is missing, cut, or of another version."""
    try:
        with path.open("rb") as stream:
            head = json.loads(stream.readline().rstrip(b",\n") + b"}")
            begins_well = isinstance(head, dict) and head.get("shape") == RESULTS_SHAPE and stream.readline() == _HOSTS
            start = stream.tell()
            for line in stream:
                if line == _FINDINGS[:3]:
                    break
            findings = stream.tell() + len(_FINDINGS) - 3
            stream.seek(-len(_END), 2)
            ends_well = stream.read() == _END
    except FileNotFoundError:
        raise EvidenceError(f"{path}: no such file; run vigil.ports.audit on the run directory first") from None
    except (ValueError, RecursionError, OSError) as error:
        raise EvidenceError(f"{path}: cannot be read ({error}); {_AGAIN}") from error
    if not begins_well or not ends_well:
        raise EvidenceError(
            f"{path}: not results of the shape {RESULTS_SHAPE}: cut, or written by another version; {_AGAIN}"
        )
    problem = head_problem(head)
    if problem is not None:
        raise EvidenceError(f"{path}: {problem}; {_AGAIN}")
    in_scope, found = head["coverage"]["hosts"]["in_scope"], sum(head["counts"]["status"].values())
    return Results(
        head,
        _Section(path, start, in_scope, row_keys("host")),
        _Section(path, findings, found, row_keys("finding")),
        head["run"]["hosts"],
    )
