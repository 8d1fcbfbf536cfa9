# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.metrics): a run in, its numbers for Prometheus out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.tell import undelivered
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.texts import of_metrics
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.atomic import written_whole
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.metrics import metrics, stands_for_all


class ActionModule(Door):
    """Writes a run's numbers where node_exporter reads them."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "dest": {"type": "path", "required": True},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        run = RunDirectory(Path(os.getcwd(), arguments["run_dir"]).resolve())
        dest = Path(os.getcwd(), arguments["dest"])
        if run.path in dest.resolve().parents:
            raise AnsibleActionFail(
                f"dest: {dest} lies in the run directory, which is never changed: name another place"
            )
        for problem in of_metrics("dest", str(dest.resolve())):
            raise AnsibleActionFail(problem)
        results = read_results(run.results)
        text = metrics(results, run.read_seal()["ended"], *undelivered(run))
        if not self._task.check_mode and stands_for_all(results):
            with written_whole(dest, lambda written: written.chmod(0o644)) as stream:  # node_exporter is another user
                stream.write(text)
        return {"dest": str(dest)}
