# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of which form a setting is. Pure. This module is private to the collection.

A setting ends in files that others read: metrics, units of systemd, crontabs, reports. So no text holds a character
that means something there and shows nothing here; but for the label, which is made visible.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import PurePath

#: Settings that are lists or mappings. On a command line ``-e name=value`` gives text.
LISTS = frozenset(
    (
        "audit_accept_gaps",
        "audit_merge_parts",
        "audit_part_vantages",
        "notify_channels",
        "schedule_arguments",
        "schedule_jobs",
        "vigil_vantages",
    )
)
MAPPINGS = frozenset(("schedule_variables",))

#: What is only shown: a character that means something is made visible where it comes in, and by each sink.
SHOWN = frozenset(("audit_label", "label"))

#: Control characters, and what ends a line or a paragraph elsewhere than in ASCII.
_OF_MEANING = frozenset(("Cc", "Zl", "Zp"))


def problems_of(name: str, value: object) -> Iterator[str]:
    """What is wrong with the form of a setting."""
    for kind, word, example in ((list, "list", '["..."]'), (Mapping, "mapping", '{"...": "..."}')):
        if name in (LISTS if kind is list else MAPPINGS) and isinstance(value, str) and value:
            yield as_text(name, word, example)
    if name == "audit_metrics_file" and value:
        yield from of_metrics(name, str(value))
    yield from hidden_in(name, value)


def of_metrics(name: str, path: str) -> Iterator[str]:
    """What is wrong with the place of the metrics. A file that another program runs must not be written over."""
    if PurePath(path).suffix != ".prom":
        yield f"{name}: the file's name has to end in .prom: the textfile collector of node_exporter reads no other"


def as_text(name: str, kind: str, example: str) -> str:
    """What to say of a list or a mapping that is given as text."""
    return (
        f"{name}: it is text, and has to be a {kind}. On a command line give it as JSON with its name:"
        f" -e '{{\"{name}\": {example}}}'"
    )


def hidden_in(place: str, value: object) -> Iterator[str]:
    """Texts in a value with a character that ends a line or controls a terminal. The value is not shown."""
    if place in SHOWN:
        return
    if isinstance(value, str):
        character = next((one for one in value if unicodedata.category(one) in _OF_MEANING), None)
        if character is not None:
            yield (
                f"{place}: the text holds the character U+{ord(character):04X}"
                f" at position {value.index(character) + 1}, which is a control character or ends a line: take it out"
            )
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from hidden_in(f"{place}, a key", key)
            yield from hidden_in(f"{place}.{ascii(key)[1:-1] if isinstance(key, str) else key}", part)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from hidden_in(f"{place}[{index}]", part)
