# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.disagreements): which hosts to list again, and for which ports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.vigil.ports.plugins.plugin_utils._audit.to_relist import to_relist
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory


class ActionModule(Door):
    """Holds the listings of a run against its scans."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {"run_dir": {"type": "path", "required": True}}

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        return {"hosts": to_relist(RunDirectory(Path(arguments["run_dir"])))}
