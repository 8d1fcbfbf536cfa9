# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was told, and what could not be delivered yet: ``alerts.json`` beside the runs. Private to the collection."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .._evidence.atomic import make_directories, write_json
from .._evidence.lock_file import locked, open_plain

Json = dict[str, Any]

STATE_SHAPE = "vigil.ports/alerts/1"

#: What an entry of each part must have, so that nothing else is taken for one.
_FINDING_KEYS = frozenset(("host", "rule", "status", "severity", "owner", "open", "told", "seen", "vantage", "port"))
_OUTBOX_KEYS = frozenset(("to", "owner", "title", "body", "type", "run_id", "tries"))


class AlertState:
    """``findings``: each finding that was told, by its id. ``outbox``: messages that are not delivered, oldest first.

    ``dropped`` counts those that were given up because there were too many.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.findings: dict[str, Json] = {}
        self.outbox: list[Json] = []
        self.dropped = 0
        self.problem: str | None = None

    @classmethod
    def of(cls, report_dir: Path) -> AlertState:
        """What is on disk; nothing when nothing was told. ``problem`` says that what there is cannot be used."""
        state = cls(report_dir / "alerts.json")
        try:
            with os.fdopen(open_plain(state.path, os.O_RDONLY), "rb") as stream:
                value = _checked(json.loads(stream.read()), frozenset(("shape",)))
            _expect_the_shape(value["shape"])
            state.findings = {str(key): _checked(row, _FINDING_KEYS) for key, row in value["findings"].items()}
            state.outbox = [_checked(row, _OUTBOX_KEYS) for row in value["outbox"]]
            state.dropped = int(value["dropped"])
        except FileNotFoundError:
            return state
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            state = cls(state.path)
            state.problem = f"{state.path} cannot be used ({type(error).__name__}: {error})"
        return state

    def save(self) -> None:
        """Writes all of it, whole or not at all, readable by its owner only."""
        value = {"findings": self.findings, "outbox": self.outbox, "dropped": self.dropped}
        write_json(self.path, {**value, "shape": STATE_SHAPE})

    def set_aside(self) -> Path:
        """Puts a file that cannot be used out of the way, under a name of its own."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.broken-{number}")).exists():
            number += 1
        return self.path.rename(aside)


@contextlib.contextmanager
def one_at_a_time(report_dir: Path) -> Iterator[None]:
    """Two audits that end at once tell one after the other, so that the second knows what the first told."""
    make_directories(report_dir)
    with locked(report_dir / ".alerts.lock"):
        yield


def _expect_the_shape(shape: Any) -> None:
    if shape != STATE_SHAPE:
        raise ValueError(f"not of the shape {STATE_SHAPE}")


def _checked(row: Any, keys: frozenset[str]) -> Json:
    if not isinstance(row, dict) or not row.keys() >= keys:
        raise ValueError("an entry has not the keys of its kind")
    return row
