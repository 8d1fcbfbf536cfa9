# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules as data: what each is called, how grave it is, which controls it speaks to, what to do.

``docs/rules.md`` is made from this table. This module is private to the collection.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

#: From least to most grave. ``error`` is of another kind: it could not be told.
SEVERITIES = ("info", "low", "medium", "high", "critical")

Case = Literal[
    "assessment", "host", "vantage", "declaration", "exception", "review", "service", "packets", "breadth", "acceptance"
]


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One kind of verdict. ``case`` says what one test case in a JUnit report stands for."""

    id: str
    title: str
    severity: str
    case: Case
    when: str
    remedy: str
    controls: tuple[str, ...]


_INVENTORY_CONTROLS = ("PCI DSS 4.0.1 1.2.5", "CIS Controls 8.1 4.8", "NIST SP 800-53 CM-7", "ISO 27001:2022 A.8.9")
_BOUNDARY_CONTROLS = ("PCI DSS 4.0.1 1.3.1", "CIS Controls 8.1 4.4", "NIST SP 800-53 SC-7", "ISO 27001:2022 A.8.20")
_REVIEW_CONTROLS = ("PCI DSS 4.0.1 1.2.7", "NIST SP 800-53 CA-7", "ISO 27001:2022 A.5.36")
_OWNER_CONTROLS = ("PCI DSS 4.0.1 2.2.4", "NIST SP 800-53 CM-7(5)", "ISO 27001:2022 A.8.19")
_EVIDENCE_CONTROLS = ("PCI DSS 4.0.1 11.4.5", "NIST SP 800-53 AU-12", "ISO 27001:2022 A.8.15")

_RULES = (
    Rule(
        "undeclared-listener",
        "a listener that no declaration covers",
        "medium",
        "host",
        "A socket takes traffic on the host, and no declaration covers its protocol, port, address and namespace."
        " `info` when only the host itself can reach it, `low` for the UDP ports that the kernel picked for a process,"
        " which are one finding. A port on which an earlier run saw the same process was not picked (audit_history).",
        "Stop and disable what listens, or declare it with a justification and an owner.",
        _INVENTORY_CONTROLS,
    ),
    Rule(
        "missing-listener",
        "declared and required, but nothing listens",
        "medium",
        "declaration",
        "A declaration with `required: true` has no listener. Of a range one port is enough, of a list each is meant.",
        "Start the service, or set `required: false`, or remove the declaration.",
        ("NIST SP 800-53 CM-2", "ISO 27001:2022 A.8.9"),
    ),
    Rule(
        "undeclared-raw-socket",
        "a process takes packets without a port, undeclared",
        "medium",
        "packets",
        "A packet or raw socket of the host receives, and no entry of `vigil_raw_sockets` is for the process or unit"
        " that holds it. No scan finds it: a sniffer has one, a DHCP client has one, and a backdoor that waits for a"
        " certain packet has nothing else. Those of one process are one finding.",
        "Find out what the process is for. Stop it, or declare it in `vigil_raw_sockets`.",
        (*_OWNER_CONTROLS, "NIST SP 800-53 SI-4"),
    ),
    Rule(
        "wrong-owner",
        "another process, user or unit listens than the declared one",
        "high",
        "declaration",
        "The declaration names `process`, `user` or `unit`, and what listens is another.",
        "Find out who started the process that listens; if it is right, correct the declaration.",
        _OWNER_CONTROLS,
    ),
    Rule(
        "wrong-service",
        "another service answers than the declared one",
        "medium",
        "service",
        "A scan with version detection identifies another service than the declaration's `service`."
        " A guess from the port number alone never counts.",
        "Find out what answers; if it is right, correct the declaration's service.",
        _OWNER_CONTROLS,
    ),
    Rule(
        "undeclared-exposure",
        "open from a vantage point without a declaration",
        "high",
        "vantage",
        "A scan finds the port open, and no declaration of the host has that protocol and port.",
        "Close it at the firewall or stop the service, or declare it with `reachable_from`.",
        _BOUNDARY_CONTROLS,
    ),
    Rule(
        "forbidden-exposure",
        "open from a vantage point for which it is not declared",
        "high",
        "declaration",
        "A scan finds the port open; it is declared, but `reachable_from` does not hold this vantage point.",
        "Close it at the firewall for this vantage point, or add the vantage point to `reachable_from`.",
        _BOUNDARY_CONTROLS,
    ),
    Rule(
        "blocked-service",
        "declared reachable and listening, but not open from there",
        "medium",
        "declaration",
        "`reachable_from` holds the vantage point and a listener is there, but the scan does not find the port open.",
        "Open the firewall for this vantage point, make the service listen on the right address,"
        " or take the vantage point from `reachable_from`.",
        ("NIST SP 800-53 CP-10", "ISO 27001:2022 A.8.14"),
    ),
    Rule(
        "open-without-listener",
        "open outside, but the host shows no listener for it",
        "high",
        "vantage",
        "A scan finds the port open, and nothing that the host lists would answer there, also when it is listed again:"
        " a forwarded port, a proxy, or a host that hides a listener. Where `bind()` finds the port free, the packets"
        " go elsewhere; where it finds it held, `hidden-listener` says so instead.",
        "Look for address translation and proxies in front of the host; without one, treat the host as compromised.",
        (*_BOUNDARY_CONTROLS, "NIST SP 800-53 SI-4"),
    ),
    Rule(
        "hidden-listener",
        "something holds the port, and the host lists no socket for it",
        "critical",
        "host",
        "`bind()` is refused because the port is in use, and neither listing of the host shows a socket that holds it."
        " Which ports are tried is set by `audit_verify_bind`. Only an exception that names this rule excuses it.",
        "Treat the host as compromised: isolate it, and look at it from a system that it did not start.",
        (
            "PCI DSS 4.0.1 11.5.1",
            "PCI DSS 4.0.1 12.10.5",
            "NIST SP 800-53 SI-4",
            "NIST SP 800-53 SI-7",
            "ISO 27001:2022 A.8.16",
        ),
    ),
    Rule(
        "firewall-hole",
        "the firewall lets the port through, and nothing listens there",
        "medium",
        "vantage",
        "The port answers closed while most ports of the address are filtered: what listens there next is exposed.",
        "Remove the firewall rule, or declare the port for this vantage point.",
        _BOUNDARY_CONTROLS,
    ),
    Rule(
        "unapproved",
        "a port rests on a proposal that nobody has approved",
        "medium",
        "declaration",
        "An entry is in a layer `vigil_ports__proposed` or `vigil_ports__proposed_GROUP`. As grave as what it"
        " stands in for: `high` when the port is open from a vantage point, `info` when only the host itself can reach"
        " it, `low` when nothing needs the proposal.",
        "Fill in justification and owner, have it approved, and move the entry to a layer of another name; or close the"
        " port and delete the entry.",
        _INVENTORY_CONTROLS,
    ),
    Rule(
        "exception-expired",
        "an exception has expired",
        "high",
        "exception",
        "The day in `expires` has passed (UTC).",
        "Close the port and delete the exception, or have it approved anew with a later day.",
        _REVIEW_CONTROLS,
    ),
    Rule(
        "exception-expiring",
        "an exception in use expires soon",
        "low",
        "exception",
        "The exception excuses a finding, and expires within `audit_expiring_days`.",
        "Finish the work that the exception was made for, or have it prolonged in time.",
        _REVIEW_CONTROLS,
    ),
    Rule(
        "exception-unused",
        "an exception excuses nothing",
        "low",
        "exception",
        "The exception is in force, the host was assessed, and no finding needed it.",
        "Delete the exception: what it was made for is gone.",
        _REVIEW_CONTROLS,
    ),
    Rule(
        "review-overdue",
        "a declaration's review is overdue",
        "low",
        "review",
        "The day in `review_by` has passed (UTC).",
        "Ask the owner whether the port is still needed, and set the next `review_by`.",
        _REVIEW_CONTROLS,
    ),
    Rule(
        "too-broad",
        "an approval covers more ports, or holds longer, than anybody can have meant",
        "medium",
        "breadth",
        "The ports of a protocol that a host declares reachable from any vantage point, or those of its exceptions, are"
        " more than `audit_too_broad_ports` (all entries together); or an exception holds for more than"
        " `audit_too_broad_days`. No exception excuses it.",
        "Narrow the range, the `reachable_from` or the time to what is needed, or set the limit for the site.",
        _REVIEW_CONTROLS,
    ),
    Rule(
        "acceptance-unused",
        "an accepted gap is not there",
        "low",
        "acceptance",
        "`audit_accept_gaps` names a gap, or has a pattern, that covers none of the run. Told of whole runs: a limited"
        " one may have left out the host.",
        "Delete it from `audit_accept_gaps`: what it was accepted for is gone, or it was never spelt right.",
        _REVIEW_CONTROLS,
    ),
    Rule(
        "not-assessed",
        "something in scope could not be looked at",
        "error",
        "assessment",
        "A host, a protocol, a vantage point or a part of a scan gave no answer that can be trusted.",
        "Remove the cause and run again, or accept this gap by name in `audit_accept_gaps`.",
        _EVIDENCE_CONTROLS,
    ),
)

CATALOGUE = {rule.id: rule for rule in _RULES}


def severity_rank(severity: str) -> int:
    """0 for ``info`` to 4 for ``critical``; ``error`` stands above all."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
