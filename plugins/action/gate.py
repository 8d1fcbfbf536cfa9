# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.gate): the summary, then the decision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.utils.display import Display
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.console import console_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.verdict import verdict


class ActionModule(Door):
    """Shows the summary of a run, and fails when the run breaks its gate."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {"run_dir": {"type": "path", "required": True}}

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        run = RunDirectory(Path(arguments["run_dir"]))
        results = read_results(run.results)
        for line in console_lines(results, str(run.path)):
            Display().display(line)
        broken = not results["gate"]["passed"] and results["gate"]["fail_on"] != "never"
        return {"failed": broken, "msg": verdict(results), "passed": results["gate"]["passed"]}
