# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which addresses a host is seen from outside. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._inventory.plain import Plain


def addresses_for(outside: Mapping[str, Sequence[str]], vantage: str) -> Sequence[str]:
    """By which addresses a host is to be scanned from a vantage point; ``outside`` as below."""
    return outside.get(vantage, outside.get("default", ()))


def outside_addresses(given: Plain, ansible_host: str | None, name: str, *, is_control: bool) -> dict[str, list[str]]:
    """Addresses by vantage point; ``default`` is for those that are not named.

    Without ``vigil_addresses`` it is where Ansible reaches the host; the control node itself is reached
    through its loopback address. A value of another shape gives nothing: the schema names the error.
    """
    if isinstance(given, list):
        return {"default": [str(address) for address in given]}
    if isinstance(given, Mapping):
        rows: Mapping[str, Any] = given
        return {key: [str(address) for address in value] for key, value in rows.items() if isinstance(value, list)}
    if is_control and ansible_host in (None, "localhost"):
        return {"default": ["127.0.0.1"]}
    return {"default": [ansible_host or name]}
