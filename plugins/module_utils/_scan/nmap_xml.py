# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nmap's XML as it really comes: cut short, with characters no XML may hold, with entries missing.

What is complete is kept, what is not is left out and named; nothing is completed by guessing. The
result is a tree that every XML parser and python-nmap take.

This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any, Iterator, Match, cast

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import HIGHEST
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

# XML 1.0, section 2.2. nmap writes others as references, such as &#x1b; (nmap#2657).
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_STATES = frozenset(("open", "closed", "filtered", "open|filtered", "unfiltered", "closed|filtered"))
_PROTOCOLS = frozenset(("tcp", "udp", "sctp", "ip"))
_KEPT = ("scaninfo", "host", "runstats")
_CHUNK = 1 << 16
#: nmap nests tables of scripts a few levels; what is nested without end exhausts whoever walks through it.
_DEEPEST = 64


class NmapXmlError(ValueError):
    """This is no report of nmap at all."""


@dataclass(frozen=True)
class NmapXml:
    """``root`` holds whole hosts only. ``cut`` says where the text broke off, ``repairs`` what was done."""

    root: ET.Element
    cut: str | None
    repairs: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """Whether nmap itself says that it came to the end and all went well."""
        ended = self.root.find("runstats/finished")
        if ended is None:
            return False
        # nmap 5 and older write no exit at all, and end the report only when all went well.
        unsaid = "success" if self.root.get("scanner") == "nmap" and not ended.get("errormsg") else None
        return ended.get("exit", unsaid) == "success"


def read_nmap_xml(data: bytes) -> NmapXml:
    """The report in ``data``, whatever state it is in. Raises NmapXmlError when there is none."""
    text, replaced = _legal(data.decode("utf-8", "backslashreplace"))
    if "<!ENTITY" in text:
        raise NmapXmlError("the file declares XML entities, which nmap never does")
    root, cut = _whole_children(text)
    repairs = [f"{replaced} characters that XML forbids were made visible"] if replaced else []
    repairs += _without_broken_hosts(root)
    _with_runstats(root)
    return NmapXml(root, cut, tuple(repairs))


def _legal(text: str) -> tuple[str, int]:
    replaced = 0

    def reference(match: Match[str]) -> str:
        nonlocal replaced
        code = int(match.group(1), 16) if match.group(1) else int(match.group(2))
        if code <= 0x10FFFF and not _ILLEGAL.match(chr(code)):
            return match.group(0)
        replaced += 1
        return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"

    def character(match: Match[str]) -> str:
        nonlocal replaced
        replaced += 1
        return f"\\x{ord(match.group(0)):02x}"

    return _ILLEGAL.sub(character, _REFERENCE.sub(reference, text)), replaced


def _whole_children(text: str) -> tuple[ET.Element, str | None]:
    """A new root with each child that ended before the text broke, and where it broke."""
    parser: ET.XMLPullParser[Any] = ET.XMLPullParser(("start", "end"))
    root: ET.Element | None = None
    kept: list[ET.Element] = []
    depth, cut = 0, None
    try:
        for start in range(0, len(text), _CHUNK):
            parser.feed(text[start : start + _CHUNK])
            events: Iterator[tuple[str, ET.Element]] = cast(Any, parser.read_events())
            for event, element in events:
                depth += 1 if event == "start" else -1
                if depth > _DEEPEST:
                    raise NmapXmlError(f"the file nests elements more than {_DEEPEST} deep, which nmap never does")
                if event == "start" and depth == 1:
                    root = element
                elif event == "end" and depth == 1:
                    if element.tag in _KEPT:
                        kept.append(element)
                    else:
                        element.clear()
        parser.close()
    except ET.ParseError as error:
        cut = visible(str(error))
    if root is None or root.tag != "nmaprun":
        raise NmapXmlError("this is not XML written by nmap" + (f" ({cut})" if cut else ""))
    clean = ET.Element("nmaprun", root.attrib)
    clean.extend(kept)
    return clean, cut


def _without_broken_hosts(root: ET.Element) -> list[str]:
    """Takes out of ``root`` what cannot be used, and says what it was."""
    repairs: list[str] = []
    whole: dict[str, ET.Element] = {}
    joined: dict[str, int] = {}
    rest = [element for element in root if element.tag != "host"]
    for host in root.findall("host"):
        address = host_address(host)
        if address is None:
            repairs.append("a host without an IP address was left out")
        elif address in whole:
            _join(whole[address], host)
            joined[address] = joined.get(address, 1) + 1
        else:
            whole[address] = host
    for address, count in joined.items():
        if _without_counts(whole[address]):
            repairs.append(
                f"{address} is there more than once ({count} entries): their ports were joined, and ports that are only"
                " counted were left out"
            )
    for address, host in whole.items():
        repairs += _without_broken_ports(host, address)
    root[:] = [*rest, *whole.values()]
    return repairs


def _join(whole: ET.Element, more: ET.Element) -> None:
    """Puts the ports of a further entry for the same address into the first one. masscan writes one for each port."""
    ports = whole.find("ports")
    if ports is None:
        ports = ET.SubElement(whole, "ports")
    for element in more.findall("ports"):
        ports.extend(element)


def _without_counts(host: ET.Element) -> bool:
    """Takes out what several entries for one address only count: a port may be counted in one, and open in another."""
    found = [(ports, extra) for ports in host.findall("ports") for extra in ports.findall("extraports")]
    for ports, extra in found:
        ports.remove(extra)
    return bool(found)


def _without_broken_ports(host: ET.Element, address: str) -> list[str]:
    repairs = []
    told: dict[tuple[str, int], list[ET.Element]] = {}
    for port in host.findall("ports/port"):
        if _usable(port):
            told.setdefault(_name(port), []).append(port)
        else:
            shown = visible(port.get("portid", "?"), 20)
            repairs.append(f"port {shown} of {address} has no state that nmap knows, and was left out")
    kept = {}
    for name, entries in told.items():
        if len({_state(port) for port in entries}) == 1:
            kept[name] = next((port for port in entries if port.find("service") is not None), entries[0])
        else:
            states = ", ".join(sorted({_state(port) for port in entries}))
            repairs.append(
                f"{name[0]} port {name[1]} of {address} is there {len(entries)} times ({states}), and was left out"
            )
    whole = set(map(id, kept.values()))
    for ports in host.findall("ports"):
        ports[:] = [one for one in ports if one.tag != "port" or id(one) in whole]
    return repairs


def _state(port: ET.Element) -> str:
    state = port.find("state")
    return state.get("state", "") if state is not None else ""


def _name(port: ET.Element) -> tuple[str, int]:
    return port.get("protocol", ""), int(port.get("portid", "0"))


def host_address(host: ET.Element) -> str | None:
    """The IP address of a host element in canonical form."""
    for address in host.findall("address"):
        if address.get("addrtype") in ("ipv4", "ipv6"):
            try:
                return str(ipaddress.ip_address(address.get("addr", "")))
            except ValueError:
                return None
    return None


def _usable(port: ET.Element) -> bool:
    state = port.find("state")
    number = port.get("portid", "")
    return (
        state is not None
        and state.get("state") in _STATES
        and port.get("protocol") in _PROTOCOLS
        and re.match(r"[0-9]{1,5}\Z", number) is not None
        and int(number) <= HIGHEST
    )


def _with_runstats(root: ET.Element) -> None:
    """python-nmap needs the element; one that says nothing of a good end stands in for a lost one."""
    if root.find("runstats/finished") is not None and root.find("runstats/hosts") is not None:
        return
    for broken in root.findall("runstats"):
        root.remove(broken)
    runstats = ET.SubElement(root, "runstats")
    ET.SubElement(runstats, "finished", {"exit": "cut short"})
    ET.SubElement(runstats, "hosts")
