# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``evidence/history.json``: what history knew before a run. One JSON document with a line for each host.

It is evidence, so that what changed can be computed again without the database. This module is private
to the collection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .atomic import written_whole
from .run_directory import EvidenceError

HISTORY_SHAPE = "vigil.ports/evidence/history/1"
_HOSTS, _END = b'"hosts":[\n', b"]}\n"
_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True).encode

Row = Mapping[str, Any]


def write_history(path: Path, head: Row, hosts: Iterable[Row]) -> None:
    """The document, whole or not at all. ``hosts`` are in the order of the run's."""
    with written_whole(path) as stream:
        stream.write(_encode({**head, "shape": HISTORY_SHAPE}).encode("ascii")[:-1] + b",\n")
        stream.write(_HOSTS)
        comma = b""
        for host in hosts:
            stream.write(comma + _encode(host).encode("ascii"))
            comma = b",\n"
        stream.write((b"\n" if comma else b"") + _END)


class HistoryBefore:
    """The document read once from its start to its end: hosts are asked for in the order of the run's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = _lines(path)
        self.head: Row = next(self._lines)
        self._next = next(self._lines, None)

    def of(self, host: str) -> Row | None:
        """What was believed of a host; None when no run had looked at it."""
        row = self._next
        if row is None or row["host"] != host:
            return None
        self._next = next(self._lines, None)
        return row

    def finish(self) -> None:
        """Raises EvidenceError when hosts are left that nobody asked for: the file is of another run."""
        if self._next is not None:
            raise EvidenceError(f"{self._path}: holds hosts that the run has not, or in another order; it was edited")


def read_history(path: Path) -> HistoryBefore | None:
    """What history knew before a run; None for a run that did not ask. Raises EvidenceError for what is broken."""
    return HistoryBefore(path) if path.exists() else None


def open_outside(path: Path) -> Iterator[tuple[str, int]] | None:
    """Protocols and ports that were open from some vantage point when last asked; None where history has no answer.

    Raises EvidenceError for what is broken.
    """
    lines = _lines(path) if path.exists() else iter(())
    head = next(lines, None)
    if head is None or head["state"] != "ok":
        return None
    endpoints = (one for host in lines for one in host["now"]["endpoints"])
    return ((one["protocol"], one["port"]) for one in endpoints if one["open"] and one["vantage"] is not None)


def _lines(path: Path) -> Iterator[Row]:
    """What stands before the hosts, then each host."""
    try:
        with path.open("rb") as stream:
            head = json.loads(stream.readline().rstrip(b",\n") + b"}")
            if not isinstance(head, dict) or head.get("shape") != HISTORY_SHAPE or stream.readline() != _HOSTS:
                raise EvidenceError(f"{path}: not evidence of the shape {HISTORY_SHAPE}; written by another version")
            yield head
            for line in stream:
                if line == _END:
                    return
                yield json.loads(line.rstrip(b",\n"))
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{path}: not JSON ({error}); it was cut or edited, so this run cannot be used") from error
    raise EvidenceError(f"{path}: it has no end; it was cut, so this run cannot be used")
