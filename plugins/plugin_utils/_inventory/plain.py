# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables as Ansible hands them over, made plain JSON values.

Ansible marks values with their origin by means of subclasses, and YAML turns an unquoted day into a
date object; neither survives ``json.dumps`` or an exact type check. Text that others wrote comes in here.
This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import DEFAULT_LIMIT, visible

#: What JSON can hold.
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def plain(value: object) -> Plain:
    """The same value in exact JSON types; days become ISO 8601 text.

    Raises TypeError, naming the type, for what has no such form (bytes, sets, objects). A key that
    is not text becomes its text: YAML allows ``80:`` as a key, and the schema then names it as unknown.
    """
    if value is None or isinstance(value, bool):
        return None if value is None else bool(value)
    if isinstance(value, str):
        return str.__str__(value)  # an exact copy, also of a subclass
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, dt.date):  # a datetime is a date too; its text holds a time, which the schema refuses
        return str.__str__(value.isoformat())
    if isinstance(value, Mapping):
        return {_key(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(entry) for entry in value]
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")


def taken_in(value: object, limit: int = DEFAULT_LIMIT) -> Plain:
    """The same value in exact JSON types, each text and each key made visible (see :func:`visible`).

    For all that is not ours: variables, results of modules, messages. Names by which things are found
    again are refused before a run where they would not come out as they are. Raises TypeError as :func:`plain`.
    """
    return _shown(plain(value), limit)


def _shown(value: Plain, limit: int) -> Plain:
    if isinstance(value, str):
        return visible(value, limit)
    if isinstance(value, dict):
        return {visible(key, limit): _shown(entry, limit) for key, entry in value.items()}
    if isinstance(value, list):
        return [_shown(entry, limit) for entry in value]
    return value


def _number(value: float) -> Plain:
    """JSON Schema calls 443.0 an integer, so it is one. JSON has no infinity: the schema refuses its text."""
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() else value


def _key(key: object) -> str:
    return str.__str__(key if isinstance(key, str) else str(key))
