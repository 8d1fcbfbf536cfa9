# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From variables to the declared inventory: layers, schema, typed values, contradictions.

All errors are collected; a host whose inventory has one is not assessed. This module is private to
the collection.
"""

from __future__ import annotations

import datetime as dt
import difflib
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from .address_rule import AddressRule, parse_addresses
from .declared import Declaration, Inventory, PortException, RawDeclaration, overlapping
from .placeholder import is_placeholder, is_proposed_layer
from .plain import Plain
from .port_range import DYNAMIC, PortRange, Ports, dynamic_port, parse_port
from .problem import Problem, shown
from .schema import schema_problems

_LAYER = re.compile(r"vigil_(ports|raw_sockets|exceptions)(__[a-z0-9_]+)?")
_FIXED = ("vigil_addresses", "vigil_vantages")
_OURS = re.compile(r"vigil_?(port|raw_?socket|packet_?socket|exception|address|vantage)", re.IGNORECASE)

T = TypeVar("T")


def is_inventory_variable(name: str) -> bool:
    """True for a variable of the declared inventory, and for one that was probably meant to be.

    ``vigil_ports_web`` (one underscore) would otherwise be left out without a word.
    """
    return bool(_OURS.match(name))


def load_inventory(variables: Mapping[str, Plain]) -> tuple[Inventory, tuple[Problem, ...]]:
    """The declared inventory of one host, and every problem in it.

    ``variables`` holds plain JSON values by variable name (see :func:`plain`). With any problem the
    inventory is empty: half an inventory would excuse or accuse at random.
    """
    problems = [_misnamed(name) for name in sorted(variables) if not _LAYER.fullmatch(name) and name not in _FIXED]
    known = {name: value for name, value in variables.items() if _LAYER.fullmatch(name) or name in _FIXED}
    against_schema = schema_problems(known)
    problems += against_schema
    broken = frozenset(_entry_of(problem.place) for problem in against_schema)
    entries = _entries(known, "vigil_ports", _declarations, broken, problems)
    exceptions = _entries(known, "vigil_exceptions", _exceptions, broken, problems)
    raw = _entries(known, "vigil_raw_sockets", _raw_declarations, broken, problems)
    declarations = [one for one in entries if not is_proposed_layer(one.place)]
    problems += _contradictions(declarations)
    if problems:
        return Inventory((), ()), tuple(problems)
    proposals = (one for one in entries if is_proposed_layer(one.place))
    return Inventory(
        tuple(declarations),
        tuple(exceptions),
        tuple(proposals),
        tuple(one for one in raw if not is_proposed_layer(one.place)),
        tuple(one for one in raw if is_proposed_layer(one.place)),
    ), ()


def _misnamed(name: str) -> Problem:
    known = ["vigil_ports", "vigil_raw_sockets", "vigil_exceptions", *_FIXED]
    near = difflib.get_close_matches(re.sub("(?<=s)_(?=[a-z0-9])", "__", name).split("__", maxsplit=1)[0], known, n=1)
    hint = f"; did you mean {near[0]!r}, or a layer {near[0] + '__NAME'!r}?" if near else ""
    return Problem(
        name, "a variable", f"not a variable of the inventory{hint}", ", ".join([*known, "vigil_ports__NAME"])
    )


def _entries(
    variables: Mapping[str, Plain],
    stem: str,
    build: Callable[[str, Mapping[str, Any], list[Problem]], Iterable[T]],
    broken: frozenset[str],
    problems: list[Problem],
) -> list[T]:
    """The typed entries of all layers of a kind, but for those that the schema refused already."""
    built: list[T] = []
    for name in sorted(variables):
        if (name == stem or name.startswith(f"{stem}__")) and name not in broken:
            layer: Any = variables[name]
            for index, entry in enumerate(layer):
                place = f"{name}[{index}]"
                if place not in broken:
                    problems.extend(_left_to_fill_in(place, entry))
                    built.extend(build(place, entry, problems))
    return built


def _left_to_fill_in(place: str, entry: Mapping[str, Any]) -> Iterable[Problem]:
    """Placeholders of a proposal that was moved to another layer as it was."""
    if not is_proposed_layer(place):
        for key, value in entry.items():
            if is_placeholder(value):
                message = "still the placeholder of a proposal; nobody has filled it in"
                yield Problem(f"{place}.{key}", shown(value), message, f"the {key}, in words of your own")


def _entry_of(place: str) -> str:
    """``vigil_ports__web[3].prot`` -> ``vigil_ports__web[3]``; a whole layer stays as it is."""
    return place.split(".", maxsplit=1)[0]


def _declarations(place: str, entry: Mapping[str, Any], problems: list[Problem]) -> Iterable[Declaration]:
    reach = entry.get("reachable_from", [])
    address = _address(place, entry, problems)
    review_by = _day(place, entry, "review_by", problems)
    for protocol, port in itertools.product(
        _each(entry.get("protocol", "tcp")), _declared_ports(place, entry, problems)
    ):
        yield Declaration(
            place=place,
            port=port,
            protocol=protocol,
            address=address,
            interface=entry.get("interface"),
            namespace=entry.get("namespace", "host"),
            service=entry.get("service"),
            process=tuple(_each(entry.get("process"))),
            user=tuple(map(str, _each(entry.get("user")))),
            unit=entry.get("unit"),
            reachable_from=None if reach == "any" else frozenset(reach),
            required=entry.get("required", True),
            forwarded=entry.get("forwarded", False),
            justification=entry["justification"],
            owner=entry["owner"],
            approved_by=entry.get("approved_by"),
            change=entry.get("change"),
            review_by=review_by,
        )


def _raw_declarations(place: str, entry: Mapping[str, Any], _problems: list[Problem]) -> Iterable[RawDeclaration]:
    yield RawDeclaration(
        place=place,
        kinds=frozenset(_each(entry.get("kind", ["packet", "raw"]))),
        namespace=entry.get("namespace", "host"),
        process=tuple(_each(entry.get("process"))),
        user=tuple(map(str, _each(entry.get("user")))),
        unit=entry.get("unit"),
        justification=entry["justification"],
        owner=entry["owner"],
    )


def _exceptions(place: str, entry: Mapping[str, Any], problems: list[Problem]) -> Iterable[PortException]:
    address = _address(place, entry, problems)
    expires = _day(place, entry, "expires", problems)
    for protocol, port in itertools.product(_each(entry.get("protocol", "tcp")), _ports(place, entry, problems)):
        if expires is not None:
            yield PortException(
                place=place,
                port=port,
                protocol=protocol,
                address=address,
                namespace=entry.get("namespace", "host"),
                vantage=entry.get("vantage"),
                rules=frozenset(entry["rules"]) if "rules" in entry else None,
                reason=entry["reason"],
                owner=entry["owner"],
                approved_by=entry.get("approved_by"),
                change=entry.get("change"),
                expires=expires,
            )


def _each(value: Any) -> list[Any]:
    """The values of a key that takes one or a list; none where it is not there."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _declared_ports(place: str, entry: Mapping[str, Any], problems: list[Problem]) -> Sequence[Ports]:
    if entry["port"] != DYNAMIC:
        return _ports(place, entry, problems)
    names = _each(entry.get("process")) or _each(entry.get("unit"))
    given = shown(DYNAMIC)
    if not names:
        told = "which port this is can only be told by who listens, and neither process nor unit says who"
        problems.append(Problem(f"{place}.port", given, told, "process or unit beside it, or the number of the port"))
    if is_proposed_layer(place):
        told = "a proposal says what was seen, and a port that was seen has a number"
        problems.append(Problem(f"{place}.port", given, told, "the number of the port, or a layer that is no proposal"))
    for key, told in _NOT_WITH_DYNAMIC.items():
        if entry.get(key):
            problems.append(
                Problem(f"{place}.{key}", shown(entry[key]), told, "the number of the port, or no such key")
            )
    return [dynamic_port(sorted(names))]


#: What cannot stand beside ``port: dynamic``, and why.
_NOT_WITH_DYNAMIC = {
    "forwarded": "nothing listens on a forwarded port, and a dynamic port is known by who listens",
    "service": "what answers is compared on ports that are declared by number, and this port is dynamic",
}


def _ports(place: str, entry: Mapping[str, Any], problems: list[Problem]) -> list[PortRange]:
    given = entry["port"]
    ranges = []
    for index, value in enumerate(given if isinstance(given, list) else [given]):
        where = f"{place}.port[{index}]" if isinstance(given, list) else f"{place}.port"
        try:
            ranges.append(parse_port(value))
        except ValueError as error:
            problems.append(
                Problem(where, shown(value), str(error), 'a port from 1 to 65535, or a range as "8000-8010"')
            )
    return ranges


def _address(place: str, entry: Mapping[str, Any], problems: list[Problem]) -> AddressRule:
    given = entry.get("address", "any")
    try:
        return parse_addresses(given)
    except ValueError as error:
        allowed = "any, loopback, an IP address, a network as 192.0.2.0/24, or a list of them"
        problems.append(Problem(f"{place}.address", shown(given), str(error), allowed))
        return parse_addresses("any")


def _day(place: str, entry: Mapping[str, Any], key: str, problems: list[Problem]) -> dt.date | None:
    if key not in entry:
        return None
    try:
        return dt.date.fromisoformat(entry[key])
    except ValueError:
        problems.append(Problem(f"{place}.{key}", shown(entry[key]), "no such day", "a day as YYYY-MM-DD"))
        return None


def _contradictions(declarations: list[Declaration]) -> Iterable[Problem]:
    """Two declarations of one endpoint that name different owners, where one process may be meant by both."""
    for earlier, later in overlapping(declarations):
        if (
            not later.is_of_others_than(earlier)
            and later.owner != earlier.owner
            and later.namespace == earlier.namespace
            and (later.interface or earlier.interface) == (earlier.interface or later.interface)
            and later.address.overlaps(earlier.address)
        ):
            first, second = sorted((earlier, later), key=lambda declaration: declaration.place)
            yield Problem(
                f"{second.place}.port",
                shown(second.port.subject),
                f"{second.protocol}/{second.port} is declared here for {second.owner!r}"
                f" and at {first.place} for {first.owner!r}",
                "one owner for each endpoint, or a process (or unit) of its own for each declaration",
            )
