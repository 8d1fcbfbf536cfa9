# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a run are one for all its hosts. Pure. This module is private to the collection.

Ansible resolves them on the first host. Where another host would have said something else, the order of the inventory
would decide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .names import SECRET

Variables = Mapping[str, Any]

_WORD = re.compile(r"[A-Za-z_]\w*")
#: Words of a template that stand for any variable, or for each host's own.
_ANYTHING = frozenset(("hostvars", "vars", "varnames", "lookup", "query", "q"))

_MOST_NAMED = 3
_NOT_THERE = object()


def needed(names: Iterable[str], variables: Variables) -> set[str]:
    """The names, and every word of the templates that they are made of, down to the last."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(_words_of(variables.get(name)))
    return found


def _words_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            yield from _WORD.findall(value)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _words_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _words_of(part)


def may_differ(name: str, everyone: Mapping[str, Variables], facts: Callable[[str], Iterable[str]]) -> bool:
    """False where the setting is made of the same on all hosts, so that it need not be resolved on each.

    ``facts`` gives the names of a host's facts.
    """
    first = next(iter(everyone.values()))
    words = needed([name], first)
    if len(words) > 1 and (words & _ANYTHING or any(not words.isdisjoint(facts(host)) for host in everyone)):
        return True
    return any(
        not _same(variables.get(word, _NOT_THERE), first.get(word, _NOT_THERE))
        for variables in everyone.values()
        for word in words
    )


def _same(one: object, other: object) -> bool:
    return one is other or one == other


def disagreement(name: str, said: Mapping[str, object]) -> str | None:
    """What is wrong where hosts say different things of a setting; None where they agree. ``said``: by host."""
    by_value: dict[str, list[str]] = {}
    for host, value in said.items():
        by_value.setdefault(_text(value), []).append(host)
    if len(by_value) == 1:
        return None
    shown = (
        f"{text if name not in SECRET else 'another value' if number else 'one value'} on {_names(hosts)}"
        for number, (text, hosts) in enumerate(sorted(by_value.items(), key=lambda one: (-len(one[1]), one[0])))
    )
    return (
        f"{name}: the hosts of this run do not agree: {', '.join(shown)}. It is a setting of the run: give it once, in"
        " the group all, in the play or with -e, or audit these hosts in runs of their own"
    )


def _text(value: object) -> str:
    """Text and numbers as themselves, so that 14 and "14" are one value."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value) if isinstance(value, str | int) else json.dumps(value, sort_keys=True, default=str)
    return text or '""'


def _names(hosts: list[str]) -> str:
    more = len(hosts) - _MOST_NAMED
    return ", ".join(hosts[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
