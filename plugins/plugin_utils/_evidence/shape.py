# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes back from a host or a scanner, held against the schema before it is evidence.

A module's result is whatever the other side sent: one host must not be able to stop the audit of all.
This module is private to the collection.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._inventory.schema import schema_validator
from .observed import Listener, ScannedTarget, address_of

#: ``schemas/`` of the collection, seen from ``plugins/plugin_utils/_evidence``.
_SCHEMA_FILE = Path(__file__).resolve().parents[3] / "schemas" / "evidence.schema.json"


def listing_problem(listening: Mapping[str, Any]) -> str | None:
    """Why the result of listeners_info cannot be evidence; None when it can."""
    problem = _problem("listening", listening)
    if problem is None:
        try:
            for row in listening["listeners"]:
                Listener.read(row)
            for row in listening["addresses"]:
                address_of(row["address"])
        except ValueError as error:
            problem = str(error)
    return problem


def scan_problem(result: Mapping[str, Any]) -> str | None:
    """Why the result of scan_info cannot be evidence; None when it can."""
    problem = _problem("scan_coverage", result["coverage"])
    for row in result["targets"]:
        problem = problem or _problem("target", row)
        if problem is None:
            try:
                ScannedTarget.read("", "", row)
            except ValueError as error:
                problem = str(error)
    return problem


def _problem(kind: str, value: object) -> str | None:
    error = next(iter(_validator(kind).iter_errors(value)), None)
    if error is None:
        return None
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return f"{kind}{place} is not as schemas/evidence.schema.json says: {str(error.message)[:200]}"


@functools.cache
def _validator(kind: str) -> Any:
    schema = json.loads(_SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema_validator({**{key: schema[key] for key in ("$schema", "$defs")}, "$ref": f"#/$defs/{kind}"})
