# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TCP ports that are found open most often: nmap's own list, or a short one without nmap.

This module is private to the collection.
"""

from __future__ import annotations

# No module is at hand here: run_command is the door's.
# pylint: disable=ansible-bad-function
import re
import subprocess

from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import NmapProgram
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanError
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

_LISTED = re.compile(r"^# Ports scanned: TCP\([0-9]+;([0-9,-]*)\)", re.MULTILINE)

# Remote access, web, mail, names, files, directories, data stores, message queues, orchestration and
# administration as servers commonly run them; the first ones first. Then all ports below 1024.
_WELL_KNOWN = PortSet.parse(["1-1024"])
_COMMON = (
    *(80, 443, 22, 21, 25, 23, 3389, 53, 110, 445, 139, 143, 3306, 8080, 5432, 993, 995, 587, 135, 111, 8443, 465),
    *(5900, 1433, 6379, 27017, 9200, 11211, 2049, 389, 636, 88, 464, 3268, 1521, 5672, 15672, 9092, 2181, 2379, 2380),
    *(6443, 10250, 10255, 2375, 2376, 5000, 5001, 8000, 8008, 8081, 8888, 9000, 9090, 9093, 9100, 3000, 5601, 9300),
    *(8086, 8500, 8300, 8200, 4646, 7000, 7001, 9042, 9160, 5984, 8529, 7474, 7687, 28015, 50000, 50070, 8088, 9870),
    *(1883, 8883, 61616, 5671, 4369, 25672, 1080, 3128, 8118, 8123, 5901, 5985, 5986, 1723, 1194, 4443, 9443, 10000),
    *(2082, 2083, 2086, 2087, 2222, 2121, 3260, 3690, 4000, 4444, 4505, 4506, 5044, 5222, 5269, 5280, 5060, 5061),
    *(5353, 5555, 5666, 6000, 6001, 6514, 6667, 7077, 8009, 8090, 8140, 8333, 9001, 9043, 9080, 9091, 9418, 9999),
    *(10050, 10051, 11434, 16379, 16443, 19999, 20000, 24007, 26379, 27018, 30000, 32400, 33060, 47808, 49152, 50051),
)

#: The same as a set.
COMMON = PortSet.of(_COMMON)


def top_ports(count: int, program: NmapProgram | None) -> tuple[PortSet, str]:
    """The ``count`` most frequent TCP ports, and whose list they are from. Raises ScanError."""
    if program is None:
        order = dict.fromkeys((*_COMMON, *_WELL_KNOWN))
        taken = PortSet.of(list(order)[:count])
        return taken, f"{len(taken)} top ports from the built-in list of {len(order)}"
    try:
        told = subprocess.run(  # noqa: S603  a number only; without targets nmap scans nothing
            [program.path, "--top-ports", str(count), "-v", "-oG", "-"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ScanError(f"nmap could not be asked for its {count} most frequent ports: {error}") from error
    listed = _LISTED.search(told.stdout.decode("utf-8", "replace"))
    if listed is None or not listed.group(1):
        raise ScanError(f"nmap did not list its {count} most frequent ports")
    taken = PortSet.parse([listed.group(1)], lowest=0) - PortSet.of([0])
    return taken, f"{len(taken)} top ports from the list of nmap {program.version}"
