# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.report): results in, reports out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports, write_reports


class ActionModule(Door):
    """Renders every report of a run directory, then seals it and points ``latest`` at it."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "into": {"type": "path"},
        "signing_key": {"type": "path", "no_log": False},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        run = RunDirectory(Path(os.getcwd(), arguments["run_dir"]).resolve())
        results = read_results(run.results)
        if arguments["into"]:
            into = Path(os.getcwd(), arguments["into"])
            return {"reports": [str(into / name) for name in write_reports(results, into)]}
        names = []
        for name, chunks in reports(results):
            run.write_file(name, chunks)
            names.append(name)
        key = Path(os.getcwd(), arguments["signing_key"]) if arguments["signing_key"] else None
        digest = seal(run, results, dt.datetime.now(dt.UTC), key)
        return {"reports": [str(run.path / name) for name in names], "manifest_sha256": digest}
