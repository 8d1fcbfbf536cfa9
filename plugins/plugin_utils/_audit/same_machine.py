# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two names of the inventory that lead to one machine. This module is private to the collection.

Either name may be meant for another machine, at which nobody looked then: that is a gap. What fails on the machine is
found under both names and given once. Which machine answered is what a host says of itself, so both names are judged in
full all the same, and nothing is left out but a failure that stands, word for word, under the other name. So no host
hides a finding, or the look at another host, by what it claims to be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .._evidence.records.host import HostEvidence
from .._evidence.records.values import Machine
from .finding import Finding
from .rules.not_assessed import gap


class _Judged(NamedTuple):
    """The first name of a machine, and digests of what failed under it."""

    host: str
    failed: frozenset[str]


class Machines:
    """The machines of a run, as its hosts are judged one after the other. Of each failure a digest is kept."""

    def __init__(self) -> None:
        self._by_stack: dict[str, _Judged] = {}
        self._by_id: dict[tuple[str, tuple[str, ...]], _Judged] = {}
        self._without_stack: dict[tuple[str, tuple[str, ...]], _Judged] = {}

    def once(self, host: str, evidence: HostEvidence | None, findings: Iterable[Finding]) -> list[Finding]:
        """The findings of a host: those that an earlier name of its machine has as well are left out, with a gap."""
        found = list(findings)
        machine = evidence.listening.machine if evidence and evidence.listening else None
        if not machine:
            return found
        earlier = self._earlier(machine)
        if earlier is None:
            self._keep(machine, _Judged(host, frozenset(_digest(one) for one in found if one.status == "fail")))
            return found
        rest = [one for one in found if one.status != "fail" or _digest(one) not in earlier.failed]
        named = _same_machine_gap(host, earlier.host, machine, len(found) - len(rest))
        return sorted([named, *rest], key=lambda finding: finding.sort_key)

    def _earlier(self, machine: Machine) -> _Judged | None:
        """Two network stacks are two machines, though clones: ids and addresses tell only where one is not known."""
        stack, key = machine.stack, _by_id(machine)
        found = self._by_stack.get(stack) if stack else self._by_id.get(key) if key else None
        return found or (self._without_stack.get(key) if key else None)

    def _keep(self, machine: Machine, judged: _Judged) -> None:
        stack, key = machine.stack, _by_id(machine)
        if stack:
            self._by_stack[stack] = judged
        elif key:
            self._without_stack[key] = judged
        if key:
            self._by_id.setdefault(key, judged)


def _by_id(machine: Machine) -> tuple[str, tuple[str, ...]] | None:
    """What tells a machine for years: its id, and its addresses, as clones of an image share the id."""
    return (machine.id, machine.addresses) if machine.id and machine.addresses else None


def _digest(finding: Finding) -> str:
    """The same for findings that differ in nothing but the host's name and the ways out, which are of each name."""
    said = "\x1f".join((finding.severity, finding.message, *finding.details))
    return f"{finding._replace(host=None).id} {hash(said)}"


def _same_machine_gap(host: str, first: str, machine: Machine, left_out: int) -> Finding:
    addresses = ", ".join(machine.addresses[:4]) or "no known address"
    once = f"; {left_out} of its findings are those of {first} and given there alone" if left_out else ""
    message = (
        f"{host} and {first} are one machine ({addresses}){once}: take one of both names out of the inventory, or set"
        " ansible_host of the one that is meant for another machine, at which nobody looked"
    )
    return gap(f"{host}:same-machine:{first}", message, host=host)
