# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operator sees while a scan runs. This module is private to the collection."""

from __future__ import annotations

import os

#: On a terminal a line at most so often; elsewhere (CI) once a minute, so that a log stays a log.
_TERMINAL_SECONDS, _LOG_SECONDS = 2.0, 60.0

#: With less done than this, what is left cannot be told from it: the first calls do more than to ask ports.
_TOO_EARLY = 0.05


class Progress:
    """Turns what was done into lines, few enough to read. ``clock`` values are seconds, from anywhere."""

    def __init__(self, name: str, total: int, *, on_terminal: bool, clock: float) -> None:
        self._name = name
        self._total = max(1, total)
        self._pause = _TERMINAL_SECONDS if on_terminal else _LOG_SECONDS
        self._began = clock
        self._shown = clock

    def line(self, done: int, targets: str, opened: int, clock: float) -> str | None:
        """The line to show now; None when the last one is fresh enough. It holds no text from outside but names."""
        if clock - self._shown < self._pause and done < self._total:
            return None
        self._shown = clock
        share = min(1.0, done / self._total)
        elapsed = clock - self._began
        if share == 1:
            left = _duration(elapsed)
        elif share < _TOO_EARLY:
            left = "time left not known yet"
        else:
            left = f"about {_duration(elapsed / share - elapsed)} left"
        return f"scan {self._name}: {share:4.0%}, {targets} targets done, {opened} open, {left}"


def parent_is_on_terminal() -> bool:
    """True when the process that this one was forked from writes to a terminal.

    Ansible's workers are cut off from it themselves, so the standard output of the parent is looked at.
    """
    try:
        return os.readlink(f"/proc/{os.getppid()}/fd/1").startswith(("/dev/pts/", "/dev/tty"))
    except OSError:  # no /proc, as on macOS, or not ours to look at
        return False


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
