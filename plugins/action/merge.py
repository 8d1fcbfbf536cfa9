# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.merge): parts of a campaign in, the evidence of one run out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.checks import Expected
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.merge_parts import merge_parts
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.part import InventoryNames, campaign_problems


class ActionModule(Door):
    """Takes the parts of a campaign into a run that was opened for the whole inventory."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "campaign": {"type": "str", "required": True},
        "parts": {"type": "list", "elements": "path", "required": True},
        "max_age": {"type": "int", "default": 86400},
        "allowed_signers": {"type": "path"},
        "signer": {"type": "str"},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        problems = [str(one) for one in campaign_problems("campaign", arguments["campaign"])]
        if not arguments["parts"]:
            problems.append("parts: no path is given, so nothing would be merged: name directories or archives")
        if arguments["max_age"] < 1:
            problems.append(f"max_age: {arguments['max_age']} is no age; expected at least 1 (seconds)")
        if arguments["signer"] and not arguments["allowed_signers"]:
            problems.append("signer: give allowed_signers as well, the file that says whose key is whose")
        if problems:
            raise AnsibleActionFail("\n".join(problems))
        run = RunDirectory(Path(os.getcwd(), arguments["run_dir"]).resolve())
        allowed = Path(os.getcwd(), arguments["allowed_signers"]) if arguments["allowed_signers"] else None
        expected = Expected(
            campaign=arguments["campaign"],
            inventory=InventoryNames(task_vars["groups"]),
            asked=run.read_run(),
            now=dt.datetime.now(dt.UTC),
            max_age=arguments["max_age"],
            allowed_signers=allowed,
            signer=arguments["signer"] or None,
        )
        merged = merge_parts(run, [Path(os.getcwd(), path) for path in arguments["parts"]], expected)
        return {
            "parts": [parent.run_id for parent in merged.parents],
            "gaps": [gap.gap for gap in merged.gaps],
            "without_part": list(merged.without_part),
            "warnings": [gap.message for gap in merged.gaps],
        }
