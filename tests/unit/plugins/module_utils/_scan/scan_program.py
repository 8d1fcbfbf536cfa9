# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs one scan with the options on standard input and prints its result, as the module does.

A program of its own, so that a test can put it into a network namespace, take its privileges or its
PATH away, and send it signals.
"""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop, stopping_on_signals
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanError
from ansible_collections.vigil.ports.plugins.module_utils._scan.scan import Surroundings, scan

DEFAULTS: dict[str, Any] = {
    "targets": [],
    "ports": [],
    "udp_ports": [],
    "top_ports": 0,
    "canaries": 0,
    "confirm": False,
    "target_rate": 0,
    "engine": "auto",
    "import_file": None,
    "versions": False,
    "scripts": [],
    "rate": 1000,
    "retries": 1,
    "timeout": 120,
    "host_timeout": 0,
}


def main() -> None:
    options = {**DEFAULTS, **json.load(sys.stdin)}
    stop = Stop(options["timeout"], answer_to=1)
    with tempfile.TemporaryDirectory() as workdir, stopping_on_signals(stop):
        try:
            found = scan(options, Surroundings(workdir), stop)
        except ScanError as error:
            found = {"error": str(error)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
