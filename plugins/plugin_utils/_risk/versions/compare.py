# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of two versions of a package is the newer one. This module is private to the collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import apk, deb, rpm
from .unreadable import UnreadableVersion

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("MANAGERS", "UnreadableVersion", "check", "compare")

_KEYS = {"dpkg": deb.key, "rpm": rpm.key, "apk": apk.key}

#: The package managers whose versions can be compared.
MANAGERS = frozenset(_KEYS)


def compare(manager: str, left: str, right: str) -> int:
    """-1, 0 or 1: left is older than right, the same, or newer, by the rules of its manager (dpkg, rpm or apk).

    Two versions that are written differently may be the same (1.0 and 1.0-0 of dpkg). Raises UnreadableVersion for what
    is not a version, and for a manager whose versions nobody knows how to compare.
    """
    key = _key(manager, left)
    first, second = key(left), key(right)
    return (first > second) - (first < second)


def check(manager: str, version: str) -> None:
    """Raises UnreadableVersion where it is not a version."""
    _key(manager, version)(version)


def _key(manager: str, version: str) -> Callable[[str], tuple[object, ...]]:
    try:
        return _KEYS[manager]
    except KeyError:
        raise UnreadableVersion(
            manager, version, "the rules of this package manager are not known", " or ".join(sorted(MANAGERS))
        ) from None
