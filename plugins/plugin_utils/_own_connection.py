# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A delegated task connects to the host that it is delegated to, whatever that host's variables are made of.

In such a task Ansible gives ``inventory_hostname`` the name of the host that delegates (VariableManager,
get_delegated_vars_and_hostname). ``ansible_host: "{{ inventory_hostname }}.example"`` for all hosts then led each scan
to the host that was to be scanned. This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError

from ._authority.agreement import needed

Variables = Mapping[str, Any]
Resolve = Callable[[Variables, str], object]


class LeadsElsewhereError(Exception):
    """A variable that cannot be set right for the connection; the text names it and the way out."""


def connect_as_itself(connection: Any, task_vars: Variables, host: str, resolve: Resolve) -> None:
    """Sets the options of the connection that Ansible resolved for another host as ``host``'s own variables say.

    ``resolve`` gives a variable of some variables, its templates resolved. To be called before anything is sent.
    Raises LeadsElsewhereError for what is not an option of the connection: the plugin itself, the interpreter, become.
    """
    delegated = task_vars.get("ansible_delegated_vars", {}).get(host)
    if delegated is None or delegated.get("inventory_hostname") == host:
        return
    own = {**delegated, "inventory_hostname": host}
    options = _options_by_variable(connection)
    for name in options.keys() | {name for name in delegated if name.startswith("ansible_")}:
        if name not in delegated or "inventory_hostname" not in needed([name], delegated):
            continue
        try:
            right = resolve(own, name)
            if resolve(delegated, name) == right:
                continue
        except AnsibleError:
            continue  # Ansible says it itself, where the variable is used
        if name not in options:
            raise LeadsElsewhereError(
                f"{name} of {host} is made of inventory_hostname, which is the name of the audited host where a task is"
                f" delegated: write it out for {host}"
            )
        connection.set_option(options[name], right)


def _options_by_variable(connection: Any) -> dict[str, str]:
    """Which option of the connection each variable sets."""
    plugin = connection._load_name
    definitions = constants.config.get_configuration_definitions("connection", plugin)
    return {
        str(variable["name"]): str(option)
        for option, definition in definitions.items()
        for variable in definition.get("vars") or ()
        if variable["name"] not in ("inventory_hostname", "delegated_vars['ansible_host']")
    }
