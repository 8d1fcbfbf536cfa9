# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the machine that answers as a scanner is the one that did before. Pure. Private to the collection.

A vantage point is a place. Where another machine answers under a scanner's name, or the same one by none of the
addresses that it had, nobody knows which place that is until somebody says so, by accepting the gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._audit.gate import Gate
from .._audit.rules.not_assessed import gap
from .._evidence.records.reachable import ScanEvidence, Share
from .._evidence.records.values import Machine


def is_another(known: Machine, answered: Machine) -> bool:
    """True where the machines differ, or share no address: the place is another one then."""
    if known.id and answered.id and known.id != answered.id:
        return True
    return bool(known.addresses) and not set(known.addresses) & set(answered.addresses)


def changed_gap(host: str, vantage: str) -> str:
    """The name of the gap that another machine answered."""
    return f"{host}:scanner-changed@{vantage}"


def known_before(
    runs: Iterable[tuple[Mapping[str, Any], ScanEvidence | None]], vantage: str, scanner: str
) -> Machine | None:
    """The machine that is known as the scanner, from earlier runs with the vantage point's scan, the newest first.

    One that answered otherwise stays unknown until a run accepted that for each host that it looked at.
    """
    for run, scan in runs:
        for share in scan.shares if scan else ():
            if share.scanner != scanner or not share.machines:
                continue
            known, answered = share.known_as or None, share.machines[0]
            if known is None or not is_another(known, answered):
                return answered
            return answered if _is_accepted(run, vantage, share) else known
    return None


def _is_accepted(run: Mapping[str, Any], vantage: str, share: Share) -> bool:
    """Whether the gate of the run took the gap that another machine answered, of every host that it looked at."""
    gate = Gate.of(run["settings"])
    hosts = {target.host for target in share.targets}
    gaps = (gap(changed_gap(host, vantage), "", host=host, vantage=vantage) for host in hosts)
    return bool(hosts) and all(gate.judge(one)["accepted"] for one in gaps)
