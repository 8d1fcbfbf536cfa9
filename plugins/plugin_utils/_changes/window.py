# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change windows on disk. This module is private to the collection.

``<report_dir>/changes/<change>/`` holds ``window.json`` from the opening on, and after the closing ``junit.xml``,
``report.md`` and, last of all, ``close.json``. ``schemas/change.schema.json`` describes both. A closed window that
gave way to another one of the same change has the number at its end: ``<change>~1``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import NAME_LIMIT, visible

from .._evidence.atomic import make_directories, write_json, written_whole
from .._evidence.file_names import file_stem
from .._evidence.lock_file import locked
from .._inventory.problem import shown
from .._inventory.schema import SCHEMA_FILE, schema_validator
from .plan import nearest_first

WINDOW_SHAPE, CLOSE_SHAPE = "vigil.ports/change/window/1", "vigil.ports/change/close/1"

Json = dict[str, Any]
Row = Mapping[str, Any]


class WindowError(Exception):
    """A window that cannot be opened or closed; the text says why, and the way out."""


class Window:
    """One change window. Methods raise OSError as the file system does, WindowError for what cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        return (self.path / "window.json").exists()

    @property
    def is_closed(self) -> bool:
        return (self.path / "close.json").exists()

    def read(self) -> Json:
        return _read(self.path / "window.json", "window", WINDOW_SHAPE)

    def read_close(self) -> Json:
        return _read(self.path / "close.json", "close", CLOSE_SHAPE)

    def write_close(self, close: Row, files: Mapping[str, Iterable[bytes]]) -> None:
        """The reports, and then what closes the window: one that is cut short leaves it open."""
        for name, chunks in files.items():
            with written_whole(self.path / name) as stream:
                stream.writelines(chunks)
        write_json(self.path / "close.json", {**close, "shape": CLOSE_SHAPE})


class Windows:
    """Every change window of a report directory."""

    def __init__(self, report_dir: Path) -> None:
        self.path = report_dir / "changes"

    def of(self, change: str) -> Window:
        """The last window of a change; it need not be there. Raises WindowError where it is another's."""
        window = Window(self.path / file_stem(change, keep_capitals=True))
        if window.exists and window.read()["change"] != change:
            raise WindowError(
                f"{window.path}: is the window of change {window.read()['change']}; where capitals and small letters"
                f" are the same file, {shown(change)} needs another id"
            )
        return window

    def open(self) -> Iterator[Window]:
        """Those that are open, in the order of their names."""
        if self.path.is_dir():
            for path in sorted(self.path.iterdir()):
                window = Window(path)
                if window.exists and not window.is_closed:
                    yield window

    def refuse_opening(self, change: str, hosts: Iterable[str], *, again: bool) -> None:
        """Raises WindowError where a window of the change, or of one of the hosts, is in the way."""
        if not change or visible(change, NAME_LIMIT) != change:
            allowed = f"an id as declarations carry it, of at most {NAME_LIMIT} characters that print"
            raise WindowError(f"change: {shown(change)} is no change id, allowed: {allowed}")
        window = self.of(change)
        if window.exists and not window.is_closed:
            about = window.read()
            raise WindowError(
                f"change {change} is open already, since {about['opened']} by {who(about['by'])} on"
                f" {counted(about['hosts'])}: close it with vigil.ports.change_close"
            )
        if window.is_closed and not again:
            raise WindowError(
                f"{_closed(window, change)}; a further window for the same change takes -e change_again=true"
            )
        wanted = set(hosts)
        for other in self.open():
            about = other.read()
            both = sorted(wanted.intersection(about["hosts"]))
            if both:
                raise WindowError(
                    f"{', '.join(both[:5])}{' and more' if len(both) > 5 else ''}: in the window of change"
                    f" {about['change']}, open since {about['opened']} by {who(about['by'])}: close that one first, or"
                    " leave these hosts out with --limit"
                )

    def add(self, window: Row, *, again: bool) -> Window:
        """Opens a window. Raises WindowError as ``refuse_opening`` does."""
        with self._locked():
            self.refuse_opening(window["change"], window["hosts"], again=again)
            found = self.of(window["change"])
            if found.is_closed:
                found.path.rename(next(path for path in _numbered(found.path) if not path.exists()))
            make_directories(found.path)
            write_json(found.path / "window.json", {**window, "shape": WINDOW_SHAPE})
        return found

    def close(self, window: Window, close: Row, files: Mapping[str, Iterable[bytes]]) -> None:
        """Closes a window. Raises WindowError where another controller closed it meanwhile."""
        with self._locked():
            self.refuse_closing(close["change"], close["by"], take_over=True)
            window.write_close(close, files)

    def refuse_closing(self, change: str, by: Row, *, take_over: bool) -> Window:
        """The open window of the change. Raises WindowError where there is none, or it is another controller's."""
        window = self.of(change)
        if not window.exists:
            ids = nearest_first((one.read()["change"] for one in self.open()), change)
            known = f"open are: {', '.join(ids[:20])}" if ids else "none is open"
            raise WindowError(f"change {shown(change)} has no window in {self.path}; {known}")
        if window.is_closed:
            raise WindowError(_closed(window, change))
        opened = window.read()["by"]
        if not take_over and not is_same(opened, by):
            raise WindowError(
                f"change {change} was opened by {who(opened)}, and this is {who(by)}: close it there, or take it over"
                " with -e change_take_over=true, which the report will say"
            )
        return window

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Two windows that open at once do not both get the same host."""
        make_directories(self.path)
        with locked(self.path / ".lock"):
            yield


def open_changes(report_dir: Path, now: dt.datetime) -> list[Json]:
    """The windows that are open, for ``evidence/run.json``. One that cannot be read is named by its directory."""
    found: list[Json] = []
    for window in Windows(report_dir).open():
        try:
            about = window.read()
        except (WindowError, OSError) as error:
            unknown = {"opened": None, "by": None, "hosts": None, "hours": None}
            found.append({"change": visible(window.path.name), **unknown, "problem": visible(str(error))})
            continue
        hours = (now - dt.datetime.fromisoformat(about["opened"])).total_seconds() / 3600
        found.append(
            {
                "change": about["change"],
                "opened": about["opened"],
                "by": who(about["by"]),
                "hosts": len(about["hosts"]),
                "hours": max(0, int(hours)),
                "problem": None,
            }
        )
    return found


def is_same(one: Row, other: Row) -> bool:
    """Whether both are the same user on the same machine."""
    return (one["host"], one["user"]) == (other["host"], other["user"])


def who(by: Row) -> str:
    """``operator@control1``."""
    return f"{by['user']}@{by['host']}"


def counted(hosts: Iterable[str]) -> str:
    number = len(list(hosts))
    return f"{number} host{'' if number == 1 else 's'}"


def _closed(window: Window, change: str) -> str:
    about = window.read_close()
    return (
        f"change {change} was closed at {about['closed']} by {who(about['by'])}, and"
        f" {'went as planned' if about['passed'] else 'did not go as planned'}: see {window.path / 'report.md'}"
    )


def _numbered(path: Path) -> Iterator[Path]:
    number = 0
    while True:
        number += 1
        yield path.with_name(f"{path.name}~{number}")


def _read(path: Path, kind: str, shape: str) -> Json:
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise WindowError(f"{path}: not JSON ({error}); {_EDITED}") from error
    if not isinstance(value, dict) or value.get("shape") != shape:
        raise WindowError(f"{path}: not of the shape {shape}; it was edited, or written by another version")
    problem = next(iter(_validator(kind).iter_errors(value)), None)
    if problem is not None:
        place = "".join(f".{step}" for step in problem.absolute_path)
        raise WindowError(f"{path}: {kind}{place} is not as schemas/change.schema.json says; {_EDITED}")
    return value


_EDITED = "it was edited since it was written: move its directory away, and open another window"


@functools.cache
def _validator(kind: str) -> Any:
    schema = json.loads(SCHEMA_FILE.with_name("change.schema.json").read_text(encoding="utf-8"))
    return schema_validator({**{key: schema[key] for key in ("$schema", "$defs")}, "$ref": f"#/$defs/{kind}"})
