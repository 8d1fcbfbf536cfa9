# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule is. Each has a file of its own in ``rules``, and ``rules/registry.py`` lists them.

This module is private to the collection.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from .._inventory.declared import PortException
    from .finding import Finding
    from .host_view import HostView
    from .ways import Subject

#: From least to most grave. ``error`` is of another kind: it could not be told.
SEVERITIES = ("info", "low", "medium", "high", "critical")


def severity_rank(severity: str) -> int:
    """0 for ``info`` to 4 for ``critical``; ``error`` stands above all."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


#: What one test case in a JUnit report stands for.
Case = Literal[
    "assessment", "host", "vantage", "declaration", "exception", "review", "service", "packets", "breadth", "acceptance"
]
DECLARATION_CASE = "{protocol}/{declared_port}{inside} is as declared"
EXCEPTION_CASE = "exception for {protocol}/{port}{inside}"

#: What must have been looked at: ``inside`` is the host's own listing of the protocol and namespace, ``outside`` the
#: ports from the finding's vantage point (from every one where it names none), ``service`` what answers there,
#: ``declared`` the declarations, ``again`` what could not be told.
Needs = frozenset[str]
#: All of the host, as the run was asked to look at it, was assessed.
EVERYTHING: Needs = frozenset(("everything",))
_NEEDS = EVERYTHING | {"inside", "outside", "service", "declared", "again"}

#: A way out of a failed finding, as ``ways.py`` makes them.
Way = Callable[["Subject"], Mapping[str, Any]]


class Metric(NamedTuple):
    """A number of its own for the failed findings of a rule: the name of the metric, and its help text."""

    name: str
    about: str


class Use(NamedTuple):
    """Whether an exception excused a finding, and whether the run looked for all that it may excuse."""

    used: bool
    looked_for: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of verdict, and everything about it."""

    id: str
    """Its name, that of its file with hyphens."""
    title: str
    """What a failed finding says, in a few words."""
    severity: str
    """How grave it is, unless a finding says otherwise; ``error`` for what could not be told."""
    case: Case
    """What one test case in a JUnit report stands for."""
    case_name: str
    """The name of that case, with ``protocol``, ``port``, ``declared_port``, ``inside`` (``in NAMESPACE``) and
    ``from_vantage`` (``from NAME``) in braces. It says what holds when the case passes."""
    when: str
    """When it fails. Markdown."""
    remedy: str
    """What to do."""
    controls: tuple[str, ...]
    """Controls of standards that it speaks to."""
    needs: Needs
    """What must have been looked at before a finding that is no longer there is resolved."""
    excused: Literal["by any", "by name", "never"]
    """Which exceptions excuse it: any for its port, only those that name it, or none."""
    declare: Way
    """How to declare what was found."""
    except_for_a_time: Way
    """How to except it."""
    close: Way
    """How to close it."""
    judge: Callable[[HostView], Iterator[Finding]] | None = None
    """The check over one host."""
    judge_hidden: Callable[[HostView, bool], Iterator[Finding]] | None = None
    """A check after those, which knows whether host and scans disagreed when the host had been listed once."""
    judge_exception: Callable[[HostView, PortException, Use], Iterator[Finding]] | None = None
    """The check over one exception, after all findings."""
    disagreeing: Callable[[HostView, Finding], Iterable[int]] | None = None
    """The ports of a failed finding of which host and scans say different things."""
    needs_to_be_milder: Needs | None = None
    """What must have been looked at before a finding is milder than it was; None: what ``needs`` has."""
    metric: Metric | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", self.id):
            raise ValueError(f"rule {self.id!r}: an id is words in lower case with hyphens")
        if self.severity not in (*SEVERITIES, "error"):
            raise ValueError(f"rule {self.id}: severity {self.severity!r}, expected one of {', '.join(SEVERITIES)}")
        unknown = (self.needs | (self.needs_to_be_milder or frozenset())) - _NEEDS
        if unknown or not self.needs:
            raise ValueError(f"rule {self.id}: needs {sorted(unknown)}, expected some of {', '.join(sorted(_NEEDS))}")
        empty = [name for name in ("title", "case_name", "when", "remedy", "controls") if not getattr(self, name)]
        if empty:
            raise ValueError(f"rule {self.id}: {empty[0]} is empty")
