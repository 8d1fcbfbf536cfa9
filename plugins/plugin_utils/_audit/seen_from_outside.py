# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen from the vantage points, by host. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._evidence.observed import ScannedTarget, plain_address
from .._evidence.records.host import HostEvidence
from .._evidence.records.reachable import ScanEvidence, Share
from .._evidence.records.values import Machine
from .._evidence.run_directory import DamagedScan
from .._plan.scanner_identity import changed_gap, is_another


class SeenFromOutside:
    """The scans of a run. ``vantages`` are the names of its vantage points, ``shares`` what each scanner wrote.

    A scan whose evidence cannot be used has no shares, and ``damage`` says why.
    """

    def __init__(self, run: Mapping[str, Any], scans: Iterable[ScanEvidence | DamagedScan]) -> None:
        self.vantages: list[str] = [vantage["name"] for vantage in run["vantages"]]
        self.shares: dict[str, list[Share]] = {name: [] for name in self.vantages}
        self._rows: dict[tuple[str, str], list[ScannedTarget]] = {}
        self._stacks: dict[tuple[str, str], set[str]] = {}
        self._addresses: dict[tuple[str, str], set[str]] = {}
        self._scanners: Mapping[str, Any] = run.get("scanners") or {}
        self._changed: dict[tuple[str, str], str] = {}
        self._sent: dict[tuple[str, str], dict[str, list[Share]]] = {}
        self._damage: dict[str, str] = {}
        for scan in scans:
            if isinstance(scan, DamagedScan):
                self._damage[scan.vantage] = scan.damage
                self.shares.setdefault(scan.vantage, [])
                continue
            self.shares.setdefault(scan.vantage, []).extend(scan.shares)
            for share in scan.shares:
                self._take_identity(scan.vantage, share)
                for row in share.targets:
                    target = ScannedTarget.of(scan.vantage, share.scanner, row)
                    self._rows.setdefault((target.host, target.vantage), []).append(target)
                planned = [(one.host, one.address) for one in share.plan.targets]
                refused = [(one.host, one.address) for one in share.plan.refused]
                for host, address in (*planned, *refused):
                    self._sent.setdefault((host, scan.vantage), {}).setdefault(address, []).append(share)
        not_asked = "this run looked from inside only (audit_scan_depth is none)"
        inside_only = run["settings"]["scan_depth"] == "none"
        self._why_none = {name: not_asked if inside_only else self._troubles(name) for name in self.shares}

    def of(self, host: str, evidence: HostEvidence | None) -> Iterator[tuple[str, tuple[ScannedTarget, ...]]]:
        """Each vantage point with what it saw of the host. ``evidence`` is the host's own: what a scanner that is the
        host itself saw is no look from outside."""
        for vantage in self.vantages:
            found: list[ScannedTarget] = []
            for target in self._rows.get((host, vantage), ()):
                if self._why_itself(target, evidence) is None:
                    _keep_best(found, target)
            yield vantage, tuple(found)

    def doubtful_scanners(self, host: str, evidence: HostEvidence | None) -> Iterator[tuple[str, str, str]]:
        """Scanners that are not where their vantage point is: the gap's name, the vantage point, and why."""
        for vantage in self.vantages:
            rows = self._rows.get((host, vantage), ())
            for scanner in dict.fromkeys(target.scanner for target in rows):
                of_scanner = [target for target in rows if target.scanner == scanner]
                itself = next(filter(None, (self._why_itself(target, evidence) for target in of_scanner)), None)
                if itself:
                    yield f"{host}:scanner-is-target@{vantage}", vantage, f"{itself}, which is no look from {vantage}"
                elif (vantage, scanner) in self._changed:
                    yield changed_gap(host, vantage), vantage, self._changed[vantage, scanner]

    def _take_identity(self, vantage: str, share: Share) -> None:
        """Which machines answered as a scanner, and whether they are the one that is known."""
        scanner, machines, known = share.scanner, share.machines or (), share.known_as
        self._stacks.setdefault((vantage, scanner), set()).update(one.stack for one in machines if one.stack)
        own = {address for one in machines for address in one.addresses}
        self._addresses.setdefault((vantage, scanner), set()).update(own)
        expected = known or next(iter(machines), None)
        other = next((one for one in machines if expected and is_another(expected, one)), None)
        if expected and other:
            self._changed[vantage, scanner] = (
                f"another machine answered as {scanner} than {'before' if known else 'at first'}: {_addresses(other)}"
                f" instead of {_addresses(expected)}; whether it stands at {vantage} is not known"
            )

    def _why_itself(self, target: ScannedTarget, evidence: HostEvidence | None) -> str | None:
        """Why the scanner is the very machine that it looked at, and nobody said so; None where it is not.

        It is said by its name in the inventory, and of the control node, which looks at itself from where it stands. A
        scanner that has the scanned address sends nothing anywhere, whatever the host says of itself.
        """
        if target.scanner == target.host or evidence is None:
            return None
        if evidence.is_control and self._scanners.get(target.scanner, {}).get("is_control", True):
            return None
        scanner = (target.vantage, target.scanner)
        machine = evidence.listening.machine if evidence.listening else None
        stack = machine.stack if machine else None
        if stack is not None and stack in self._stacks.get(scanner, ()):
            return f"what answered as {target.scanner} is {target.host} itself"
        if target.address in self._addresses.get(scanner, ()):
            return f"what answered as {target.scanner} has the address {target.address} itself"
        return None

    def unseen(self, host: str, vantage: str, expected: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """Addresses of the host on which no scanner of the vantage point reported, with what is known of that.

        Scanners of one place divide the addresses of a host among them: that one reported says nothing of the other.
        """
        reported = {target.address for target in self._rows.get((host, vantage), ())}
        for address in expected:
            if address in reported:
                continue
            sent = self._sent.get((host, vantage), {}).get(address, [])
            done = [share for share in sent if share.status == "scanned"]
            plain = plain_address(address)
            # A name is reported on by the addresses that it resolved to at the scanner.
            if (plain or address) in reported or (plain is None and done and reported):
                continue
            troubles = [f"{share.scanner}: {share.message or share.status}" for share in sent if not done]
            yield address, "; ".join(troubles) or (None if done else self.why_none(vantage))

    def why_none(self, vantage: str) -> str | None:
        """What is known of a vantage point from which a host was not scanned."""
        return self._why_none[vantage]

    def _troubles(self, vantage: str) -> str | None:
        troubles = [
            f"{share.scanner}: {share.message or share.status}"
            for share in self.shares[vantage]
            if share.status != "scanned"
        ]
        if troubles:
            return "; ".join(troubles)
        return None if self.shares[vantage] else self._damage.get(vantage, "no scanner of it reported")


def _addresses(machine: Machine) -> str:
    return ", ".join(machine.addresses) or "no known address"


def _keep_best(targets: list[ScannedTarget], new: ScannedTarget) -> None:
    """Of an address that several scanners saw, the fullest look: one took over what another had left.

    What only the other look found open stays open: it was seen.
    """
    for index, known in enumerate(targets):
        if known.address == new.address:
            is_better = known.status != "complete" and (new.status == "complete" or not known.states)
            best, other = (new, known) if is_better else (known, new)
            targets[index] = best if other.status == "untrusted" else best.with_open(other)
            return
    targets.append(new)
