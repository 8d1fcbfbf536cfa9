# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes back from a host or a scanner, and what is read back from disk, held against its schema.

A module's result is whatever the other side sent: one host must not be able to stop the audit of all. A
file may have been cut or edited since it was written. This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, OUTPUT_LIMIT, visible

from .._inventory.plain import taken_in
from .._inventory.schema import schema_validator
from .codec import ShapeError, converted
from .records.host import MOST_BYTES
from .records.listening import Listening
from .records.reachable import ScanAnswer

#: ``schemas/`` of the collection, seen from ``plugins/plugin_utils/_evidence``.
_SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"

#: A reason is for people to read; what a program prints can be of any length.
_MOST_PRINTED = 300


def listing_of(result: Mapping[str, Any]) -> Listening | str:
    """What the result of listeners_info says as evidence holds it, or in a sentence why it is no evidence."""
    if result.get("failed") or "listeners" not in result:
        return why_no_answer(result)
    told = {key: result[key] for key in Listening.__struct_fields__ if key in result}
    try:
        return converted(Listening, taken_in(told, OUTPUT_LIMIT), "listening", MOST_BYTES)
    except ShapeError as error:
        return visible(str(error), MESSAGE_LIMIT)


def why_no_answer(result: Mapping[str, Any]) -> str:
    """Why the result of a module is none, as a sentence: what it says itself, or how it ended and what it printed.

    ``rc``, ``module_stdout`` and ``module_stderr`` are Ansible's keys of a result that is no JSON.
    """
    if "module_stdout" not in result:
        return visible(str(result.get("msg") or "the module gave no result"), MESSAGE_LIMIT)
    errors, output = (
        [line.strip() for line in str(result.get(key) or "").splitlines() if line.strip()]
        for key in ("module_stderr", "module_stdout")
    )
    printed = (
        f"its last words were: {visible(' / '.join(errors[-2:]), _MOST_PRINTED)}"
        if errors
        else f"its output begins with: {visible(output[0], _MOST_PRINTED)}"
        if output
        else "it printed nothing"
    )
    too_old = errors and errors[-1].startswith("SyntaxError")
    hint = "; its Python may be older than 3.8, set ansible_python_interpreter to another one" if too_old else ""
    return f"the module gave no answer that can be read: it ended with {_ending(result.get('rc'))}, and {printed}{hint}"


def _ending(status: object) -> str:
    """An exit status as a shell gives it: 128 and more is a signal (sh(1))."""
    try:
        name = signal.Signals(int(str(status)) - 128).name
    except ValueError:
        return f"status {status}"
    short = ", as when memory is short" if name == "SIGKILL" else ""
    return f"status {status} ({name}{short})"


def scan_problem(result: Mapping[str, Any]) -> str | None:
    """Why the result of scan_info cannot be evidence; None when it can."""
    try:
        converted(ScanAnswer, dict(result), "scan")
    except ShapeError as error:
        return visible(str(error), MESSAGE_LIMIT)
    return None


def run_problem(run: Mapping[str, Any]) -> str | None:
    """What is wrong in ``run.json``; None when nothing is."""
    problem = _problem("run", run)
    if problem is None:
        try:
            dt.date.fromisoformat(run["audit_date"])
        except ValueError as error:
            problem = f"run.audit_date: {error}"
    return problem


def seal_problem(seal: Mapping[str, Any]) -> str | None:
    """What is wrong in ``seal.json``; None when nothing is."""
    return _problem("seal", seal)


def head_problem(head: Mapping[str, Any]) -> str | None:
    """What is wrong in ``results.json`` before its hosts and findings; None when nothing is."""
    return _problem("results", {**head, "hosts": [], "findings": []})


@functools.cache
def row_keys(kind: str) -> frozenset[str]:
    """The keys that each ``host`` or ``finding`` of ``results.json`` has."""
    return frozenset(_schema("results")["$defs"][kind]["required"])


def _problem(kind: str, value: object) -> str | None:
    error = next(iter(_validator(kind).iter_errors(value)), None)
    if error is None:
        return _text_problem(kind, value)
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    file = "results" if kind == "results" else "evidence"
    return f"{kind}{place} is not as schemas/{file}.schema.json says: {str(error.message)[:200]}"


def _text_problem(kind: str, value: object) -> str | None:
    r"""JSON can say ``\ud800``, half of a character. Nothing can be written or digested that holds one."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        return f"{kind} holds text that is no Unicode: {ascii(error.object[error.start : error.end])[:20]}"
    return None


@functools.cache
def _validator(kind: str) -> Any:
    if kind == "results":
        return schema_validator(_schema("results"))
    schema = _schema("evidence")
    return schema_validator({**{key: schema[key] for key in ("$schema", "$defs")}, "$ref": f"#/$defs/{kind}"})


@functools.cache
def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((_SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema
