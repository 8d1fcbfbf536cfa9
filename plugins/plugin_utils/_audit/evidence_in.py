# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of one host, read from a run directory. This module is private to the collection."""

from __future__ import annotations

from .._evidence.run_directory import RunDirectory
from .leg import Evidence
from .legs.registry import OF_HOSTS


def evidence_in(run: RunDirectory, host: str) -> Evidence:
    """By leg; empty for a host that left none. Raises EvidenceError for what cannot be used, whichever leg it is of."""
    found = {leg.name: run.read(leg.kept, host) for leg in OF_HOSTS}
    return {name: record for name, record in found.items() if record is not None}
