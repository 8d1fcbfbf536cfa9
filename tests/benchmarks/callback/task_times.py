# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: task_times
type: stdout
short_description: Prints a line of JSON for each task, with its seconds
description:
  - For the benchmarks. A task lasts from its start to the start of the next one.
author:
  - vigil.ports maintainers (@vigil-ports)
"""

import json  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

from ansible.plugins.callback import CallbackBase  # noqa: E402


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "task_times"

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[str, Any] | None = None
        self._started = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._end()
        self._running = {"task": task.get_name(), "ok": 0, "bad": []}
        self._started = time.perf_counter()

    def v2_runner_on_ok(self, result: Any) -> None:
        if self._running is not None:
            self._running["ok"] += 1

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if self._running is not None:
            self._running["bad"].append(str(result.result)[:500])

    v2_runner_on_unreachable = v2_runner_on_failed

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end()

    def _end(self) -> None:
        if self._running is not None:
            print(json.dumps({**self._running, "seconds": time.perf_counter() - self._started}), flush=True)
