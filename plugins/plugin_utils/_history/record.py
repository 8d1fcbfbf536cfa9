# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run written into the database: once, whole, and in whatever order runs come. Private to the collection."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from .._evidence.results_file import Results
from . import tables
from .changes import Belief, Change, fold
from .look import Look, host_state
from .objects import CHUNK, Objects, digest_of, kept_text, packed, unpacked, upsert

with contextlib.suppress(ImportError):  # tables.py holds the error
    import sqlalchemy as sa

Row = Mapping[str, Any]
Outcome = Literal["recorded", "known", "too old", "check mode", "what-if"]


class Order(NamedTuple):
    """Where a run stands among others: its start, and its name where two start in one second."""

    started: str
    run_id: str


class KnownRun(NamedTuple):
    """A run that is recorded."""

    order: Order
    tree: str
    passed: bool


def known_runs(connection: sa.Connection) -> list[KnownRun]:
    """Every recorded run, oldest first. Sorted here: databases sort texts each in its own way."""
    runs = tables.RUNS.c
    rows = connection.execute(sa.select(runs.started, runs.run_id, runs.tree, runs.passed))
    return sorted(KnownRun(Order(row.started, row.run_id), row.tree, row.passed) for row in rows)


def base_of(connection: sa.Connection) -> Order | None:
    """The last run that retention has taken away."""
    marks = tables.MARKS.c
    value = connection.scalar(sa.select(marks.value).where(marks.name == "base"))
    return None if value is None else Order(*json.loads(value))


def record(connection: sa.Connection, results: Results) -> Outcome:
    """Writes what a run saw, and what that changed. Recording a run again changes nothing.

    A run that is older than others that are recorded takes its place among them: what is believed of its
    hosts is made anew. ``connection`` is one of ``History.writing``.
    """
    run = results["run"]
    if run["check_mode"]:
        return "check mode"
    if run.get("what_if"):
        return "what-if"
    order = Order(run["started"], str(kept_text(run["run_id"])))
    runs = known_runs(connection)
    if any(known.order.run_id == order.run_id for known in runs):
        return "known"
    base = base_of(connection)
    if base is not None and order <= base:
        return "too old"
    is_newest = not runs or order > runs[-1].order
    objects = Objects(connection)
    objects.put(results["known_ports"])
    states: dict[str, str] = {}
    declarations: dict[str, Any] = {}
    for chunk in _chunks(_states(results)):
        digests = {host: digest_of(state) for host, state in chunk.items()}
        objects.put({digests[host]: state for host, state in chunk.items()})
        states |= digests
        declarations |= {host: state["seen"] and state["seen"]["declarations"] for host, state in chunk.items()}
        if is_newest:
            _fold_in(connection, order, chunk, digests, results["known_ports"])
    connection.execute(
        sa.insert(tables.RUNS), _run_row(results, order, digest_of(declarations), objects.put_tree(states))
    )
    if not is_newest:
        fold_anew(connection, list(states))
    return "recorded"


def fold_anew(connection: sa.Connection, hosts: Sequence[str]) -> None:
    """Makes beliefs and changes of hosts again from what the recorded runs saw of them."""
    runs, objects = known_runs(connection), Objects(connection)
    for start in range(0, len(hosts), CHUNK):
        chunk = hosts[start : start + CHUNK]
        bases = {
            row.host: Belief.read(unpacked(row.body))
            for row in connection.execute(sa.select(tables.BASES).where(tables.BASES.c.host.in_(chunk)))
        }
        connection.execute(sa.delete(tables.CHANGES).where(tables.CHANGES.c.host.in_(chunk)))
        beliefs, changes = [], []
        for host in chunk:
            belief, last = bases.get(host), None
            for run in runs:
                digest = objects.state_of(run.tree, host)
                if digest is not None and digest != last:
                    belief, found = fold(belief, look_at(objects, digest), run.order.started)
                    changes += [_change_row(run.order, host, change) for change in found]
                    last = digest
            if belief is not None and last is not None:
                beliefs.append({"host": host, "state": last, "body": packed(belief.as_dict())})
        upsert(connection, tables.BELIEFS, beliefs)
        _insert_changes(connection, changes)


def look_at(objects: Objects, digest: str) -> Look:
    """What a run saw of a host, from the digest of its state."""
    state = objects.get(digest)
    keys = {key for row in (state["seen"] or {"outside": ()})["outside"] for key in row["known"].values()}
    return Look(state, {key: objects.get(key) for key in keys})


def _states(results: Results) -> Iterator[tuple[str, Row]]:
    """Each host with its state."""
    findings: dict[str | None, list[Row]] = {}
    for finding in results.notable:
        findings.setdefault(finding["host"], []).append(finding)
    for host in results["hosts"]:
        yield str(kept_text(host["host"])), host_state(host, findings.pop(host["host"], ()))


def _chunks(pairs: Iterable[tuple[str, Row]]) -> Iterator[dict[str, Row]]:
    iterator = iter(pairs)
    while chunk := dict(itertools.islice(iterator, CHUNK)):
        yield chunk


def _fold_in(
    connection: sa.Connection,
    order: Order,
    states: Mapping[str, Row],
    digests: Mapping[str, str],
    ports: Mapping[str, str],
) -> None:
    """Folds a run that is newer than all others into what is believed of its hosts."""
    known = {
        row.host: row
        for row in connection.execute(sa.select(tables.BELIEFS).where(tables.BELIEFS.c.host.in_(list(states))))
    }
    beliefs, changes = [], []
    for host, state in states.items():
        row = known.get(host)
        if row is not None and row.state == digests[host]:
            continue  # the same look twice changes nothing
        before = None if row is None else Belief.read(unpacked(row.body))
        belief, found = fold(before, Look(state, ports), order.started)
        changes += [_change_row(order, host, change) for change in found]
        beliefs.append({"host": host, "state": digests[host], "body": packed(belief.as_dict())})
    upsert(connection, tables.BELIEFS, beliefs)
    _insert_changes(connection, changes)


def _insert_changes(connection: sa.Connection, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(sa.insert(tables.CHANGES), list(rows))


def _change_row(order: Order, host: str, change: Change) -> dict[str, Any]:
    row = {key: kept_text(value) if isinstance(value, str) else value for key, value in change._asdict().items()}
    row["port"] = None if change.port is None else str(change.port)
    row["entry"] = None if change.entry is None else json.dumps(change.entry, sort_keys=True)
    return {**row, "run_id": order.run_id, "started": order.started, "host": host}


def _run_row(results: Results, order: Order, declarations: str, tree: str) -> dict[str, Any]:
    run, hosts = results["run"], results["coverage"]["hosts"]
    row = {
        "run_id": order.run_id,
        "started": order.started,
        "finished": run["finished"],
        "label": run["label"],
        "audit_date": run["audit_date"],
        "limited": run["limit"],
        "controller": f"{run['controller']['user']}@{run['controller']['host']}",
        "version": run["versions"].get("vigil.ports", "unknown"),
        "counts": json.dumps(results["counts"], sort_keys=True),
        "declarations": declarations,
        "tree": tree,
    }
    return {
        **{key: kept_text(value) for key, value in row.items()},
        "passed": results["gate"]["passed"],
        "hosts": hosts["in_scope"],
        "assessed": hosts["assessed"],
    }
