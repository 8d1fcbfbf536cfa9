# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Telling who answers for it what is news in a run. Whatever fails here is said and kept, and fails nothing else.

This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from .._evidence.history_file import resolved_findings
from .._evidence.results_file import Results, read_results
from .._evidence.run_directory import RunDirectory
from .channels import Channels, names
from .delivery import Effort, deliver
from .message_text import Message, messages
from .news import News, news
from .state import AlertState, one_at_a_time

#: Most messages that wait for a channel; of more the oldest are given up, and counted.
MOST_WAITING = 500


class Wishes(NamedTuple):
    """What is told, and how hard it is tried. ``remind_after`` is None for never."""

    remind_after: dt.timedelta | None
    least: str
    report_url: str
    effort: Effort


class Telling(NamedTuple):
    """What became of it. ``planned`` counts new messages, ``problems`` is for people."""

    planned: int
    delivered: int
    undelivered: int
    problems: tuple[str, ...]


def tell(run: RunDirectory, channels: Channels, wishes: Wishes, *, is_real: bool = True) -> Telling:
    """Sends what waits and what is news. With ``is_real`` false nothing is sent and nothing is written, nor for a run
    that is judged as of another day than it was made on.

    Raises EvidenceError for results that cannot be read, OSError as the file system does.
    """
    results = read_results(run.results)
    report_dir = run.path.parent
    if not is_real or results["run"].get("what_if"):
        state = AlertState.of(report_dir)
        return Telling(len(_messages(run, results, state, wishes)[1]), 0, len(state.outbox), ())
    with one_at_a_time(report_dir):
        state, problems = AlertState.of(report_dir), []
        if state.problem is not None:
            problems.append(
                f"{state.problem}: it was put aside as {state.set_aside().name}, and all that is open is told again; "
                "messages that waited in it, and what was over by now, are not told"
            )
        found, new = _messages(run, results, state, wishes)
        problems += _addressed(state, channels)
        for message in new:
            state.outbox += [_entry(message, target, run.run_id) for target in channels.of(message.owner)]
        problems += _bounded(state)
        state.findings = found.findings
        # Before anything is sent: what is killed from here on tells once more rather than not at all.
        state.save()
        delivered, failed = _deliver(state, channels, wishes.effort)
    return Telling(len(new), delivered, len(state.outbox), (*problems, *failed))


def undelivered(run: RunDirectory) -> tuple[int, int]:
    """How many messages wait, and how many were given up."""
    state = AlertState.of(run.path.parent)
    return len(state.outbox), state.dropped


def _messages(run: RunDirectory, results: Results, state: AlertState, wishes: Wishes) -> tuple[News, list[Message]]:
    is_open = {key for key, row in state.findings.items() if row["open"]}
    resolved = {key: since for key, since in resolved_findings(run.history) if key in is_open} if is_open else {}
    found = news(results, state.findings, wishes.remind_after, wishes.least, resolved)
    lost = "What was told before is not known any more: all that is open is told again." if state.problem else ""
    return found, messages(found.items, results["run"], wishes.report_url, lost)


def _entry(message: Message, target: str, run_id: str) -> dict[str, Any]:
    return {"to": target, **message._asdict(), "run_id": run_id, "tries": 0}


def _addressed(state: AlertState, channels: Channels) -> list[str]:
    """Messages that wait for a channel that is gone go where their owner is told now."""
    moved, kept = set(), []
    for entry in state.outbox:
        if entry["to"] in channels.targets:
            kept.append(entry)
        else:
            moved.add(entry["to"])
            kept += [{**entry, "to": target} for target in channels.of(entry["owner"])]
    state.outbox = kept
    return (
        [f"messages waited for {names(moved)}, which is gone: they go where their owners are told now"] if moved else []
    )


def _bounded(state: AlertState) -> list[str]:
    much = len(state.outbox) - MOST_WAITING
    if much <= 0:
        return []
    gone = {entry["to"] for entry in state.outbox[:much]}
    state.outbox = state.outbox[much:]
    state.dropped += much
    return [
        f"{much} messages for {names(gone)} were given up: more than {MOST_WAITING} wait, and these were the oldest"
    ]


def _deliver(state: AlertState, channels: Channels, effort: Effort) -> tuple[int, Sequence[str]]:
    delivered, failed = 0, {}
    for outcome in deliver(tuple(state.outbox), channels.targets, effort):
        if outcome.why:
            failed[outcome.message["to"]] = outcome.why
        else:
            delivered += 1
            state.outbox = [entry for entry in state.outbox if entry is not outcome.message]
            state.save()
    if failed:
        state.outbox = [{**entry, "tries": entry["tries"] + 1} for entry in state.outbox]
        state.save()
    return delivered, [
        f"channel {name}: {why}; {sum(entry['to'] == name for entry in state.outbox)} messages wait for the next run"
        for name, why in sorted(failed.items())
    ]
