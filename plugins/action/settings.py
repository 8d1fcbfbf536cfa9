# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.settings): who decides, and whether they agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.agreement import disagreement, may_differ, needed
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.names import (
    OF_A_BASELINE,
    OF_THE_RUN,
    refusal,
    settings_among,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.texts import LISTS, MAPPINGS, problems_of
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._host_variables import HostVariables, InventorySources
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.new_run import SETTINGS, is_what_if

_OF_THE_RUN = (*OF_THE_RUN, *(f"audit_{name}" for name in SETTINGS))
_ONE_FOR_ALL = {"audit": _OF_THE_RUN, "change": _OF_THE_RUN, "baseline": OF_A_BASELINE, "host": ()}


class ActionModule(Door):
    """Refuses settings that come from a host, differ between hosts or have another form; and lost inventories."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "of": {"type": "str", "choices": ["audit", "baseline", "change", "host"], "default": "audit"}
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        known = HostVariables(task_vars, self._task)
        this = str(task_vars["inventory_hostname"])
        hosts = task_vars["ansible_play_hosts_all"]
        problems = list(_lost(InventorySources(task_vars, self._task), arguments["of"]))
        problems += self._claims(known, [*hosts, "localhost"])
        if not problems:
            problems += self._form(known, this)
        is_scanned = arguments["of"] in ("audit", "change")
        scanners = self._scanners(known, this) if not problems and is_scanned else []
        problems += self._claims(known, scanners)
        if arguments["of"] == "change":
            problems += self._day(known, this)
        if not problems:
            problems += self._ways_there(known, [*hosts, *scanners])
        if not problems:
            problems += self._agreement(known, hosts, _ONE_FOR_ALL[arguments["of"]])
        if problems:
            raise AnsibleActionFail("\n".join(problems))
        return {}

    def _refuse_facts(self, task_vars: Mapping[str, Any]) -> None:
        """Left to the work, which names every host."""

    def _form(self, known: HostVariables, host: str) -> Iterable[str]:
        names = sorted({*_OF_THE_RUN, *LISTS, *MAPPINGS} | {n for n in known.of(host) if n.startswith("schedule_")})
        said = ((name, self._value(known, host, name)) for name in names)
        return [problem for name, value in said for problem in problems_of(name, value)]

    def _day(self, known: HostVariables, host: str) -> Iterable[str]:
        day = self._value(known, host, "audit_date")
        if day and is_what_if(str(day), dt.datetime.now(dt.UTC)):
            yield f"audit_date: {day} is not today (UTC), and a change window is about today: leave audit_date out"

    def _ways_there(self, known: HostVariables, hosts: Iterable[str]) -> Iterable[str]:
        """Ansible removes facts with the names of its own connection variables, and not what these are made of."""
        for host in dict.fromkeys(hosts):
            if shadowed := known.shadowed(host):
                variables = known.without_facts(host)
                for name in sorted(name for name in variables if name.startswith("ansible_")):
                    if behind := needed([name], variables) & shadowed - {name}:
                        yield _made_of_facts(f"{name} of {host}", behind, host)

    def _agreement(self, known: HostVariables, hosts: list[str], names: Iterable[str]) -> Iterable[str]:
        variables = {host: known.without_facts(host) for host in hosts}
        shadowed = {host: found for host in hosts if (found := known.shadowed(host))}
        for name in names:
            words = needed([name], variables[hosts[0]])
            host = next((host for host, found in shadowed.items() if words & found), None)
            if host is not None:
                yield _made_of_facts(name, words & shadowed[host], host)
            elif may_differ(name, variables, known.facts):
                said = {host: self._value(known, host, name) for host in hosts}
                if problem := disagreement(name, said):
                    yield problem

    def _claims(self, known: HostVariables, hosts: Iterable[str]) -> list[str]:
        why = refusal({host: settings_among(known.facts(host)) for host in hosts})
        return [why] if why else []

    def _scanners(self, known: HostVariables, host: str) -> list[str]:
        vantages = self._value(known, host, "vigil_vantages")
        if not isinstance(vantages, list):
            return []
        found = [one.get("scanners") for one in vantages if isinstance(one, Mapping)]
        return [str(name) for scanners in found if isinstance(scanners, list) for name in scanners]

    def _value(self, known: HostVariables, host: str, name: str) -> object:
        """A setting as it is for a host. None where it is not set."""
        variables = known.of(host)
        if name not in variables:
            return None
        try:
            return plain(known.resolved(self._templar, variables, name))
        except (AnsibleError, TypeError):
            return "a value that cannot be resolved"


def _lost(sources: InventorySources, of: str) -> Iterable[str]:
    """Hosts that may be missing. In an audit a pattern without a host is a gap; others have no verdict to say so."""
    for source in sources.unparsed():
        yield f"{source}: Ansible could not read this inventory, and hosts may be missing: mend it, or leave it out"
    for one in sources.unmatched() if of in ("baseline", "change") else ():
        place = "--limit" if one["asked_by"] == "limit" else "the hosts of the play (audit_hosts)"
        yield f"{one['pattern']}: it is in {place}, and matches no host of the inventory: correct it, or leave it out"


def _made_of_facts(name: str, behind: Iterable[str], host: str) -> str:
    return (
        f"{name}: it is made of {', '.join(sorted(behind))}, and a fact of {host} has that name: Ansible would take the"
        " fact. Clear the facts (meta: clear_facts), or give the variable another name"
    )
