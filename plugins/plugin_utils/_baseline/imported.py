# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of other tools as proposals: which format, and what each tells. This module is private to the collection."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_xml import (
    NmapXmlError,
    host_address,
    read_nmap_xml,
)

from .._audit.as_seen import proposed_entry
from .._audit.owner_match import is_match
from .._evidence.observed import Listener
from .._inventory.declared import Inventory
from .._inventory.loader import load_inventory
from .._inventory.pasteable import plain_name
from .proposals import HostProposal, name_left_out
from .socket_text import Imported, NotUnderstoodError, listener, plain_ip, read_netstat, read_ss

_EVERYWHERE = {"": "0.0.0.0", "6": "::"}  # noqa: S104 - what a file says, nothing is bound
FORMATS = ("auto", "ss", "netstat", "goss", "nmap")


def format_of(data: bytes) -> str:
    """The format of a file. Raises NotUnderstoodError when it is none of them."""
    text = data.decode("utf-8", "replace").lstrip()
    lines = text.splitlines()
    if text.startswith("<"):
        return "nmap"
    if any(line.startswith(("port:", "gossfile:")) for line in lines) or text.startswith("{"):
        return "goss"
    for line in lines:
        words = line.split()
        if words[:1] and words[0].rstrip("6") in ("tcp", "udp", "sctp") and len(words) > 3:
            return "netstat" if words[1].isdecimal() else "ss"
        if words[:1] and words[0] in ("LISTEN", "UNCONN", "ESTAB"):
            return "ss"
    raise NotUnderstoodError("the format is not known: give import_format (ss, netstat, goss or nmap)")


def read_goss(text: str) -> Imported:
    """The ``port`` section of a goss file, in YAML or JSON."""
    for number, row in enumerate(text.splitlines(), start=1):
        if "{{" in row:
            raise NotUnderstoodError(f"line {number}: a template: render it first (goss render)")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise NotUnderstoodError(f"{where}no YAML: {error}") from error
    sections = {key: node for key, node, _line in _pairs(root)}
    included = [_file_of(key, node) for key, node, _line in _pairs(sections.get("gossfile"))]
    if "port" not in sections:
        more = f", and the files that it includes are not read: import {', '.join(included)}" if included else ""
        raise NotUnderstoodError(f"there is no section 'port' in this goss file{more}")
    found: list[Listener] = []
    said: list[str] = []
    broken: list[str] = []
    for key, node, line in _pairs(sections["port"]):
        try:
            found.extend(_goss_port(key, node, line, said))
        except ValueError as error:
            broken.append(f"line {line}: {error}")
    if broken:
        raise NotUnderstoodError("\n".join(["nothing was imported, as not all of it is understood:", *broken[:50]]))
    if included:
        said.append(f"files that it includes were not read, import each: {', '.join(included)}")
    others = sorted(set(sections) - {"port", "gossfile"})
    if others:
        said.append(f"other sections tell of no port and were not read: {', '.join(others)}")
    return Imported(tuple(found), tuple(said))


def _file_of(key: str, node: Any) -> str:
    """The file that an entry of ``gossfile`` includes: its key, unless ``file`` names another."""
    return next((str(value.value) for name, value, _line in _pairs(node) if name == "file"), key)


def _pairs(node: Any) -> Iterator[tuple[str, Any, int]]:
    """Key, value and line of each entry of a mapping; none of what is not there or null."""
    if node is None or node.tag == "tag:yaml.org,2002:null":
        return
    if not isinstance(node, yaml.MappingNode):
        raise NotUnderstoodError("not a goss file: a mapping is expected")
    for key, value in node.value:
        yield str(key.value), value, key.start_mark.line + 1


def _goss_port(key: str, node: Any, line: int, said: list[str]) -> Iterator[Listener]:
    """The listeners of one test. Its key is the port, unless ``port`` names another (goss, ``docs/gossfile.md``)."""
    values: Any = yaml.SafeLoader("").construct_document(node) if isinstance(node, yaml.MappingNode) else {}
    named = str(values.get("port", key))
    protocol, _colon, number = named.partition(":")
    family = protocol[3:]
    if protocol[:3] not in ("tcp", "udp") or family not in ("", "6") or not number.isdecimal():
        raise ValueError(f"{named!r} is no port as tcp:22 or udp6:53")
    if not 1 <= int(number) <= 65535:
        raise ValueError(f"{number} is no port")
    subject = key if named == key else f"{named} ({key!r})"
    if values.get("skip", False) not in (True, False):
        raise ValueError(f"{subject} does not say whether it is skipped: skip is true or false")
    if values.get("skip"):
        said.append(f"{subject} is skipped (line {line}): nothing is proposed for it")
        return
    if values.get("listening") not in (True, False):
        raise ValueError(f"{subject} does not say whether it listens")
    if not values["listening"]:
        said.append(f"{subject} must not listen (line {line}): nothing is proposed for it")
        return
    addresses = values.get("ip") or [_EVERYWHERE[family]]
    for address in addresses if isinstance(addresses, list) else [addresses]:
        # Unlike an observation, a test of an ephemeral port was meant.
        yield listener(protocol[:3], plain_ip(str(address)), int(number))._replace(ephemeral=False)


_READERS: Mapping[str, Callable[[str], Imported]] = {"ss": read_ss, "netstat": read_netstat, "goss": read_goss}


def imported_for(host: str, kind: str, data: bytes, variables: Mapping[str, Any], owner: str | None) -> HostProposal:
    """The proposal for a host from what ss, netstat or goss say of it. Raises NotUnderstoodError."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotUnderstoodError(f"nothing was imported: not UTF-8 (byte {error.start + 1})") from None
    imported = _READERS[kind](text)
    inventory = _inventory(host, variables)
    said = [*imported.said, *imported.unnamed]
    groups: dict[tuple[str, int], list[Listener]] = {}
    for one in imported.listeners:
        if _is_known(inventory, one):
            continue
        if one.ephemeral:
            said.append(f"{one.protocol}/{one.port} at {one.where} looks ephemeral, and was left out")
            continue
        groups.setdefault((one.protocol, one.port), []).append(one)
    entries = []
    for (protocol, port), listeners in sorted(groups.items()):
        entry = proposed_entry(protocol, port, "host", listeners, owner=owner)
        said.extend(name_left_out(listeners, entry))
        entries.append(entry)
    return HostProposal(host, tuple(entries), tuple(said))


def imported_from_nmap(
    data: bytes,
    hosts: Mapping[str, str],
    variables: Mapping[str, Mapping[str, Any]],
    vantage: str | None,
    owner: str | None,
) -> list[HostProposal]:
    """The proposals for the hosts that nmap found, as seen from the vantage point.

    ``hosts`` are the inventory's hosts by each address and name by which they are known. Raises
    NotUnderstoodError.
    """
    try:
        report = read_nmap_xml(data)
    except NmapXmlError as error:
        raise NotUnderstoodError(f"nothing was imported: {error}") from error
    if report.cut:
        raise NotUnderstoodError(f"nothing was imported: the report breaks off ({report.cut})")
    found: list[HostProposal] = []
    for element in report.root.findall("host"):
        address = host_address(element) or ""
        names = [address, *(str(one.get("name")) for one in element.findall("hostnames/hostname"))]
        host = next((hosts[name] for name in names if name in hosts), None)
        if host is None:
            found.append(HostProposal(address, (), ("no host of the inventory has this address or name: left out",)))
            continue
        inventory = _inventory(host, variables.get(host, {}))
        entries = []
        for port in element.findall("ports/port"):
            state, number = port.find("state"), int(port.get("portid", "0"))
            protocol = str(port.get("protocol"))
            if state is None or state.get("state") != "open" or protocol not in ("tcp", "udp", "sctp") or not number:
                continue
            known = (
                *inventory.declarations_for(protocol, number, "host"),
                *inventory.proposals_for(protocol, number, "host"),
            )
            if any(vantage is None or one.is_reachable_from(vantage) for one in known):
                continue
            service = port.find("service")
            name = (
                plain_name(service.get("name")) if service is not None and service.get("method") == "probed" else None
            )
            reach = [vantage] if vantage else []
            entry = proposed_entry(protocol, number, "host", (), service=name, reachable_from=reach, owner=owner)
            entries.append(entry)
        said = () if vantage else ("from where it was seen is not known (import_vantage): reachable_from is left out",)
        found.append(HostProposal(host, tuple(entries), said))
    return found


def addresses_of(host: str, variables: Mapping[str, Any], ansible_host: str | None) -> Iterator[str]:
    """By which addresses and names nmap may know a host."""
    given = variables.get("vigil_addresses")
    some = given if isinstance(given, list) else [one for each in (given or {}).values() for one in each]
    for text in (host, ansible_host or host, *map(str, some)):
        try:
            yield str(ipaddress.ip_address(text))
        except ValueError:
            yield text


def _inventory(host: str, variables: Mapping[str, Any]) -> Inventory:
    inventory, problems = load_inventory(variables)
    if problems:
        raise NotUnderstoodError(f"the declared inventory of {host} is not valid: {problems[0]}")
    return inventory


def _is_known(inventory: Inventory, one: Listener) -> bool:
    near = (
        *inventory.declarations_for(one.protocol, one.port, one.namespace),
        *inventory.proposals_for(one.protocol, one.port, one.namespace),
    )
    dynamic = (known for known in inventory.dynamic if known.protocol == one.protocol and known.is_in(one.namespace))
    near = (*near, *(known for known in dynamic if is_match(known, one)))
    return any(known.address.allows(one.address, loopback_only=one.loopback_only) for known in near)
