# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declared inventory, from any JSON value: every entry is declared, or there are problems and nothing is."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.port_range import DynamicPort
from ansible_collections.vigil.ports.tests.fuzz.corpus_files import saved
from ansible_collections.vigil.ports.tests.fuzz.targets.pieces import edited

GOOD = json.loads(saved("inventory")["whole"])


def target(data: bytes) -> None:
    """JSON, or else a script of changes to a good inventory (see :func:`edited`)."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = edited(GOOD, data)
    if isinstance(value, dict):
        check(value)


def check(value: dict[str, Any]) -> None:
    """``value`` are variables by name."""
    variables: Any = plain(value)
    inventory, problems = load_inventory(variables)
    for problem in problems:
        assert str(problem).startswith(problem.place)
        json.dumps(problem.as_dict(), allow_nan=False)
    if problems:
        assert not inventory.declarations
        assert not inventory.exceptions
        return
    assert len(inventory.declarations) == written(variables, "vigil_ports")
    assert len(inventory.exceptions) == written(variables, "vigil_exceptions")
    for one in inventory.declarations:
        if isinstance(one.port, DynamicPort):
            assert one in inventory.dynamic
            continue
        assert 1 <= one.port.first <= one.port.last <= 65535
        assert one in inventory.declarations_for(one.protocol, one.port.first, one.namespace)


def written(variables: dict[str, Any], stem: str) -> int:
    """How many ports and ranges all layers of a kind name."""
    layers = [layer for name, layer in variables.items() if name == stem or name.startswith(f"{stem}__")]
    ports = [entry["port"] for layer in layers for entry in layer]
    return sum(len(port) if isinstance(port, list) else 1 for port in ports)
