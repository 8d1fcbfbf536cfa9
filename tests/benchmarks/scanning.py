# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scan as a program of its own, without Ansible: what nmap is held against. Its options come as JSON."""

import json
import sys
import tempfile

from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.scan import Surroundings, scan

DEFAULTS = {
    "ports": [],
    "udp_ports": [],
    "top_ports": 0,
    "canaries": 0,
    "confirm": False,
    "engine": "nmap",
    "import_file": None,
    "versions": False,
    "scripts": [],
    "rate": 500,
    "target_rate": 0,
    "retries": 1,
    "timeout": 0,
    "host_timeout": 0,
}

with tempfile.TemporaryDirectory() as workdir:
    sys.stdout.write(json.dumps(scan({**DEFAULTS, **json.load(sys.stdin)}, Surroundings(workdir), Stop())))
