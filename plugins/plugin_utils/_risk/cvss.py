# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vectors of CVSS 2, 3.x and 4.0, as far as a severity needs them. This module is private to the collection.

Scores are not computed: what decides is whether an attack can be automated, and whether it gives the attacker
everything.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple


class UnreadableVector(ValueError):  # noqa: N818 - it says what is wrong with a vector
    """What is wrong with a vector, and where."""


class Vector(NamedTuple):
    """What a vector says."""

    version: str
    """2.0, 3.0, 3.1 or 4.0."""
    automatable: bool
    """It needs neither a login, nor a user, nor luck, and goes over a network: AV:N, AC:L, PR:N, UI:N (and AT:N)."""
    automatable_with_access: bool
    """The same, where what a low-privileged login may do is open to everybody (PR:L counts as PR:N)."""
    total: bool
    """Confidentiality, integrity or availability is lost wholly."""


class _Scheme(NamedTuple):
    values: Mapping[str, str]
    """The base metrics, and the values that each may have, as letters."""
    easy: Mapping[str, str]
    """Their values in an attack that can be automated."""
    login: str
    """Which metric tells of a login."""
    low: str
    """Its value for one with low privileges."""
    impacts: Mapping[str, str]
    """Their values where all is lost."""


# From the specifications of FIRST: cvss/v2/guide, cvss/v3.1/specification-document, cvss/v4.0/specification-document.
_V2 = _Scheme(
    {"AV": "LAN", "AC": "HML", "Au": "MSN", "C": "NPC", "I": "NPC", "A": "NPC"},
    {"AV": "N", "AC": "L", "Au": "N"},
    "Au",
    "S",
    {"C": "C", "I": "C", "A": "C"},
)
_V3 = _Scheme(
    {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "HLN", "I": "HLN", "A": "HLN"},
    {"AV": "N", "AC": "L", "PR": "N", "UI": "N"},
    "PR",
    "L",
    {"C": "H", "I": "H", "A": "H"},
)
_V4 = _Scheme(
    {"AV": "NALP", "AC": "LH", "AT": "NP", "PR": "NLH", "UI": "NPA"}
    | dict.fromkeys(("VC", "VI", "VA", "SC", "SI", "SA"), "HLN"),
    {"AV": "N", "AC": "L", "AT": "N", "PR": "N", "UI": "N"},
    "PR",
    "L",
    {"VC": "H", "VI": "H", "VA": "H"},
)
_SCHEMES = {"CVSS:2.0/": ("2.0", _V2), "CVSS:3.0/": ("3.0", _V3), "CVSS:3.1/": ("3.1", _V3), "CVSS:4.0/": ("4.0", _V4)}

# Further metrics (temporal, environmental, supplemental) may follow those of the base.
_METRIC = re.compile(r"([A-Za-z]{1,3}):([A-Za-z]{1,6})")
_LONGEST = 400


@functools.lru_cache(maxsize=1 << 12)
def vector_of(text: str) -> Vector:
    """What a vector says; one of version 2 has no prefix and may stand in brackets. Raises UnreadableVector."""
    shown = ascii(text[:60])
    if len(text) > _LONGEST:
        raise UnreadableVector(f"the CVSS vector {shown}... has {len(text)} characters, more than {_LONGEST}")
    version, scheme = _SCHEMES.get(text[:9], ("2.0", _V2))
    rest = text[9:] if text[:9] in _SCHEMES else text.removeprefix("(").removesuffix(")")
    metrics: dict[str, str] = {}
    for part in rest.split("/"):
        found = _METRIC.fullmatch(part)
        if found is None:
            raise UnreadableVector(f"the CVSS vector {shown} has {part[:20]!a}, expected METRIC:VALUE")
        if found[1] in metrics:
            raise UnreadableVector(f"the CVSS vector {shown} has {found[1]} more than once")
        metrics[found[1]] = found[2]
    for metric, allowed in scheme.values.items():
        if metric not in metrics:
            raise UnreadableVector(f"the CVSS vector {shown} has no {metric}, which version {version} requires")
        if len(metrics[metric]) != 1 or metrics[metric] not in allowed:
            raise UnreadableVector(f"the CVSS vector {shown} has {metric}:{metrics[metric]}, expected one of {allowed}")
    wanted = {metric: value == metrics[metric] for metric, value in scheme.easy.items()}
    return Vector(
        version=version,
        automatable=all(wanted.values()),
        automatable_with_access=all(wanted.values())
        or all(is_so or (metric == scheme.login and metrics[metric] == scheme.low) for metric, is_so in wanted.items()),
        total=any(metrics[metric] == value for metric, value in scheme.impacts.items()),
    )
