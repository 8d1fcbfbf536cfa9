# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What could not be told of a host, leg by leg. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .finding import Finding
from .leg import Looked
from .legs.registry import LEGS
from .rules.not_assessed import gap


def gaps_of_host(run: Mapping[str, Any], looked: Looked) -> Iterator[Finding]:
    """A leg that the run was to have, and has not, is a gap, whatever the leg is."""
    host = looked.view.host
    for leg in LEGS:
        if leg.expected(run) and leg.of(looked.evidence) is None:
            message = f"the run was to find out {leg.title}, and there is no evidence of it"
            yield gap(f"{host}:no-evidence:{leg.name}", message, host=host)
        else:
            yield from leg.gaps(looked)
