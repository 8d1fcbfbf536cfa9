# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes back from a host or a scanner, held against the schema before it is evidence.

A module's result is whatever the other side sent: one host must not be able to stop the audit of all.
This module is private to the collection.
"""

from __future__ import annotations

import functools
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import HIGHEST
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, OUTPUT_LIMIT, visible

from .._inventory.plain import taken_in
from .._inventory.schema import schema_validator
from .observed import Listener, ScannedTarget, address_of, spans_of

#: ``schemas/`` of the collection, seen from ``plugins/plugin_utils/_evidence``.
_SCHEMA_FILE = Path(__file__).resolve().parents[3] / "schemas" / "evidence.schema.json"

#: A reason is for people to read; what a program prints can be of any length.
_MOST_PRINTED = 300


#: What of the result of listeners_info is evidence; the last only where it was asked for.
_LISTING_KEYS = ("listeners", "addresses", "host", "coverage", "bind")


def listing_of(result: Mapping[str, Any], done: str) -> dict[str, Any]:
    """``status``, ``message`` and ``listening`` as evidence holds them, from the result of listeners_info.

    ``done`` is the status of a listing that worked. What is not as the schema says is no listing.
    """
    if result.get("failed") or "listeners" not in result:
        return {"status": "failed", "message": why_no_answer(result), "listening": None}
    listening: Any = taken_in({key: result[key] for key in _LISTING_KEYS if key in result}, OUTPUT_LIMIT)
    problem = listing_problem(listening)
    if problem is not None:
        return {"status": "failed", "message": problem, "listening": None}
    return {"status": done, "message": None, "listening": listening}


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
        f"its last message was: {visible(errors[-1], _MOST_PRINTED)}"
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


def listing_problem(listening: Mapping[str, Any]) -> str | None:
    """Why the result of listeners_info cannot be evidence; None when it can."""
    problem = _problem("listening", listening)
    if problem is None:
        try:
            for row in listening["listeners"]:
                Listener.read(row)
            for row in listening["addresses"]:
                address_of(row["address"])
            for row in listening.get("bind", {}).get("ports", ()):
                problem = problem or _ports_problem(row["ports"])
        except ValueError as error:
            problem = str(error)
    return problem


def _ports_problem(text: str) -> str | None:
    if all(1 <= first <= last <= HIGHEST for first, last in spans_of(text)):
        return None
    return f"{text[:100]} are no ports"


def scan_problem(result: Mapping[str, Any]) -> str | None:
    """Why the result of scan_info cannot be evidence; None when it can."""
    problem = _problem("scan_coverage", result["coverage"])
    if not isinstance(result["targets"], list):
        return problem or "targets is not a list"
    for row in result["targets"]:
        problem = problem or _problem("target", row)
        if problem is None:
            try:
                seen = ScannedTarget.read("", "", row)
                if seen.states or seen.endpoints:
                    address_of(seen.address)  # what was not scanned may be a name
            except ValueError as error:
                problem = str(error)
    return problem


def _problem(kind: str, value: object) -> str | None:
    error = next(iter(_validator(kind).iter_errors(value)), None)
    if error is None:
        return None
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return f"{kind}{place} is not as schemas/evidence.schema.json says: {str(error.message)[:200]}"


@functools.cache
def _validator(kind: str) -> Any:
    schema = json.loads(_SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema_validator({**{key: schema[key] for key in ("$schema", "$defs")}, "$ref": f"#/$defs/{kind}"})
