# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that the service that answers is the one that is declared.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._inventory.declared import Declaration
from ..finding import Finding, about_declaration
from ..host_view import HostView
from ..rule import Rule
from ..services import canonical, identified
from ..ways import Subject, by_exception, by_stopping, corrected
from . import controls


def judge(view: HostView) -> Iterator[Finding]:
    """What a scan identified is what the declaration says."""
    for declaration in view.inventory.declarations:
        if declaration.service is None or declaration.namespace != "host":
            continue
        for target in view.targets:
            for endpoint in target.endpoints:
                if endpoint.protocol != declaration.protocol or endpoint.port not in declaration.port:
                    continue
                if not view.speaks_first(declaration, endpoint.port):
                    continue
                answered = identified(endpoint.service)
                if answered is None:
                    continue
                subject = f"{endpoint.protocol}/{endpoint.port} at {target.address}"
                same = canonical(answered) == canonical(declaration.service)
                yield about_declaration(
                    RULE,
                    "pass" if same else "fail",
                    view.host,
                    declaration,
                    f"{subject} answers {target.vantage} as {answered}, declared {declaration.service}",
                    port=endpoint.port,
                    address=target.address,
                    vantage=target.vantage,
                )


def _service_as_seen(subject: Subject, _declaration: Declaration) -> dict[str, Any]:
    return {"service": subject.service} if subject.service else {}


RULE = Rule(
    id="wrong-service",
    title="another service answers than the declared one",
    severity="medium",
    case="service",
    case_name="the service of {protocol}/{declared_port}{inside} is the declared one",
    when=(
        "A scan with version detection identifies another service than the declaration's `service`."
        " A guess from the port number alone never counts."
    ),
    remedy="Find out what answers; if it is right, correct the declaration's service.",
    controls=controls.OWNER,
    needs=frozenset(("outside", "service")),
    excused="by any",
    declare=corrected(_service_as_seen),
    except_for_a_time=by_exception,
    close=by_stopping,
    judge=judge,
)
