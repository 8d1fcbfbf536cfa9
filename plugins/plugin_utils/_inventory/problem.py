# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong in a declared inventory, as data. This module is private to the collection."""

from __future__ import annotations

import dataclasses
import json


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One error in a declared inventory.

    ``place`` is the path from the variable's name down (``vigil_ports__web[3].prot``), ``value`` what
    stands there as JSON text, ``allowed`` what may stand there.
    """

    place: str
    value: str
    message: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} (found {self.value}; allowed: {self.allowed})"

    def as_dict(self) -> dict[str, str]:
        return dataclasses.asdict(self)


def shown(value: object, limit: int = 120) -> str:
    """A value as short JSON text, for a message."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, default=str)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
