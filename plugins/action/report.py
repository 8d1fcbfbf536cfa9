# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.report): results in, reports out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports


class ActionModule(Door):
    """Renders every report of a run directory, then seals it and points ``latest`` at it."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {"run_dir": {"type": "path", "required": True}}

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        run = RunDirectory(Path(arguments["run_dir"]))
        results = read_results(run.results)
        names = []
        for name, chunks in reports(results):
            run.write_file(name, chunks)
            names.append(name)
        run.seal({key: results["run"][key] for key in ("started", "finished", "versions", "controller", "inventory")})
        return {"reports": [str(run.path / name) for name in names]}
