# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A baseline: from a run, or a file of another tool, to changes of the inventory's files. Private to the collection."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._evidence.history_file import read_history
from .._evidence.left_out import left_out_of
from .._evidence.records.host import HOSTS, RELISTED
from .._evidence.records.reachable import SCANS
from .._evidence.run_directory import RunDirectory
from .changes import Refusal, file_changes
from .imported import format_of, imported_for, imported_from_nmap
from .lifting import layers, lifted
from .patch import FileChange
from .proposals import HostProposal, host_proposals
from .socket_text import NotUnderstoodError

Variables = Mapping[str, Mapping[str, Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class Baseline:
    """What would be written, what was refused, and what was left out of it, by host."""

    source: str
    entries: Mapping[str, int]  # file or name -> how many
    changes: tuple[FileChange, ...]
    refused: tuple[Refusal, ...]
    left_out: Mapping[str, tuple[str, ...]]

    def lines(self, directory: Path) -> Iterator[str]:
        """The baseline for people."""
        total = sum(self.entries.values())
        yield (
            f"Baseline from {self.source}: {total} entries are proposed"
            if total
            else (f"Baseline from {self.source}: nothing is left to propose")
        )
        for change in self.changes:
            yield f"  {change.path.relative_to(directory)}"
        for host, texts in self.left_out.items():
            yield from (f"  {host}: {text}" for text in texts)
        for one in self.refused:
            yield f"  NOT WRITTEN: {one.name}: {one.why}. The entries are:"
            yield from (f"    {line}" for line in one.text.splitlines())


def source_of(run: RunDirectory) -> str:
    """The run by its name, with what it left out: nothing is proposed for that. It stands in the files as well.

    Raises EvidenceError for evidence that cannot be read.
    """
    left_out = "; ".join(left_out_of(run.read_run()))
    return f"run {run.run_id} ({left_out})" if left_out else f"run {run.run_id}"


def from_run(run: RunDirectory, hosts: Collection[str], variables: Variables, owner: str | None) -> list[HostProposal]:
    """The proposals for those hosts of a run that are in the inventory, in the order of the run.

    Raises EvidenceError for evidence that cannot be read.
    """
    asked = run.read_run()
    known = [host for host in asked["hosts"] if host in hosts]
    evidence = ((host, run.read(HOSTS, host), run.read(RELISTED, host)) for host in known)
    history = read_history(run.history)  # it tells of hosts in the order of the run
    before = {} if history is None else {host: history.of(host) for host in asked["hosts"]}
    found = list(host_proposals(asked, evidence, list(SCANS.read_all(run.path)), variables, owner, before))
    missed = [host for host in hosts if host not in asked["hosts"]]
    return found + [HostProposal(host, (), ("the run did not look at it",)) for host in sorted(missed)]


def from_file(
    data: bytes,
    kind: str,
    host: str | None,
    known_as: Mapping[str, str],
    variables: Variables,
    vantage: str | None,
    owner: str | None,
) -> list[HostProposal]:
    """The proposals from a file of another tool: nmap's for the hosts it names, any other for ``host``.

    ``known_as`` are the inventory's hosts by each of their addresses and names. Raises NotUnderstoodError.
    """
    kind = format_of(data) if kind == "auto" else kind
    if kind == "nmap":
        return imported_from_nmap(data, known_as, variables, vantage, owner)
    if host is None:
        raise NotUnderstoodError(f"whose listeners these are is not known: a file of {kind} takes import_host")
    if host not in variables:
        raise NotUnderstoodError(f"import_host: {host!r} is no host of the inventory")
    return [imported_for(host, kind, data, variables[host], owner)]


def baseline(
    source: str,
    proposals: Sequence[HostProposal],
    groups: Mapping[str, Collection[str]],
    directory: Path,
    share: int = 100,
) -> Baseline:
    """The proposals lifted into groups, as changes of the files below ``directory``. Nothing is written."""
    of_groups, of_hosts = lifted({one.host: one.entries for one in proposals}, groups, share)
    found = layers(of_groups, of_hosts)
    changes, refused = file_changes(found, directory, source)
    return Baseline(
        source=source,
        entries={f"{kind} {name}": len(some) for kind, name, _variable, some in found},
        changes=tuple(changes),
        refused=tuple(refused),
        left_out={one.host: one.left_out for one in proposals if one.left_out},
    )
