# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.evidence): what one host declares, and what listens on it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, visible
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.names import (
    address_problem,
    declarations_among,
    fact_problem,
    is_declaration,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import changed
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import (
    HOST_SHAPE,
    HOSTS,
    HostEvidence,
    InventoryError,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.listening import Listening
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import listing_of
from ansible_collections.vigil.ports.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import Plain, taken_in
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.problem import Problem
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.outside_addresses import outside_addresses


class ActionModule(Door):
    """Resolves the host's declarations in its own task, runs listeners_info there, and writes both down."""

    _requires_connection = True

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "namespaces": {"type": "str", "choices": ["host", "all"], "default": "host"},
        "owners": {"type": "str", "choices": ["unit", "first", "all"], "default": "all"},
        "packages": {"type": "bool", "default": True},
        "listing": {"type": "bool", "default": True},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        host = str(task_vars["inventory_hostname"])
        known = HostVariables(task_vars, self._task)
        of_host = known.of(host)
        variables, errors = self._declared(known, host)
        is_control = self._connection.transport == "local"
        from_facts = self._addresses_from_facts(known, host)
        errors.extend(map(address_problem, from_facts))
        name = known.resolved(self._templar, of_host, "ansible_host") if of_host.get("ansible_host") else None
        given, reached_at = variables.get("vigil_addresses"), visible(str(name)) if name else None
        outside = {} if from_facts else outside_addresses(given, reached_at, host, is_control=is_control)
        evidence = HostEvidence(
            shape=HOST_SHAPE,
            host=host,
            inventory=variables,
            inventory_errors=tuple(InventoryError(**error.as_dict()) for error in errors),
            outside_addresses={vantage: tuple(addresses) for vantage, addresses in outside.items()},
            is_control=is_control,
            status="failed",
            message=None,
            listening=None,
        )
        run = RunDirectory(Path(arguments["run_dir"]))
        if not arguments["listing"]:
            evidence = changed(evidence, message="it is only scanned in this part, and listed in another one")
            run.write(HOSTS, evidence)
            return {"status": "not listed", "listeners": None, "warnings": [f"{host}: {one}" for one in errors]}
        try:
            options = {key: arguments[key] for key in ("namespaces", "owners", "packages")}
            result = self._execute_module("vigil.ports.listeners_info", module_args=options, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            why = visible(error.message, MESSAGE_LIMIT)
            run.write(HOSTS, changed(evidence, status="unreachable", message=why))
            raise
        except AnsibleError as error:  # no interpreter, become refused, no space for temporary files
            result = {"failed": True, "msg": error.message}
        listing = listing_of(result)
        if isinstance(listing, Listening):
            evidence = changed(evidence, status="gathered", listening=listing)
        else:
            evidence = changed(evidence, message=listing)
        run.write(HOSTS, evidence)
        _inventory, problems = load_inventory(variables)
        problems = (*errors, *problems)
        return _told(host, evidence, problems)

    def _addresses_from_facts(self, known: HostVariables, host: str) -> list[str]:
        """Which of the variables that say where the host is scanned hold what a host said."""
        found = []
        for name in ("ansible_host", "vigil_addresses"):
            with contextlib.suppress(AnsibleError, TypeError):  # it cannot be resolved: that is said of it elsewhere
                if known.rests_on_facts(self._templar, host, name):
                    found.append(name)
        return found

    def _declared(self, known: HostVariables, host: str) -> tuple[dict[str, Plain], list[Problem]]:
        """The host's inventory variables, resolved; and what is wrong: those that could not be, those from facts."""
        variables: dict[str, Plain] = {}
        errors = [fact_problem(name) for name in declarations_among(known.facts(host))]
        of_host = known.of(host)
        for name in sorted(filter(is_declaration, known.without_facts(host))):
            try:
                variables[name] = taken_in(known.resolved(self._templar, of_host, name))
            except (AnsibleError, TypeError) as error:
                errors.append(
                    Problem(name, "a template or a secret", visible(str(error)), "a value that can be resolved")
                )
        return variables, errors


def _told(host: str, evidence: HostEvidence, problems: tuple[Problem, ...]) -> dict[str, Any]:
    """The task's result: short, for the operator; the evidence is on disk."""
    warnings = [f"{host}: {problem}" for problem in problems]
    if evidence.listening is None:
        warnings.append(f"{host}: not assessed: {evidence.message}")
        return {"status": evidence.status, "listeners": None, "warnings": warnings}
    return {"status": evidence.status, "listeners": len(evidence.listening.listeners), "warnings": warnings}
