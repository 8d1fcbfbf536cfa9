# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where host and scans disagree. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable

from .finding import Finding
from .host_view import HostView
from .rules.registry import CATALOGUE


def disagreements(view: HostView, findings: Iterable[Finding]) -> set[tuple[str, int]]:
    """Protocols and ports of which host and scans say different things, from the findings on one listing.

    Open without a listener; listening, and closed where it should be reached; missing, and open. A host
    is listed again for these before they are reported.
    """
    found: set[tuple[str, int]] = set()
    for finding in findings:
        disagreeing = CATALOGUE[finding.rule].disagreeing
        if finding.status == "fail" and finding.protocol is not None and disagreeing is not None:
            found |= {(finding.protocol, port) for port in disagreeing(view, finding)}
    return found
