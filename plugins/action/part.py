# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.part): the end of a run that is a part of a whole."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.utils.display import Display
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.part import no_verdict
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.seal_part import pack_part, seal_part
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text


class ActionModule(Door):
    """Seals a part, packs it where that is wanted, and says that it has no verdict."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "archive_dir": {"type": "path"},
        "signing_key": {"type": "path", "no_log": False},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        run = RunDirectory(Path(os.getcwd(), arguments["run_dir"]).resolve())
        key = Path(os.getcwd(), arguments["signing_key"]) if arguments["signing_key"] else None
        digest = seal_part(run, dt.datetime.now(dt.UTC), key)
        into = arguments["archive_dir"]
        archive = str(pack_part(run, Path(os.getcwd(), into))) if into else None
        said = no_verdict(run.read_run()["part"])
        for line in (said, f"  {archive or run.path}"):
            Display().display(terminal_text(line))
        return {"msg": said, "manifest_sha256": digest, "archive": archive}
