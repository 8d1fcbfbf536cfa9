# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, names and paths of the fleet: the one place where they are chosen."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

# RFC 2544 sets 198.18.0.0/15 aside for tests of network devices: never routed, and so never anybody's host.
PREFIX4 = "198.18.0."
INNER4 = "198.19.0."  # between a host and its second network namespace
PREFIX6 = "fd00:198:18::"
CONTROLLER_OCTET = 1
INTERNET, OFFICE, DMZ = (PREFIX4 + "201", PREFIX4 + "202", PREFIX4 + "203")

CONTROLLER_LINK = "vigil0"
BRIDGE = "br0"

INTEGRATION = Path(__file__).resolve().parents[1]
CHECKOUT = INTEGRATION.parents[1]
STATE = Path(os.path.realpath(tempfile.gettempdir())) / "vigil-fleet"
LOCK = STATE.with_name("vigil-fleet.lock")
# Fleets of other temporary directories (in other network namespaces) have groups of their own.
CGROUP_NAME = f"vigil-fleet-{hashlib.sha256(str(STATE).encode()).hexdigest()[:8]}"
CLIENT_KEY = STATE / "client_key"
SSH_CONFIG = STATE / "ssh_config"
KNOWN_HOSTS = STATE / "known_hosts"
CONTROL_SOCKETS = STATE / "cm"
STATUS = STATE / "status.json"
KEEPER_LOG = STATE / "keeper.log"


def ipv4(octet: int) -> str:
    return f"{PREFIX4}{octet}"


def ipv6(octet: int) -> str:
    return f"{PREFIX6}{octet}"


def host_dir(name: str) -> Path:
    """A host's keys and logs, which outlive its mounts."""
    return STATE / "hosts" / name
