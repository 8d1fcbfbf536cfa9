# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.review): a run in, the review sheet out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.atomic import written_whole
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text
from ansible_collections.vigil.ports.plugins.plugin_utils._review.review_markdown import review_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._review.review_run import review_run


class ActionModule(Door):
    """Writes every declaration of a run with its use, its approval and what is due."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "dest": {"type": "path", "required": True},
        "unused_days": {"type": "int", "default": 90},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if arguments["unused_days"] < 1:
            raise AnsibleActionFail(f"unused_days: {arguments['unused_days']} is out of bounds: at least 1 (days)")
        run = RunDirectory(Path(os.getcwd(), arguments["run_dir"]).resolve())
        review = review_run(run, arguments["unused_days"])
        sheet = "".join(f"{line}\n" for line in review_lines(review)).encode()
        dest = Path(os.getcwd(), arguments["dest"]).resolve()
        if run.path in dest.parents:
            raise AnsibleActionFail(
                f"dest: {dest} lies in the run directory, which is never changed: name another place"
            )
        with written_whole(dest) as stream:
            stream.write(sheet)
        removable = sum(use.may_go(review.today, review.unused_days) for use in review.uses.rows())
        for text in review.left_out:
            Display().display(terminal_text(f"The review says nothing of this: {text}", 1000))
        return {"dest": str(dest), "declarations": len(review.uses.rows()), "removable": removable}
