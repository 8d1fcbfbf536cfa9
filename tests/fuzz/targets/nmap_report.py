# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report of nmap in any state: imported, each address is answered for, and the result is always evidence."""

from __future__ import annotations

import ipaddress
import json

from ansible_collections.vigil.ports.plugins.module_utils._scan.import_engine import import_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanError, ScanRequest
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.result import result
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import Target
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import scan_problem
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

ADDRESSES = ("127.0.0.1", "198.18.0.2", "fd00::2")
REQUEST = ScanRequest(ADDRESSES, PortSet.parse(["22,80,443,8000-8010"]), PortSet.parse(["53"]))
TARGETS = [Target("web1", address, (address,)) for address in ADDRESSES]
NOW = "2026-11-20T13:15:00Z"


def target(data: bytes) -> None:
    try:
        outcome = import_report(REQUEST, data)
    except ScanError:
        return
    assert tuple(outcome.seen) == ADDRESSES
    told = result(TARGETS, outcome, "asked for", NOW, NOW)
    assert scan_problem({**json.loads(json.dumps(told)), "machine": build.machine()}) is None
    for row in told["targets"]:
        assert ipaddress.ip_address(row["address"])
        for protocol, asked in told["coverage"]["asked"].items():
            parts = [PortSet.parse([state["ports"]]) for state in row["states"] if state["protocol"] == protocol]
            parts += [PortSet.parse([gap["ports"]]) for gap in row["unknown"] if gap["protocol"] == protocol]
            whole = PortSet()
            for part in parts:
                whole |= part
            assert str(whole) == asked, "a port that was asked for is neither in a state nor unknown"
            assert sum(map(len, parts)) == len(whole), "a port is in two states"
        opened = {
            (state["protocol"], port)
            for state in row["states"]
            if state["state"] == "open"
            for port in PortSet.parse([state["ports"]])
        }
        listed = [(one["protocol"], one["port"]) for one in row["endpoints"] if one["state"] == "open"]
        assert sorted(opened) == sorted(listed), "an open port is lost or told twice"
        for text in texts(row):
            assert text.isprintable(), text


def texts(value: object) -> list[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for one in inner for text in texts(one)]
