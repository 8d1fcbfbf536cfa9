# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.notify): tells who answers for it what is news in a run."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.basic import missing_required_lib
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.channels import APPRISE_IMPORT_ERROR, read_channels
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.delivery import Effort
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.tell import Wishes, tell
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rule import SEVERITIES
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import Plain, plain

#: Least and most of each number, and what it counts.
_BOUNDS = {
    "remind_after": (0, 3650, "days, 0 for never"),
    "retries": (0, 10, "tries after the first"),
    "timeout": (1, 300, "seconds"),
}


class ActionModule(Door):
    """Checks the channels, or sends what is news. Its result holds no URL, and neither does what it prints."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "step": {"type": "str", "choices": ["check", "tell"], "default": "tell"},
        "run_dir": {"type": "path"},
        "remind_after": {"type": "int", "default": 7},
        "min_severity": {"type": "str", "choices": list(SEVERITIES), "default": "low"},
        "report_url": {"type": "str", "default": ""},
        "retries": {"type": "int", "default": 2},
        "timeout": {"type": "int", "default": 10},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if APPRISE_IMPORT_ERROR is not None:
            raise AnsibleActionFail(missing_required_lib("apprise"))
        problems = [
            f"notify_{name}: {arguments[name]} is out of bounds: {least} to {most} ({unit})"
            for name, (least, most, unit) in _BOUNDS.items()
            if not least <= arguments[name] <= most
        ]
        channels, unusable = read_channels(self._resolved(task_vars), arguments["timeout"])
        problems += unusable
        if problems:
            raise AnsibleActionFail("\n".join(problems))
        if arguments["step"] == "check":
            return {"targets": sorted(channels.targets)}
        if not arguments["run_dir"]:
            raise AnsibleActionFail("run_dir: the run to tell of is missing")
        days = arguments["remind_after"]
        wishes = Wishes(
            remind_after=dt.timedelta(days=days) if days else None,
            least=arguments["min_severity"],
            report_url=arguments["report_url"],
            effort=Effort(arguments["retries"] + 1, arguments["timeout"]),
        )
        run = RunDirectory(Path(os.getcwd(), arguments["run_dir"]).resolve())
        told = tell(run, channels, wishes, is_real=not self._task.check_mode)
        return {
            "changed": bool(told.delivered),
            "planned": told.planned,
            "delivered": told.delivered,
            "undelivered": told.undelivered,
            "warnings": list(told.problems),
        }

    def _resolved(self, task_vars: Mapping[str, Any]) -> Plain:
        """The channels. They are no option of the task: of one that it cannot resolve Ansible shows the line."""
        try:
            known = HostVariables(task_vars, self._task)
            variables = known.of(str(task_vars["inventory_hostname"]))
            if "notify_channels" not in variables:
                return None
            return plain(known.resolved(self._templar, variables, "notify_channels"))
        except AnsibleError as error:
            missing = re.search(r"'(\w+)' is undefined", str(error))
            why = f"the variable {missing[1]} in it is not defined" if missing else "a template or a secret in it fails"
        except TypeError:
            why = "it holds something else than text, lists and mappings"
        # Out of the except block: Ansible would show what the error came from, with the line and a URL in it.
        raise AnsibleActionFail(f"notify_channels: cannot be resolved: {why}")
