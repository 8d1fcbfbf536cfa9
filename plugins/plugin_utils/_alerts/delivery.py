# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages on their way: each target in a thread of its own, with retries, and with an end to the waiting.

This module is private to the collection.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .channels import APPRISE_IMPORT_ERROR, Target, silence
from .message_text import fitted

if APPRISE_IMPORT_ERROR is None:
    import apprise

Row = Mapping[str, Any]


class Effort(NamedTuple):
    """``tries`` of each message. ``timeout`` of each and ``pause`` before the second, which then doubles: seconds."""

    tries: int
    timeout: float
    pause: float = 1.0

    @property
    def longest(self) -> float:
        """How long one message may take: to connect, to answer and as long again for each try, and the pauses."""
        return self.tries * 3 * self.timeout + self.pause * (1 << self.tries)


class Outcome(NamedTuple):
    """What became of a message. ``why`` is empty when it was delivered."""

    message: Row
    why: str


def deliver(outbox: Sequence[Row], targets: Mapping[str, Target], effort: Effort) -> Iterator[Outcome]:
    """Sends the messages, for each target in their order, and gives what became of each as soon as it is known.

    After a message that failed no other is sent to its target. A target that neither takes a message nor refuses it
    is given up after a time; then it may still take it, and is told again the next time.
    """
    answers: queue.Queue[Outcome] = queue.Queue()
    by_target: dict[str, list[Row]] = {}
    for message in outbox:
        by_target.setdefault(message["to"], []).append(message)
    reasons = _Reasons()
    waiting = {id(message): message for message in outbox}
    silence(reasons)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unverified certificates, with the name of the host
        for name, some in by_target.items():
            arguments = (targets[name], some, effort, reasons, answers)
            threading.Thread(target=_to_one, args=arguments, daemon=True).start()
        while waiting:
            try:
                outcome = answers.get(timeout=effort.longest)
            except queue.Empty:
                break
            del waiting[id(outcome.message)]
            yield outcome
    for message in waiting.values():
        yield Outcome(message, "no answer in time")


def _to_one(
    target: Target, some: Sequence[Row], effort: Effort, reasons: _Reasons, answers: queue.Queue[Outcome]
) -> None:
    why = ""
    for message in some:
        why = why or _with_retries(target, message, effort, reasons)
        answers.put(Outcome(message, why))


def _with_retries(target: Target, message: Row, effort: Effort, reasons: _Reasons) -> str:
    for number in range(effort.tries):
        if number:
            time.sleep(effort.pause * 2 ** (number - 1))
        if _send(target, message, reasons):
            return ""
    return reasons.last()


def _send(target: Target, message: Row, reasons: _Reasons) -> bool:
    reasons.forget()
    body = fitted(message["body"].split("\n"), target.service.body_maxlen)
    one = apprise.Apprise(asset=target.service.asset)
    one.add(target.service)
    try:
        return bool(
            one.notify(
                body=body, title=message["title"], notify_type=message["type"], body_format=apprise.NotifyFormat.TEXT
            )
        )
    except Exception:  # noqa: BLE001 - whatever a service's own code does, the audit goes on
        return False


class _Reasons(logging.Handler):
    """Why a message failed, as far as it can be said without showing a part of a URL: a status, or no connection."""

    _STATUS = re.compile(r"error\s?=\s?([1-5][0-9]{2})\b")

    def __init__(self) -> None:
        super().__init__()
        self._texts: dict[int, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        status = self._STATUS.search(text)
        if status:
            self._texts[threading.get_ident()] = f"refused with status {status[1]}"
        elif "onnection" in text:
            self._texts.setdefault(threading.get_ident(), "no connection, or it broke off")

    def forget(self) -> None:
        self._texts.pop(threading.get_ident(), None)

    def last(self) -> str:
        return self._texts.get(threading.get_ident(), "refused")
