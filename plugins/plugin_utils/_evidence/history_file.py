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
from .kept import EvidenceError

HISTORY_SHAPE = "vigil.ports/evidence/history/1"
_HOSTS, _END = b'"hosts":[\n', b"]}\n"
_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True).encode

Row = Mapping[str, Any]


class HistoryEvidenceError(EvidenceError):
    """It cannot be read. That is of the whole run, and not of the host that was being judged."""


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
        """Raises HistoryEvidenceError when hosts are left that nobody asked for: the file is of another run."""
        if self._next is not None:
            raise HistoryEvidenceError(
                f"{self._path}: holds hosts that the run has not, or in another order; it was edited"
            )


def read_history(path: Path) -> HistoryBefore | None:
    """What history knew before a run; None for a run that did not ask. Raises EvidenceError for what is broken."""
    return HistoryBefore(path) if path.exists() else None


def open_outside(path: Path) -> Iterator[tuple[str, str, int]] | None:
    """Hosts, protocols and ports that were open from outside when last asked; None where history has no answer.

    Raises EvidenceError for what is broken.
    """
    lines = _lines(path) if path.exists() else iter(())
    head = next(lines, None)
    if head is None or head["state"] != "ok":
        return None
    endpoints = ((host["host"], one) for host in lines for one in host["now"]["endpoints"])
    return (
        (host, one["protocol"], one["port"]) for host, one in endpoints if one["open"] and one["vantage"] is not None
    )


def resolved_findings(path: Path) -> Iterator[tuple[str, str]]:
    """Ids of findings that were resolved when history was asked, and since when: the start of the run that looked.

    Raises EvidenceError for what is broken.
    """
    lines = _lines(path) if path.exists() else iter(())
    next(lines, None)
    for host in lines:
        yield from ((one["id"], one["since"]) for one in host["now"]["findings"] if one["status"] == "resolved")


#: Keys that earlier versions did not write.
_SINCE_0_3 = frozenset(("executable", "file"))

#: What each part has, as ``schemas/evidence.schema.json`` says. Of a large run there are a million parts.
_HEAD = {"state": str, "message": str | None, "last": dict | None, "green": dict | None, "trend": list}
_COUNTS = {"imported": int, "unrecorded": int}
_HOST = {"host": str, "last": str, "green": str | None, "now": dict, "at_green": dict | None}
_BELIEF = {"first_seen": str, "endpoints": list, "findings": list}
_PLACE = {"vantage": str | None, "namespace": str, "protocol": str, "address": str, "port": int}
_TEXTS = dict.fromkeys(("process", "user", "unit", "version"), str | None)
_ENDPOINT = {
    **_PLACE,
    **_TEXTS,
    **dict.fromkeys(_SINCE_0_3, str | None),
    "declared": bool | None,
    "ephemeral": bool,
    "open": bool,
    "first_seen": str,
    "since": str,
}
_SUBJECT = {
    **_PLACE,
    **dict.fromkeys(("namespace", "protocol", "address", "owner"), str | None),
    "port": int | str | None,
}
_TIMES = dict.fromkeys(("first_seen", "open_since", "since"), str)
_FINDING = {"id": str, "rule": str, "status": str, "severity": str, **_SUBJECT, **_TIMES}


def _is(row: object, keys: Mapping[str, Any]) -> bool:
    if not isinstance(row, dict):
        return False
    return all(isinstance(row.get(key, None if key in _SINCE_0_3 else ...), kind) for key, kind in keys.items())


def _is_host(row: Any) -> bool:
    return _is(row, _HOST) and _is_belief(row["now"]) and (row["at_green"] is None or _is_belief(row["at_green"]))


def _is_belief(row: Any) -> bool:
    return (
        _is(row, _BELIEF)
        and all(_is(one, _ENDPOINT) for one in row["endpoints"])
        and all(_is(one, _FINDING) for one in row["findings"])
    )


def _lines(path: Path) -> Iterator[Row]:
    """What stands before the hosts, then each host."""
    # A link, a pipe or a device is not what was written here, and to read it could take forever.
    if path.is_symlink() or not path.is_file():
        raise HistoryEvidenceError(f"{path}: not a file; it was put there by somebody else, so this run cannot be used")
    try:
        with path.open("rb") as stream:
            head = json.loads(stream.readline().rstrip(b",\n") + b"}")
            if not isinstance(head, dict) or head.get("shape") != HISTORY_SHAPE or stream.readline() != _HOSTS:
                raise HistoryEvidenceError(
                    f"{path}: not evidence of the shape {HISTORY_SHAPE}; written by another version"
                )
            if not _is(head, {**_HEAD, **_COUNTS}):
                raise HistoryEvidenceError(f"{path}: not as its schema says; it was edited, so this run cannot be used")
            yield head
            for number, line in enumerate(stream, start=3):
                if line == _END:
                    return
                row = json.loads(line.rstrip(b",\n"))
                if not _is_host(row):
                    raise HistoryEvidenceError(f"{path}: line {number} is not as its schema says; it was edited")
                yield row
    except (ValueError, RecursionError) as error:
        raise HistoryEvidenceError(
            f"{path}: not JSON ({error}); it was cut or edited, so this run cannot be used"
        ) from error
    raise HistoryEvidenceError(f"{path}: it has no end; it was cut, so this run cannot be used")
