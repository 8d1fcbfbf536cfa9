# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report of nmap, read once more by python-nmap where that is installed, as it is on the control node.

Two readers that were written apart agree on what is there, or one of them is wrong. A scanner without python-nmap loses
nothing but this check.

This module is private to the collection.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Mapping, Tuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_xml import host_address

try:
    from nmap import PortScanner
except ImportError:
    PortScanner = None

_PROTOCOLS = ("tcp", "udp")

#: By address: the state of each port that the report lists.
States = Mapping[str, Mapping[Tuple[str, int], str]]


def second_reading(root: ET.Element) -> States | None:
    """What python-nmap reads in a repaired report; None where it is not installed."""
    if PortScanner is None:
        return None
    # analyse_nmap_xml_scan needs nothing of what __init__ does, which is to run the nmap program.
    parsed = PortScanner.__new__(PortScanner).analyse_nmap_xml_scan(ET.tostring(root, encoding="unicode"))
    known_as = {
        element.get("addr"): host_address(host) or ""
        for host in root.findall("host")
        for element in host.findall("address")
    }
    found: dict[str, dict[tuple[str, int], str]] = {}
    for written, values in parsed["scan"].items():
        ports = found.setdefault(known_as.get(written, written), {})
        for protocol in _PROTOCOLS:
            ports.update({(protocol, port): entry["state"] for port, entry in values.get(protocol, {}).items()})
    return found
