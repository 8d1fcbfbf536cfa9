# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.history_rebuild): run directories in, history out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._history.rebuild import rebuild


class ActionModule(Door):
    """Records every complete run of a report directory that is not recorded."""

    _supports_check_mode = False

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "report_dir": {"type": "path", "required": True},
        "url": {"type": "str", "default": "", "no_log": True},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        imported = rebuild(arguments["url"], Path.cwd() / arguments["report_dir"])
        return {
            "changed": bool(imported.recorded),
            "recorded": imported.recorded,
            "set_aside": None if imported.set_aside is None else str(imported.set_aside),
            "warnings": list(imported.problems),
            "msg": imported.sentence(),
        }
