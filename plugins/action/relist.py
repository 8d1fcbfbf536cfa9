# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.relist): what listens on a host when it is looked at again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, visible
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import changed
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import (
    RELISTED,
    RELISTED_SHAPE,
    RelistedEvidence,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.listening import Listening
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.values import AskedPorts
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import listing_of


class ActionModule(Door):
    """Runs listeners_info a second time, tries ports with bind(), and writes it beside the first listing."""

    _requires_connection = True

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "ports": {
            "type": "dict",
            "required": True,
            "options": {protocol: {"type": "str", "default": ""} for protocol in ("tcp", "udp")},
        },
        "verify_bind": {"type": "bool", "default": True},
        "namespaces": {"type": "str", "choices": ["host", "all"], "default": "host"},
        "owners": {"type": "str", "choices": ["unit", "first", "all"], "default": "all"},
        "packages": {"type": "bool", "default": True},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        host = str(task_vars["inventory_hostname"])
        run = RunDirectory(Path(arguments["run_dir"]))
        asked = arguments["ports"]
        evidence = RelistedEvidence(
            shape=RELISTED_SHAPE, host=host, asked=AskedPorts(**asked), status="failed", message=None, listening=None
        )
        options = {key: arguments[key] for key in ("namespaces", "owners", "packages")}
        if arguments["verify_bind"]:
            options["verify_bind"] = {protocol: [ports] if ports else [] for protocol, ports in asked.items()}
        try:
            result = self._execute_module("vigil.ports.listeners_info", module_args=options, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            why = visible(error.message, MESSAGE_LIMIT)
            run.write(RELISTED, changed(evidence, status="unreachable", message=why))
            raise
        except AnsibleError as error:  # no interpreter, become refused, no space for temporary files
            result = {"failed": True, "msg": error.message}
        listing = listing_of(result)
        if isinstance(listing, Listening):
            run.write(RELISTED, changed(evidence, status="listed", listening=listing))
            return {"status": "listed", "listeners": len(listing.listeners), "warnings": []}
        run.write(RELISTED, changed(evidence, message=listing))
        return {"status": "failed", "listeners": None, "warnings": [f"{host}: could not be listed again: {listing}"]}
