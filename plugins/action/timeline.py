# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.timeline): the lives of endpoints and findings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.utils.display import Display
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._history.store import opened
from ansible_collections.vigil.ports.plugins.plugin_utils._history.timeline import Wanted, lives
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.timeline_text import timeline_lines


class ActionModule(Door):
    """Shows the timeline of what is asked for, and returns it."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "report_dir": {"type": "path", "required": True},
        "url": {"type": "str", "default": "", "no_log": True},
        "host": {"type": "str"},
        "port": {"type": "str"},
        "finding": {"type": "str"},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        wanted = Wanted(*(arguments[key] or None for key in Wanted._fields))
        report_dir = Path.cwd() / arguments["report_dir"]
        with opened(arguments["url"], report_dir) as history, history.reading() as connection:
            found = lives(connection, wanted)
        for line in timeline_lines(found):
            Display().display(line)
        return {"lives": found}
