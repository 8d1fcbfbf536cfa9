# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.verify): a run directory in, what is wrong with it out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.utils.display import Display
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.verify_run import verify_run


class ActionModule(Door):
    """Checks a run directory, shows every problem, and fails when there is one."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "allowed_signers": {"type": "path"},
        "signer": {"type": "str"},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        allowed = Path(os.getcwd(), arguments["allowed_signers"]) if arguments["allowed_signers"] else None
        run = RunDirectory(Path(os.getcwd(), arguments["run_dir"]).resolve())
        verdict = verify_run(run, allowed, arguments["signer"] or None)
        for line in verdict.lines():
            Display().display(line)
        return {
            "failed": bool(verdict.problems),
            "msg": verdict.sentence(),
            "problems": [{key: terminal_text(text) for key, text in one._asdict().items()} for one in verdict.problems],
            "notes": list(map(terminal_text, verdict.notes)),
        }
