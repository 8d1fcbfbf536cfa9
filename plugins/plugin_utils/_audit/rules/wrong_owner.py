# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that a listener is of the process, user and unit that are declared.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._evidence.observed import Listener
from ..._inventory.declared import Declaration
from ..as_seen import owners_as_declared
from ..finding import Finding, about_declaration
from ..host_view import HostView, covers
from ..owner_match import deviations, only_by_name, unknowns
from ..rule import DECLARATION_CASE, Rule
from ..ways import Subject, by_exception, by_stopping, corrected
from ..who import who
from . import controls


def judge(view: HostView) -> Iterator[Finding]:
    """For each declaration that names one and has a listener; of a range for each port that is wrong."""
    for declaration in view.inventory.declarations:
        covered = view.listeners_of(declaration) if declaration.names_owner else ()
        listeners = [one for one in covered if view.speaks_first(declaration, one.port, one.namespace)]
        by_port: dict[int, list[Listener]] = {}
        for listener in listeners:
            by_port.setdefault(listener.port, []).append(listener)
        wrong = [one for port, some in sorted(by_port.items()) for one in _wrong_owner(view, declaration, port, some)]
        if listeners and not wrong:
            message = f"{who(listeners[0])}, as declared{only_by_name(declaration, listeners[0])}"
            yield about_declaration(RULE, "pass", view.host, declaration, message)
        yield from wrong


def _wrong_owner(view: HostView, declaration: Declaration, port: int, listeners: list[Listener]) -> Iterator[Finding]:
    """What is wrong, or not known, of the owners of one port."""
    wrong = [text for listener in listeners for text in deviations(declaration, listener)]
    unknown = [text for listener in listeners for text in unknowns(declaration, listener)]
    if wrong:
        message, rest = f"{declaration.protocol}/{port}: {wrong[0]}", (*wrong[1:], *_nor(view, declaration, listeners))
        yield about_declaration(RULE, "fail", view.host, declaration, message, port=port, details=rest)
    elif unknown:
        gap = f"{view.host}:owner-unknown:{declaration.protocol}/{port}"
        message = f"{declaration.protocol}/{port}: {unknown[0]}"
        yield about_declaration(RULE, "not_assessed", view.host, declaration, message, port=port, gap=gap)


def _nor(view: HostView, declaration: Declaration, listeners: list[Listener]) -> Iterator[str]:
    """What other declarations of the port, for other processes, have against its listeners."""
    for rival in view.inventory.rivals.get(id(declaration), ()):
        for listener in listeners:
            if covers(rival, listener, view.own_addresses):
                yield from (f"{text} ({rival.place})" for text in deviations(rival, listener))


def _as_seen(subject: Subject, declaration: Declaration) -> dict[str, Any]:
    seen = owners_as_declared(subject.listeners)
    named = {key for key in ("process", "user", "unit") if getattr(declaration, key)}
    return {key: seen.get(key) for key in named} if seen.keys() & named else {}


RULE = Rule(
    id="wrong-owner",
    title="another process, user or unit listens than the declared one",
    severity="high",
    case="declaration",
    case_name=DECLARATION_CASE,
    when="The declaration names `process`, `user` or `unit`, and what listens is another.",
    remedy="Find out who started the process that listens; if it is right, correct the declaration.",
    controls=controls.OWNER,
    needs=frozenset(("inside",)),
    excused="by any",
    declare=corrected(_as_seen),
    except_for_a_time=by_exception,
    close=by_stopping,
    judge=judge,
)
