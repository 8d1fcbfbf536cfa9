# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts of a run to list again, and for which ports. This module is private to the collection."""

from __future__ import annotations

import contextlib

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import HIGHEST, PortSet

from .._evidence.kept import EvidenceError
from .._evidence.records.host import HOSTS
from .._evidence.run_directory import RunDirectory
from .reconcile import Audit, evidence_of

_EVERY_PORT = dict.fromkeys(("tcp", "udp"), f"1-{HIGHEST}")


def to_relist(run: RunDirectory) -> dict[str, dict[str, str]]:
    """The ports by protocol, as text, for each host that is to be listed again.

    These are the hosts that disagree with the scans; with ``verify_bind: all`` every port of every host
    that was listed. Evidence that cannot be used is named when it is judged. Raises EvidenceError when it is
    not known what was asked of the run.
    """
    asked = run.read_run()
    audit = Audit(asked, run.readable_scans(vantage["name"] for vantage in asked["vantages"]))
    every = asked["settings"]["verify_bind"] == "all"
    found = {}
    for host in asked["hosts"]:
        with contextlib.suppress(EvidenceError):
            evidence = evidence_of(run.read(HOSTS, host))
            if every:
                view = audit.view(host, evidence)
                if view is not None and view.listeners is not None:
                    found[host] = _EVERY_PORT
            elif audit.may_disagree(host, evidence):
                ports = audit.disagreements(host, evidence)
                if ports:
                    found[host] = _by_protocol(ports)
    return found


def _by_protocol(ports: set[tuple[str, int]]) -> dict[str, str]:
    return {protocol: str(PortSet.of(port for name, port in ports if name == protocol)) for protocol in _EVERY_PORT}
