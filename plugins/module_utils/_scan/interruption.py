# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to stop: the time is over, somebody said so, or nobody waits. What was seen by then is kept.

This module is private to the collection.
"""

from __future__ import annotations

import select
import signal
import threading
import time
from contextlib import contextmanager
from types import FrameType
from typing import Callable, Iterator

#: SIGHUP: the SSH connection to a scanner went away.
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stop:
    """Asked by engines in their loops. ``timeout`` is seconds for the whole call, 0 for no limit.

    ``answer_to`` is the file descriptor that the result will be written to. When its other end is gone,
    nobody waits for the result. Without a terminal that is the only sign of it: sshd closes the pipes of
    a session whose connection was lost, and sends no signal.
    """

    def __init__(
        self, timeout: float = 0, clock: Callable[[], float] = time.monotonic, answer_to: int | None = None
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._deadline = clock() + timeout if timeout else None
        self._signal: str | None = None
        self._answer = select.poll()
        self._one_at_a_time = threading.Lock()  # poll() refuses two threads at once
        if answer_to is not None:
            self._answer.register(answer_to, 0)  # errors and hang-ups are told without being asked for

    def signalled(self, number: int, _frame: FrameType | None = None) -> None:
        """Remember the first signal; to be used as a signal handler."""
        if self._signal is None:
            self._signal = signal.Signals(number).name

    def why(self) -> str | None:
        """Why to stop now, as a sentence; None while there is no reason to."""
        if self._signal:
            return f"stopped by {self._signal}"
        with self._one_at_a_time:
            events = self._answer.poll(0)
        if any(event & (select.POLLERR | select.POLLHUP) for _descriptor, event in events):
            return "stopped because nobody waits for the result: the connection to the scanner was lost"
        if self._deadline is not None and self._clock() >= self._deadline:
            return f"the time-out of {self._timeout:g} s for the whole scan was over"
        return None

    def wait_at_most(self, seconds: float) -> float:
        """``seconds``, or what is left of the time if that is less; never negative."""
        if self._deadline is None:
            return seconds
        return max(0.0, min(seconds, self._deadline - self._clock()))


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGHUP end the scan in order, with its result, instead of the process."""
    before = {number: signal.signal(number, stop.signalled) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
