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
        options = {key: arguments[key] for key in ("namespaces", "owners", "packages")}
        if arguments["verify_bind"]:
            options["verify_bind"] = {protocol: [ports] if ports else [] for protocol, ports in asked.items()}
        try:
            result = self._execute_module("vigil.ports.listeners_info", module_args=options, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            lost = {"status": "unreachable", "message": visible(error.message, MESSAGE_LIMIT), "listening": None}
            run.write_relisted(host, {"asked": asked, **lost})
            raise
        except AnsibleError as error:  # no interpreter, become refused, no space for temporary files
            result = {"failed": True, "msg": error.message}
        evidence = listing_of(result, "listed")
        run.write_relisted(host, {"asked": asked, **evidence})
        if evidence["listening"] is None:
            warning = f"{host}: could not be listed again: {evidence['message']}"
            return {"status": evidence["status"], "listeners": None, "warnings": [warning]}
        return {"status": evidence["status"], "listeners": len(evidence["listening"]["listeners"]), "warnings": []}
