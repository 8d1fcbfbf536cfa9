# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that a firewall lets nothing through to a port where nothing is meant to be.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._evidence.observed import ScannedTarget, spans_count
from ..finding import Finding
from ..host_view import HostView
from ..open_ports import about_target, answering, is_trusted
from ..rule import Rule
from ..ways import by_exception, newly_declared, not_closed
from . import controls


def judge(view: HostView) -> Iterator[Finding]:
    """A closed answer where most ports of the address are filtered, and nothing is meant to be there."""
    for target in view.targets:
        holes: list[int] = []
        if _filters_by_default(view, target):
            spans = [
                span for row in target.states if (row.protocol, row.state) == ("tcp", "closed") for span in row.ports
            ]
            holes = [port for first, last in spans for port in range(first, last + 1) if _is_hole(view, target, port)]
        for port in holes:
            subject = f"tcp/{port} at {target.address} answers closed to {target.vantage}"
            message = f"{subject}; other ports that nobody uses there are filtered (scan depth {view.depth})"
            yield about_target(RULE, "fail", view, target, message, "tcp", port)
        if not holes and is_trusted(target):
            subject = f"no port at {target.address} stands out from the others as seen from {target.vantage}"
            message = f"{subject} (scan depth {view.depth})"
            yield about_target(RULE, "pass", view, target, message)


def _filters_by_default(view: HostView, target: ScannedTarget) -> bool:
    """Whether the address drops what is sent to a port that nobody means.

    Which ports a scan asks depends on what hosts declare and where they listen, and a site that drops what it declares
    looks like one that drops all. The canaries are chosen by chance, at every depth. Without them (evidence of 0.2, an
    import) the ports count that are neither declared nor in use.
    """
    if target.canaries:
        return spans_count(target.canaries.get("filtered", ())) > spans_count(target.canaries.get("closed", ()))
    filtered, closed = (len(target.ports_in("tcp", state) - view.meant_tcp) for state in ("filtered", "closed"))
    return filtered > closed


def _is_hole(view: HostView, target: ScannedTarget, port: int) -> bool:
    if any(declaration.is_reachable_from(target.vantage) for declaration in view.declarations_for("tcp", port)):
        return False
    # What stopped or started meanwhile did not listen all the time: the firewall let the scan through to nothing.
    return not any(one.seen in ("always", "restarted") for one in answering(view, target, "tcp", port))


RULE = Rule(
    id="firewall-hole",
    title="the firewall lets the port through, and nothing listens there",
    severity="medium",
    case="vantage",
    case_name="the firewall has no holes{from_vantage}",
    when="The port answers closed while most ports of the address are filtered: what listens there next is exposed.",
    remedy="Remove the firewall rule, or declare the port for this vantage point.",
    controls=controls.BOUNDARY,
    needs=frozenset(("inside", "outside")),
    excused="by any",
    declare=lambda subject: newly_declared(subject, [str(subject.finding.vantage)]),
    except_for_a_time=by_exception,
    close=not_closed("nothing listens there: it is the firewall's rule that is to be closed"),
    judge=judge,
)
