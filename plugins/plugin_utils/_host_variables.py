# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible knows and shows no plugin: where a variable comes from, and what became of the inventory.

The one place that looks into ansible-core. This module is private to the collection.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.inventory.manager import IGNORED, split_host_pattern
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible.utils.path import unfrackpath

#: Ansible asks it where nobody gives an inventory, and does not mind when it is not there.
_DEFAULT_SOURCE = "/etc/ansible/hosts"

Variables = dict[str, Any]


class _FactsBehind:
    """In the place of Ansible's cache of facts: no fact has a name that something else has as well."""

    def __init__(self, cache: Any, taken: Callable[[str], Collection[str]]) -> None:
        self._cache, self._taken = cache, taken

    def get(self, host: str, *_default: object) -> Variables:
        facts = _facts(self._cache, host)
        taken = self._taken(host) if facts else ()
        return {name: value for name, value in facts.items() if name not in taken}


class _NoFacts:
    def get(self, _host: str, *_default: object) -> Variables:
        return {}


def _facts(cache: Any, host: str) -> Variables:
    try:
        return cache.get(host) or {}
    except KeyError:
        return {}


class HostVariables:
    """The variables of hosts as a task has them, but for one thing: a fact stands before nothing else.

    So what the inventory, the play or the command line says holds, whatever the host answers.
    """

    def __init__(self, task_vars: Mapping[str, Any], task: Task) -> None:
        try:
            self._manager = task_vars["hostvars"]._variable_manager
            self._inventory = task_vars["hostvars"]._inventory
            self._cache = self._manager._fact_cache
        except (KeyError, AttributeError) as error:
            raise AnsibleActionFail(
                f"this ansible-core does not say where a variable comes from ({error}): use one that README.md names"
            ) from error
        self._task = task
        self._known: dict[str, Variables] = {}
        self._templar: tuple[Variables, Templar] | None = None

    def facts(self, host: str) -> Variables:
        """What modules said of the host, by the names that they used."""
        return _facts(self._cache, host)

    def without_facts(self, host: str) -> Variables:
        """The host's variables as if there were no facts; templates are not resolved. None of a host nobody knows."""
        if self._inventory.get_host(host) is None:
            return {}
        if host not in self._known:
            with self._facts_from(_NoFacts()):
                self._known[host] = self._of(host)
        return self._known[host]

    def shadowed(self, host: str) -> set[str]:
        """Names of variables that facts of the host stand before, as Ansible resolves them."""
        names = self.facts(host).keys() & self.without_facts(host).keys()
        if not names:
            return set()
        found = self._of(host)
        return {name for name in names if found[name] != self.without_facts(host)[name]}

    def of(self, host: str) -> Variables:
        """The host's variables with its facts behind them; templates are not resolved."""
        if not self.facts(host):
            return self.without_facts(host)
        with self._facts_from(_FactsBehind(self._cache, self.without_facts)):
            return self._of(host)

    def resolved(self, templar: Templar, variables: Variables, name: str) -> object:
        """One of the variables that ``of`` gave, its templates resolved. Raises AnsibleError where they cannot be.

        The same holds for the variables of each other host that a template asks for (``hostvars``).
        """
        if self._templar is None or self._templar[0] is not variables:  # to make one takes longer than a template
            self._templar = (variables, templar.copy_with_new_env(available_variables=variables))
        with self._facts_from(_FactsBehind(self._cache, self.without_facts)):
            return self._templar[1].template(variables[name])

    def rests_on_facts(self, templar: Templar, host: str, name: str) -> bool:
        """Whether the host's variable is another one, or none, without what hosts said. Raises as ``resolved``."""
        variables = self.without_facts(host)
        if name not in variables:
            return False
        said = self.resolved(templar, self.of(host), name)
        try:
            with self._facts_from(_NoFacts()):
                return bool(templar.copy_with_new_env(available_variables=variables).template(variables[name]) != said)
        except (AnsibleError, TypeError):
            return True

    @contextlib.contextmanager
    def _facts_from(self, source: Any) -> Iterator[None]:
        before, self._manager._fact_cache = self._manager._fact_cache, source
        try:
            yield
        finally:
            self._manager._fact_cache = before

    def _of(self, name: str) -> Variables:
        host = self._inventory.get_host(name)
        if host is None:
            raise AnsibleActionFail(f"{name}: the host is not in the inventory")
        found: Variables = self._manager.get_vars(play=self._task.get_play(), host=host, task=self._task)
        return found


class InventorySources:
    """What was asked of Ansible, and what it found."""

    def __init__(self, task_vars: Mapping[str, Any], task: Task) -> None:
        try:
            self._inventory = task_vars["hostvars"]._inventory
            self._sources = self._inventory._sources
            self._parsed = set(map(str, self._inventory._inventory.processed_sources))
        except (KeyError, AttributeError) as error:
            raise AnsibleActionFail(
                f"this ansible-core does not say which inventories it read ({error}): use one that README.md names"
            ) from error
        self._task = task

    def unparsed(self) -> list[str]:
        """Inventories that were given and that Ansible could not read; it only warns of them."""
        return [path for source in self._sources if source for path in self._unparsed(str(source))]

    def _unparsed(self, source: str) -> Iterator[str]:
        if "," in source:  # a list of hosts
            if source not in self._parsed:
                yield source
            return
        path = unfrackpath(source, follow=False)
        if os.path.isdir(path):
            names = sorted(name for name in os.listdir(path) if not IGNORED.search(os.fsencode(name)))
            for name in names:
                yield from self._unparsed(os.path.join(path, name))
        elif path not in self._parsed and (path != _DEFAULT_SOURCE or os.path.exists(path)):
            yield path

    def unmatched(self) -> list[dict[str, str]]:
        """Patterns of hosts that were asked for and match none: each with what it stands in, the play or the limit."""
        asked = {"play": self._task.get_play().hosts, "limit": _limit()}
        return [
            {"asked_by": where, "pattern": pattern}
            for where, patterns in asked.items()
            for pattern in dict.fromkeys(filter(None, split_host_pattern(patterns or [])))
            if not pattern.startswith(("!", "&")) and not self._matches(pattern)
        ]

    def _matches(self, pattern: str) -> bool:
        try:
            found = self._inventory.get_hosts(pattern=pattern, ignore_limits=True, ignore_restrictions=True)
        except AnsibleError:  # a subscript that is out of range; ANSIBLE_HOST_PATTERN_MISMATCH=error
            return False
        return bool(found)


def _limit() -> list[str]:
    """The patterns of ``--limit``; those of a file, one a line, where it names one (``@file``)."""
    patterns: list[str] = []
    for pattern in filter(None, split_host_pattern(context.CLIARGS.get("subset") or [])):
        if pattern.startswith("@"):
            patterns.extend(line.strip() for line in Path(pattern[1:]).read_text(encoding="utf-8").splitlines())
        else:
            patterns.append(pattern)
    return patterns
