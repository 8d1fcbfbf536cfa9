# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machine this is, so that a name of the inventory cannot lead to another one unseen.

A machine has two names here. ``id`` is for years: a digest of machine-id(5), which is confidential and so never leaves
the machine as it is. Clones of an image share it. ``stack`` is for one boot: a digest of the kernel's boot id and of
the network namespace. No two network stacks share it, clones and containers among them. This module is private to the
collection.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any, Iterable

_SALT = b"vigil.ports machine\0"
_MACHINE_ID = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_BOOT_ID = "/proc/sys/kernel/random/boot_id"  # random(4)
_DIGITS = 32


def machine(addresses: Iterable[str], proc: str = "/proc") -> dict[str, Any]:
    """``id`` and ``stack``, null where the system does not tell, and ``addresses`` without those of loopback."""
    boot = _first_line((_BOOT_ID,))
    try:
        namespace: str | None = os.readlink(os.path.join(proc, "self", "ns", "net"))
    except OSError:
        namespace = None
    return {
        "id": _digest(_first_line(_MACHINE_ID)),
        "stack": _digest(f"{boot} {namespace}") if boot and namespace else None,
        "addresses": sorted({one for one in addresses if not one.startswith("127.") and one != "::1"}),
    }


def _first_line(paths: Iterable[str]) -> str | None:
    for path in paths:
        try:
            with open(path, encoding="utf-8") as stream:
                text = stream.readline().strip()
        except (OSError, ValueError):
            continue
        if text and text != "uninitialized":
            return text
    return None


def _digest(text: str | None) -> str | None:
    return hashlib.sha256(_SALT + text.encode()).hexdigest()[:_DIGITS] if text else None
