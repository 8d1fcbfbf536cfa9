# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nmap's command lines: made of validated addresses, port sets, numbers and script names only.

This module is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Sequence

from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanError
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.service_probes import INTENSITY

SCRIPT_NAME = re.compile(r"[a-z0-9-]+\Z")

#: Up to this rate nmap is told to keep it, not only to stay below it. Left to itself it takes
#: silence for congestion and falls to about 100 packets/s behind a firewall that drops (measured:
#: 4,000 ports at 500/s took 81 s; with the minimum 16 s). Above it, losing ports is the danger.
HIGHEST_STEADY_RATE = 5000


@dataclass(frozen=True)
class Command:
    """One run of nmap for addresses of one family."""

    addresses: tuple[str, ...]
    tcp: PortSet
    udp: PortSet
    rate: int
    retries: int
    host_timeout: int
    privileged: bool
    versions: bool = False
    scripts: tuple[str, ...] = ()
    service_probes: str | None = None  # a file instead of nmap's own

    def argv(self, program: str, report: str) -> list[str]:
        """The argument list that writes ``report``. Raises ScanError rather than pass on odd text."""
        bad = [name for name in self.scripts if not SCRIPT_NAME.match(name)]
        if bad:
            raise ScanError(f"{bad[0]!r} is not the name of an nmap script")
        literals = [str(ipaddress.ip_address(address)) for address in self.addresses]
        return [
            program,
            *(["-6"] if ":" in literals[0] else []),
            *("-n", "-Pn", "-v"),
            "--privileged" if self.privileged else "--unprivileged",
            *self._techniques(),
            *("-p", self._ports()),
            *self._pace(),
            *(["-sV", *self._questions()] if self.versions else []),
            *(["--script", ",".join(self.scripts)] if self.scripts else []),
            *("-oX", report),
            *literals,
        ]

    def _techniques(self) -> Sequence[str]:
        tcp = ["-sS" if self.privileged else "-sT"] if self.tcp else []
        return tcp + (["-sU"] if self.udp else [])

    def _ports(self) -> str:
        if self.tcp and self.udp:
            return f"T:{self.tcp},U:{self.udp}"
        return str(self.tcp or self.udp)

    def _questions(self) -> Sequence[str]:
        own = ["--versiondb", self.service_probes] if self.service_probes else []
        return [*own, "--version-intensity", str(INTENSITY)]

    def _pace(self) -> Sequence[str]:
        steady = min(self.rate, HIGHEST_STEADY_RATE)
        pace = ["--min-rate", str(steady), "--max-rate", str(self.rate), "--max-retries", str(self.retries)]
        return pace + (["--host-timeout", f"{self.host_timeout}s"] if self.host_timeout else [])
