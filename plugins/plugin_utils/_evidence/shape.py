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

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import HIGHEST
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, OUTPUT_LIMIT, visible

from .._inventory.plain import taken_in
from .._inventory.schema import schema_validator
from .observed import Listener, ScannedTarget, address_of, spans_of
from .raw_sockets import raw_sockets_of
from .translated import translated_of

#: ``schemas/`` of the collection, seen from ``plugins/plugin_utils/_evidence``.
_SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"

_NO_TIME = "2000-01-01T00:00:00Z"

#: A reason is for people to read; what a program prints can be of any length.
_MOST_PRINTED = 300


#: What of the result of listeners_info is evidence; the last only where it was asked for.
_LISTING_KEYS = ("listeners", "raw_sockets", "translated", "addresses", "machine", "host", "coverage", "bind")


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


def listing_problem(listening: Mapping[str, Any]) -> str | None:
    """Why the result of listeners_info cannot be evidence; None when it can."""
    problem = _problem("listening", listening)
    if problem is None:
        try:
            for row in listening["listeners"]:
                Listener.read(row)
            raw_sockets_of(listening)
            translated_of(listening)
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
    problem = _problem("scan_coverage", result["coverage"]) or _problem("machine", result.get("machine"))
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


def host_problem(evidence: Mapping[str, Any]) -> str | None:
    """What is wrong in the evidence of a host; None when nothing is.

    Listeners and addresses are held against their types as they are read, and the declared inventory
    against its own schema. The rest is alike on most hosts, and looked at once.
    """
    frame = {**evidence, "inventory": {}} if isinstance(evidence.get("inventory"), dict) else evidence
    outside = evidence.get("outside_addresses")
    if isinstance(outside, dict):
        frame = {**frame, "outside_addresses": {key: _no_texts(value) for key, value in outside.items()}}
    return _frame_problem("host", frame)


def relisted_problem(evidence: Mapping[str, Any]) -> str | None:
    """What is wrong in the second listing of a host; None when nothing is."""
    return _frame_problem("relisted", evidence)


def _frame_problem(kind: str, frame: Mapping[str, Any]) -> str | None:
    listening = frame.get("listening")
    if isinstance(listening, dict):
        frame = {**frame, "listening": _emptied(listening, "listeners", "raw_sockets", "translated", "addresses")}
    problem = _problem_of_text(kind, json.dumps(_without_times(frame), sort_keys=True))
    if problem is None and listening is not None:
        problem = _rows_problem(kind, listening)
    return problem


def scan_file_problem(scan: Mapping[str, Any]) -> str | None:
    """What is wrong in the evidence of a vantage point; None when nothing is. Targets, of which there may be many,
    are held against the types that the audit needs."""
    shares = scan.get("shares")
    if not isinstance(shares, list) or not all(isinstance(share, dict) for share in shares):
        return "scan.shares is no list of shares"
    problem = _problem("scan", {**scan, "shares": [_emptied(share, "targets") for share in shares]})
    for share in shares if problem is None else ():
        for row in share["targets"]:
            try:
                ScannedTarget.read("", "", row)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                return f"scan: a target of {share['scanner']} is not as schemas/evidence.schema.json says: {error!r}"
    return problem


def head_problem(head: Mapping[str, Any]) -> str | None:
    """What is wrong in ``results.json`` before its hosts and findings; None when nothing is."""
    return _problem("results", {**head, "hosts": [], "findings": []})


@functools.cache
def row_keys(kind: str) -> frozenset[str]:
    """The keys that each ``host`` or ``finding`` of ``results.json`` has."""
    return frozenset(_schema("results")["$defs"][kind]["required"])


def _emptied(value: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The same without the rows of some lists. What stands there and is no list stays, to be named."""
    return {key: [] if key in keys and isinstance(part, list) else part for key, part in value.items()}


def _no_texts(value: object) -> object:
    """A list of texts without them; anything else as it is, to be named."""
    return [] if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


def _without_times(frame: Any) -> Any:
    """What differs from host to host and is right: names and times. All else stays."""
    if isinstance(frame, dict):
        return {
            key: _NO_TIME
            if key in ("started", "finished") and isinstance(value, str) and _is_time(value)
            else ""
            if key in ("host", "hostname") and isinstance(value, str)
            else _without_times(value)
            for key, value in frame.items()
        }
    return frame


@functools.lru_cache(maxsize=1024)
def _is_time(text: str) -> bool:
    return _problem("time", text) is None


def _rows_problem(kind: str, listening: Mapping[str, Any]) -> str | None:
    try:
        for row in listening["listeners"]:
            Listener.read(row)
        raw_sockets_of(listening)
        translated_of(listening)
        for row in listening["addresses"]:
            # A number would be taken for an address too.
            texts = isinstance(row["interface"], str) and isinstance(row["address"], str)
            address_of(row["address"] if texts and isinstance(row.get("inner", False), bool) else "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{kind}.listening: a row is not as schemas/evidence.schema.json says: {error!r}"
    return None


def _problem(kind: str, value: object) -> str | None:
    error = next(iter(_validator(kind).iter_errors(value)), None)
    if error is None:
        return _text_problem(kind, value)
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    file = "results" if kind == "results" else "evidence"
    return f"{kind}{place} is not as schemas/{file}.schema.json says: {str(error.message)[:200]}"


@functools.lru_cache(maxsize=1024)
def _problem_of_text(kind: str, text: str) -> str | None:
    return _problem(kind, json.loads(text))


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
