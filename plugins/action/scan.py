# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.scan): one scanner's share of a vantage point's scan."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.utils.display import Display
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, visible
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.history_file import open_outside
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.reachable import SCANS, ScanEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.values import Machine
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import scan_problem, why_no_answer
from ansible_collections.vigil.ports.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import taken_in
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.part import scanned_vantages
from ansible_collections.vigil.ports.plugins.plugin_utils._own_connection import LeadsElsewhereError, connect_as_itself
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.conduct import (
    Limits,
    ScannerLostError,
    Surroundings,
    conduct,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.lost_shares import done_by, lost_and_standing
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.progress import parent_is_on_terminal
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scan_plan import (
    ScanPlan,
    left_over,
    open_ports,
    scan_plan,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scanner_identity import known_before
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.vantage_points import shares
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text

#: What Linux takes as one argument (MAX_ARG_STRLEN): the exact commands are evidence.
_ARGUMENT_LIMIT = 1 << 17


class ActionModule(Door):
    """Plans from the evidence of the hosts, sends scan_info through the plan, and writes down what it saw."""

    _requires_connection = True

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "run_dir": {"type": "path", "required": True},
        "share": {
            "type": "dict",
            "required": True,
            "options": {
                "vantage": {"type": "str", "required": True},
                "scanner": {"type": "str", "required": True},
                "index": {"type": "int", "default": 0},
                "of": {"type": "int", "default": 1},
            },
        },
        "left_over": {"type": "bool", "default": False},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        run = RunDirectory(Path(arguments["run_dir"]))
        share = arguments["share"]
        parts = (
            [({**share}, self._plan(run, share))] if not arguments["left_over"] else list(self._left_over(run, share))
        )
        known = known_before(_earlier_scans(run, share["vantage"]), share["vantage"], share["scanner"])
        done: dict[str, Any] = {"status": "scanned", "targets": 0, "warnings": []}
        for lost, plan in parts:
            if not plan.targets and arguments["left_over"]:
                continue
            instead_of = [lost["scanner"]] if arguments["left_over"] else []
            evidence = self._conduct(run, share, plan, task_vars, instead_of, known)
            done["targets"] += len(evidence["targets"])
            if evidence["status"] != "scanned":
                done["status"] = evidence["status"]
                done["warnings"].append(f"{share['vantage']} by {share['scanner']}: {evidence['message']}")
        return done

    def _plan(self, run: RunDirectory, share: Mapping[str, Any]) -> ScanPlan:
        asked = run.read_run()
        hosts = run.readable(HOSTS, asked["hosts"])
        seen_open = self._open_earlier(run)
        is_control = self._connection.transport == "local"
        depth = asked["settings"]["scan_depth"]
        return scan_plan(hosts, share, depth, scanner_is_control=is_control, seen_open=seen_open)

    def _open_earlier(self, run: RunDirectory) -> set[tuple[str, str, int]]:
        """What was open when it was last asked, by history, or where there is none by the last complete run.

        It only adds questions, so a run that cannot be read costs none.
        """
        try:
            remembered = open_outside(run.history)
            if remembered is not None:
                return set(remembered)
            earlier = run.latest()
            return set(open_ports(SCANS.read_all(earlier.path))) if earlier else set()
        except (EvidenceError, OSError) as error:
            Display().warning(terminal_text(f"ports that were open in an earlier run are not asked first: {error}"))
            return set()

    def _left_over(self, run: RunDirectory, share: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], ScanPlan]]:
        """What this scanner has to take over from others of its vantage point."""
        asked = run.read_run()
        all_shares = shares(scanned_vantages(asked.get("part"), asked["vantages"]), asked["settings"]["scan_depth"])
        everyone = [one for one in all_shares if one["vantage"] == share["vantage"]]
        scan = run.read(SCANS, share["vantage"])
        lost, standing = lost_and_standing(everyone, scan)
        if share["scanner"] in standing:
            for one in lost:
                plan = self._plan(run, one)
                number = standing.index(share["scanner"])
                yield one, left_over(plan, done_by(scan, one["scanner"]), number, len(standing))

    def _conduct(
        self,
        run: RunDirectory,
        share: Mapping[str, Any],
        plan: ScanPlan,
        task_vars: Mapping[str, Any],
        instead_of: list[str],
        known_as: Machine | None,
    ) -> dict[str, Any]:
        known = HostVariables(task_vars, self._task)

        def resolve(variables: Mapping[str, Any], name: str) -> object:
            return known.resolved(self._templar, dict(variables), name)

        def ask(options: Mapping[str, Any]) -> Mapping[str, Any]:
            try:
                connect_as_itself(self._connection, task_vars, share["scanner"], resolve)
                result = self._execute_module("vigil.ports.scan_info", module_args=dict(options), task_vars=task_vars)
            except LeadsElsewhereError as error:
                raise ScannerLostError("failed", str(error)) from error
            except AnsibleConnectionFailure as error:
                raise ScannerLostError("unreachable", visible(error.message, MESSAGE_LIMIT)) from error
            except AnsibleError as error:  # no interpreter, become refused, no space for temporary files
                raise ScannerLostError("failed", visible(error.message, MESSAGE_LIMIT)) from error
            if result.get("failed") or "targets" not in result:
                raise ScannerLostError("failed", why_no_answer(result))
            seen: Any = taken_in({key: result.get(key) for key in ("targets", "coverage", "machine")}, _ARGUMENT_LIMIT)
            problem = scan_problem(seen)
            if problem is not None:
                raise ScannerLostError("failed", problem)
            return seen  # type: ignore[no-any-return]

        playbook = os.getppid()  # a worker outlives a playbook that was killed, and gets another parent
        around = Surroundings(
            ask=ask,
            save=lambda evidence: run.put_scan(share["vantage"], evidence),
            show=lambda line: Display().display(terminal_text(line)),
            on_terminal=parent_is_on_terminal(),
            is_awaited=lambda: os.getppid() == playbook,
        )
        name = f"from {share['vantage']} by {share['scanner']}"
        limits = Limits.of(run.read_run()["settings"])
        return conduct(name, share["scanner"], plan, limits, around, instead_of, known_as)


def _earlier_scans(run: RunDirectory, vantage: str) -> Iterator[tuple[dict[str, Any], ScanEvidence | None]]:
    """What earlier complete runs were about, with their scan from there; one that cannot be read says nothing."""
    for one in run.earlier():
        with contextlib.suppress(EvidenceError, OSError):
            yield one.read_run(), one.read(SCANS, vantage)
