# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The import engine: a report of nmap made elsewhere, read like one of our own.

This module is private to the collection.
"""

from __future__ import annotations

from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_report import read_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_xml import NmapXmlError
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    Outcome,
    Problem,
    ScanError,
    ScanRequest,
    Seen,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet


def import_report(request: ScanRequest, data: bytes) -> Outcome:
    """What the report says about the requested addresses. Raises ScanError when it is none.

    Asked is what the report covers and what the request names: neither hides the other.
    """
    try:
        report = read_report(data)
    except NmapXmlError as error:
        raise ScanError(f"the report cannot be imported: {error}") from error
    seen: dict[str, Seen] = {}
    for address in request.addresses:
        seen[address] = report.seen.get(address, Seen(reason=f"the report says nothing about {address}"))
    problems = list(report.problems)
    strangers = [address for address in report.seen if address not in seen]
    if strangers:
        shown = ", ".join(strangers[:20]) + (f" and {len(strangers) - 20} more" if len(strangers) > 20 else "")
        message = f"addresses in the report that no target owns, and that are attributed to nobody: {shown}"
        problems.append(Problem("import-unowned-addresses", message))
    if not report.finished:
        problems.append(
            Problem("nmap-failed", f"the imported scan did not come to a good end: {report.error or 'cut'}")
        )
    return Outcome(
        engine="import",
        engine_version=f"nmap {report.version}" if report.version else None,
        technique=report.technique,
        privileged=report.technique == "syn",
        seen=seen,
        tcp=(request.tcp | report.asked.get("tcp", PortSet())) - PortSet.of([0]),
        udp=(request.udp | report.asked.get("udp", PortSet())) - PortSet.of([0]),
        commands=(tuple(report.arguments.split()),) if report.arguments else (),
        problems=tuple(dict.fromkeys(problems)),
        whole=report.finished and not strangers,
    )
