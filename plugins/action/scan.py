# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.scan): one scanner's share of a vantage point's scan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scan_plan import ScanPlan, scan_plan


class ActionModule(Door):
    """Plans from the evidence of the hosts, runs scan_info at the scanner, and writes down what it saw."""

    _requires_connection = True

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "share": {
            "type": "dict",
            "required": True,
            "options": {
                "vantage": {"type": "str", "required": True},
                "scanner": {"type": "str", "required": True},
                "index": {"type": "int", "default": 0},
                "of": {"type": "int", "default": 1},
            },
        },
        "engine": {"type": "str", "choices": ["auto", "nmap", "connect"], "default": "auto"},
        "versions": {"type": "bool", "default": True},
        "rate": {"type": "int"},
        "timeout": {"type": "int"},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        run = RunDirectory(Path(arguments["run_dir"]))
        share = arguments["share"]
        asked = run.read_run()
        hosts = (known for host in asked["hosts"] if (known := run.read_host(host)) is not None)
        is_control = self._connection.transport == "local"
        plan = scan_plan(hosts, share, asked["settings"]["scan_depth"], scanner_is_control=is_control)
        evidence: dict[str, Any] = {
            "scanner": share["scanner"],
            "plan": plan.as_dict(),
            "status": "scanned",
            "message": None,
            "targets": _refused(plan),
            "coverage": None,
        }
        if plan.targets:
            evidence.update(self._scan(run, evidence, plan, arguments, task_vars))
        run.add_scan(share["vantage"], evidence)
        warnings = [] if evidence["status"] == "scanned" else [f"{share['vantage']}: {evidence['message']}"]
        return {"status": evidence["status"], "targets": len(evidence["targets"]), "warnings": warnings}

    def _scan(
        self,
        run: RunDirectory,
        evidence: Mapping[str, Any],
        plan: ScanPlan,
        arguments: Mapping[str, Any],
        task_vars: Mapping[str, Any],
    ) -> dict[str, Any]:
        options = {
            key: arguments[key] for key in ("engine", "versions", "rate", "timeout") if arguments[key] is not None
        }
        question = {"ports": list(plan.ports), "udp_ports": list(plan.udp_ports), "top_ports": plan.top_ports}
        module_args = {"targets": list(plan.targets), **question, **options}
        try:
            result = self._execute_module("vigil.ports.scan_info", module_args=module_args, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            run.add_scan(arguments["share"]["vantage"], {**evidence, "status": "unreachable", "message": error.message})
            raise
        except AnsibleError as error:  # no interpreter, become refused, no space for temporary files
            result = {"failed": True, "msg": error.message}
        if result.get("failed") or "targets" not in result:
            why = result.get("msg") or result.get("module_stderr") or "the module gave no result"
            return {"status": "failed", "message": str(why)[:2000]}
        return {"targets": [*evidence["targets"], *plain(result["targets"])], "coverage": plain(result["coverage"])}  # type: ignore[misc]


def _refused(plan: ScanPlan) -> list[dict[str, Any]]:
    """Targets that no scanner was sent to, in the shape of those that were."""
    nothing: dict[str, Any] = {"states": [], "unknown": [], "endpoints": []}
    return [{**row, "status": "refused", **nothing} for row in plan.refused]
