# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a leg is: a source of evidence. Each has a file of its own in ``legs``, and ``legs/registry.py`` lists them.

This module is private to the collection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

from .._evidence.codec import Record
from .._evidence.kept import Kept, R

if TYPE_CHECKING:
    from .finding import Finding
    from .host_view import HostView
    from .seen_from_outside import SeenFromOutside

#: The evidence of one host, by the name of the leg. A leg without evidence of the host is missing.
Evidence = Mapping[str, Record]


class Looked(NamedTuple):
    """What a leg knows when it says what could not be told of a host."""

    view: HostView
    evidence: Evidence
    outside: SeenFromOutside


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Leg(Generic[R]):
    """A source of evidence, and everything about it but its rules."""

    name: str
    """What it is called in results and gaps."""
    title: str
    """What it tells of a host, as the coverage table of reports has it."""
    kept: Kept[R]
    """Where its evidence of a host or a vantage point is kept."""
    told: Callable[[Looked], bool]
    """Whether it tells of the host."""
    expected: Callable[[Mapping[str, Any]], bool] = lambda _run: False
    """Whether a run with these settings is to have it of each host. Without evidence that is a gap."""
    gaps: Callable[[Looked], Iterator[Finding]] = lambda _looked: iter(())
    """What it could not tell of the host, by name."""

    @property
    def is_of_hosts(self) -> bool:
        """Whether each host has a file of its own."""
        return self.kept.of == "host"

    def of(self, evidence: Evidence) -> R | None:
        """Its evidence of the host; None where there is none."""
        record = evidence.get(self.name)
        if record is not None and not isinstance(record, self.kept.record):
            raise TypeError(f"evidence of the leg {self.name} is a {type(record).__name__}")
        return record
