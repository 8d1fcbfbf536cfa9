# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on the way to a host and on the host, before anything of it is seen."""

from __future__ import annotations

from faults.audits import Auditing
from faults.conftest import Telling
from faults.table import fault, not_assessed


@fault(
    "host-unreachable",
    area="hosts",
    fault="A host does not answer",
    cause="a host of the inventory at an address where nobody is",
    says=not_assessed("ghost1:unreachable", "ghost1:scan-failed@office", line="No route to host"),
)
def test_a_host_that_does_not_answer(audit: Auditing, told: Telling) -> None:
    told(audit("ghost1"))


@fault(
    "host-without-python",
    area="hosts",
    fault="A host has no Python",
    cause="the interpreter of the inventory is not there",
    says=not_assessed("web1:failed", line="/opt/none/python3"),
)
def test_a_host_without_python(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"web1": {"ansible_python_interpreter": "/opt/none/python3"}}))
