# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of gaps that say which ports are not known, and what accepts them. This module is private to the collection.

A name is ``HOST:CAUSE@VANTAGE``, where a scan saw nothing of an address ``HOST:CAUSE@VANTAGE:ADDRESS``, and where only
some of its ports are not known ``HOST:CAUSE@VANTAGE:ADDRESS:tcp/1-1024,udp/53``. What accepts it is the name; a ``*``
in it stands for any host, cause, vantage point or address, and its ports hold all of the gap's. So nobody who accepted
three ports accepted 60,000. What accepts that nothing was seen of a host, and names no address, is of all of them.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

_Spans = Sequence[tuple[int, int]]

_PORTS = re.compile(r"(?P<rest>.*):(?P<ports>(?:tcp|udp|sctp)/[0-9][a-z0-9/,-]*)")
_PART = re.compile(r"(?:(?P<protocol>tcp|udp|sctp)/)?(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?")
#: A star stands for one part of a name: an IPv6 address in its brackets, or what holds no colon and no @.
_ANY = r"(?:\[[^\]]*\]|[^:@\[\]]*)"
#: A name of more characters is told by a digest of its ports, and accepted by that very name alone.
_LONGEST = 300


def with_ports(name: str, address: str, unknown: Mapping[str, _Spans]) -> str:
    """The name of a gap with the address and the ports of which nothing is known."""
    place = f"{name}:[{address}]" if ":" in address else f"{name}:{address}"
    text = port_texts(unknown)
    if not text:
        return place
    if len(text) > _LONGEST:
        count = sum(last - first + 1 for spans in unknown.values() for first, last in spans)
        text = f"{count}-ports-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return f"{place}:{text}"


def port_texts(ports: Mapping[str, _Spans]) -> str:
    """``tcp/1-1024,udp/53``: ports by protocol, as names of gaps have them."""
    return ",".join(f"{protocol}/{_texts(spans)}" for protocol, spans in sorted(ports.items()) if spans)


def _texts(spans: _Spans) -> str:
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in sorted(spans))


def accepts(accepted: Iterable[str], gap: str) -> bool:
    """Whether one of the accepted names is that of the gap, or a pattern that covers it."""
    some = list(accepted)
    return gap in some or any(_covers(one, gap) for one in some)


def unused(accepted: Iterable[str], gaps: Iterable[str]) -> list[str]:
    """The accepted names and patterns that cover none of the gaps, each once."""
    there = list(gaps)
    return [one for one in dict.fromkeys(accepted) if not any(accepts((one,), gap) for gap in there)]


@functools.lru_cache(maxsize=4096)
def _covers(accepted: str, gap: str) -> bool:
    mine, ports = _split(accepted)
    its, unknown = _split(gap)
    pattern = _ANY.join(map(re.escape, mine.split("*")))
    if not re.fullmatch(pattern, its) or bool(ports) is not bool(unknown):
        return False
    return all(_holds(ports.get(protocol, []), spans) for protocol, spans in unknown.items())


def _split(name: str) -> tuple[str, dict[str, list[tuple[int, int]]]]:
    """A name without its ports, and the ports by protocol."""
    match = _PORTS.fullmatch(name)
    found: dict[str, list[tuple[int, int]]] = {}
    protocol = ""
    for text in match["ports"].split(",") if match else ():
        part = _PART.fullmatch(text)
        if part is None:
            return name, {}
        protocol = part["protocol"] or protocol
        found.setdefault(protocol, []).append((int(part["first"]), int(part["last"] or part["first"])))
    return (match["rest"], found) if match else (name, {})


def _holds(outer: Iterable[tuple[int, int]], inner: _Spans) -> bool:
    """Whether each span is within one of the outer ones, joined where they touch."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(outer):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return all(any(low <= first and last <= high for low, high in joined) for first, last in inner)
