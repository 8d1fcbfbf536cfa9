# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts of a run to list again, and for which ports. This module is private to the collection."""

from __future__ import annotations

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import HIGHEST, PortSet

from .._evidence.run_directory import RunDirectory
from .reconcile import Audit

_EVERY_PORT = dict.fromkeys(("tcp", "udp"), f"1-{HIGHEST}")


def to_relist(run: RunDirectory) -> dict[str, dict[str, str]]:
    """The ports by protocol, as text, for each host that is to be listed again.

    These are the hosts that disagree with the scans; with ``verify_bind: all`` every port of every host
    that was listed. Raises EvidenceError for evidence that cannot be read.
    """
    asked = run.read_run()
    audit = Audit(asked, run.read_scans())
    every = asked["settings"]["verify_bind"] == "all"
    found = {}
    for host in asked["hosts"]:
        ports = audit.disagreements(host, run.read_host(host))
        if ports is not None and (ports or every):
            found[host] = _EVERY_PORT if every else _by_protocol(ports)
    return found


def _by_protocol(ports: set[tuple[str, int]]) -> dict[str, str]:
    return {protocol: str(PortSet.of(port for name, port in ports if name == protocol)) for protocol in _EVERY_PORT}
