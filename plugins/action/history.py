# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.history): what was known before a run, and the run written down for the next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._history.stages import recall, remember


class ActionModule(Door):
    """Asks history before the judging, or records the sealed run. It never fails a run for its database."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "step": {"type": "str", "choices": ["recall", "record"], "required": True},
        "history": {"type": "bool", "default": True},
        "url": {"type": "str", "default": "", "no_log": True},
        "keep_days": {"type": "int", "default": 400},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        run = RunDirectory(Path(arguments["run_dir"]))
        if arguments["step"] == "recall":
            told = recall(run, arguments["url"], is_on=arguments["history"])
        elif arguments["history"]:
            told = remember(run, arguments["url"], keep_days=arguments["keep_days"])
        else:
            return {"state": "off"}
        return {"state": told.state, "warnings": list(told.problems)}
