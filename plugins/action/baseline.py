# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.baseline): what was seen, as proposals in the inventory's files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.basic import missing_required_lib
from ansible.utils.display import Display
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.names import (
    declarations_among,
    fact_problem,
    is_declaration,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.baseline import (
    baseline,
    from_file,
    from_run,
    source_of,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.imported import FORMATS, addresses_of
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.patch import patch, write
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.proposals import HostProposal
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.socket_text import NotUnderstoodError
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.yaml_file import RUAMEL_IMPORT_ERROR
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text


class ActionModule(Door):
    """Reads a run or a file, proposes, and writes into the inventory unless in check mode."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path"},
        "directory": {"type": "path"},
        "owner": {"type": "str"},
        "share": {"type": "int", "default": 100},
        "patch": {"type": "path"},
        "import_file": {"type": "path"},
        "import_format": {"type": "str", "choices": list(FORMATS), "default": "auto"},
        "import_host": {"type": "str"},
        "import_vantage": {"type": "str"},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if RUAMEL_IMPORT_ERROR is not None:
            raise AnsibleActionFail(missing_required_lib("ruamel.yaml")) from RUAMEL_IMPORT_ERROR
        if not 1 <= arguments["share"] <= 100:
            raise AnsibleActionFail(f"share: {arguments['share']} is no share of a group, allowed: 1 to 100 percent")
        known = HostVariables(task_vars, self._task)
        directory = _directory(arguments["directory"], {host: known.of(host) for host in task_vars["groups"]["all"]})
        source, proposals = self._proposals(arguments, task_vars)
        found = baseline(source, proposals, task_vars["groups"], directory, arguments["share"])
        shown = patch(found.changes, directory)
        if arguments["patch"]:
            Path(os.getcwd(), arguments["patch"]).write_text(shown, encoding="utf-8")
        if not self._task.check_mode:
            for change in found.changes:
                write(change)
        for line in found.lines(directory):
            Display().display(terminal_text(line, 1000))
        result: dict[str, Any] = {
            "changed": bool(found.changes),
            "files": [str(change.path) for change in found.changes],
            "entries": dict(found.entries),
            "left_out": {host: list(texts) for host, texts in found.left_out.items()},
            "refused": [{"name": one.name, "why": one.why, "text": one.text} for one in found.refused],
            "warnings": [f"{one.name} was not written: {one.why}" for one in found.refused],
        }
        return {**result, "diff": {"prepared": shown}} if self._task.diff else result

    def _proposals(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> tuple[str, list[HostProposal]]:
        known = HostVariables(task_vars, self._task)
        owner = arguments["owner"] or None
        variables = {host: self._variables(known, host) for host in task_vars["groups"]["all"]}
        if not arguments["import_file"]:
            if not arguments["run_dir"]:
                raise AnsibleActionFail("what to propose from is not given: run_dir or import_file")
            run = RunDirectory(Path(os.getcwd(), arguments["run_dir"]).resolve())
            scope = [host for host in task_vars["ansible_play_hosts_all"] if host in variables]
            return source_of(run), from_run(run, scope, variables, owner)
        path = Path(os.getcwd(), arguments["import_file"])
        known_as = {
            name: host for host in variables for name in addresses_of(host, variables[host], self._address(known, host))
        }
        kind, host, vantage = (arguments[f"import_{name}"] for name in ("format", "host", "vantage"))
        try:
            return f"file {path.name}", from_file(path.read_bytes(), kind, host, known_as, variables, vantage, owner)
        except NotUnderstoodError as error:
            raise AnsibleActionFail(f"{path}: {error}") from error

    def _variables(self, known: HostVariables, host: str) -> dict[str, Any]:
        """The host's variables of the inventory as they are now; what cannot be resolved becomes invalid."""
        variables = known.of(host)
        found: dict[str, Any] = {name: f"{fact_problem(name)}" for name in declarations_among(known.facts(host))}
        for name in sorted(filter(is_declaration, known.without_facts(host))):
            try:
                found.setdefault(name, plain(known.resolved(self._templar, variables, name)))
            except (AnsibleError, TypeError) as error:
                found[name] = f"cannot be resolved: {error}"
        return found

    def _address(self, known: HostVariables, host: str) -> Any:
        variables = known.of(host)
        return known.resolved(self._templar, variables, "ansible_host") if "ansible_host" in variables else None


def _directory(given: str | None, variables: Mapping[str, Mapping[str, Any]]) -> Path:
    """The directory of group_vars and host_vars: the inventory's own, unless another is given."""
    if given:
        return Path(os.getcwd(), given).resolve()
    # Ansible gives a list of hosts (-i web1,) the directory that one stands in.
    directories = {
        one.get("inventory_dir") if os.path.exists(one.get("inventory_file") or "") else None
        for one in variables.values()
    }
    if len(directories) != 1 or None in directories:
        known = ", ".join(sorted(map(str, directories - {None}))) or "none of its hosts is from a file"
        raise AnsibleActionFail(
            f"the inventory does not come from one directory ({known}): say where group_vars and host_vars are to be"
            " written, with -e baseline_dir=DIRECTORY, which Ansible must read them from as well"
        )
    return Path(str(directories.pop())).resolve()
