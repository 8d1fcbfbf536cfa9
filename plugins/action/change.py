# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.change): opens and closes a change window."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.at_revision import declared_at
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.close_window import closing, held_against_plan
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.open_window import (
    BY_ID,
    BY_REVISION,
    NOTHING,
    Plan,
    declared_inventories,
    new_window,
    not_assessed,
    opening_lines,
    plan_by_id,
    plan_by_revision,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.outcome_junit import junit_chunks
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.outcome_text import (
    console_lines,
    report_lines,
    verdict,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.window import Windows
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.provenance import controller
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text

_LONGEST = 1000


class ActionModule(Door):
    """Works on windows and run directories of the control node, and on no host."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "change": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["open", "closed"], "required": True},
        "step": {"type": "str", "choices": ["check", "plan", "record"], "default": "record"},
        "report_dir": {"type": "path", "required": True},
        "run_dir": {"type": "path"},
        "since": {"type": "str", "default": ""},
        "nothing": {"type": "bool", "default": False},
        "again": {"type": "bool", "default": False},
        "take_over": {"type": "bool", "default": False},
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if arguments["nothing"] and arguments["since"]:
            raise AnsibleActionFail("change_nothing and change_since exclude each other: give one of them")
        if arguments["step"] != "check" and not arguments["run_dir"]:
            raise AnsibleActionFail(f"run_dir: the step {arguments['step']} works on a run, and none is given")
        report_dir = Path(os.getcwd(), arguments["report_dir"])
        steps = {
            ("open", "check"): self._check_opening,
            ("open", "plan"): self._check_plan,
            ("open", "record"): self._open,
            ("closed", "check"): self._check_closing,
            ("closed", "record"): self._close,
        }
        step = steps.get((arguments["state"], arguments["step"]))
        if step is None:
            raise AnsibleActionFail(
                "step: a window is planned when it is opened, allowed with state=closed: check, record"
            )
        return step(arguments, task_vars, Windows(report_dir), report_dir)

    def _check_opening(
        self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any], windows: Windows, _report_dir: Path
    ) -> dict[str, Any]:
        hosts = sorted(task_vars["ansible_play_hosts_all"])
        windows.refuse_opening(arguments["change"], hosts, again=arguments["again"])
        return {"hosts": hosts}

    def _check_plan(
        self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any], _windows: Windows, _report_dir: Path
    ) -> dict[str, Any]:
        plan, _source = self._plan(arguments, task_vars)
        return {"hosts": sorted(plan), "planned": sum(len(items or ()) for items in plan.values())}

    def _open(
        self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any], windows: Windows, _report_dir: Path
    ) -> dict[str, Any]:
        run = RunDirectory(Path(arguments["run_dir"]))
        plan, source = self._plan(arguments, task_vars)
        now, by = dt.datetime.now(dt.UTC), controller(os.environ)
        window = new_window(arguments["change"], run, plan, source, arguments["since"] or None, by, now)
        place = windows.of(arguments["change"]).path
        if self._task.check_mode:
            windows.refuse_opening(arguments["change"], window["hosts"], again=arguments["again"])
        else:
            windows.add(window, again=arguments["again"])
        for line in opening_lines(window, not_assessed(run), is_check=self._task.check_mode):
            Display().display(terminal_text(line, _LONGEST))
        return {
            "hosts": window["hosts"],
            "planned": sum(len(items or ()) for items in plan.values()),
            "window": str(place),
        }

    def _plan(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> tuple[Plan, str]:
        hosts = declared_inventories(RunDirectory(Path(arguments["run_dir"])))
        if not arguments["since"]:
            source = NOTHING if arguments["nothing"] else BY_ID
            return plan_by_id(hosts, arguments["change"], nothing=arguments["nothing"]), source
        run = RunDirectory(Path(arguments["run_dir"]))
        read = {host: run.read(HOSTS, host) for host in hosts}
        known = {host: evidence.inventory if evidence else None for host, evidence in read.items()}
        earlier = declared_at(arguments["since"], list(context.CLIARGS["inventory"] or ()), known)
        return plan_by_revision(hosts, earlier, arguments["since"]), BY_REVISION

    def _check_closing(
        self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any], windows: Windows, _report_dir: Path
    ) -> dict[str, Any]:
        by = controller(os.environ)
        window = windows.refuse_closing(arguments["change"], by, take_over=arguments["take_over"]).read()
        gone = sorted(set(window["hosts"]) - set(task_vars["groups"]["all"]))
        warnings = [f"{host} is in the window, and no longer in the inventory: it is not looked at" for host in gone]
        return {"hosts": sorted(set(window["hosts"]) - set(gone)), "warnings": warnings}

    def _close(
        self, arguments: Mapping[str, Any], _task_vars: Mapping[str, Any], windows: Windows, report_dir: Path
    ) -> dict[str, Any]:
        after, by = RunDirectory(Path(arguments["run_dir"])), controller(os.environ)
        window = windows.refuse_closing(arguments["change"], by, take_over=arguments["take_over"])
        found = held_against_plan(window.read(), report_dir, after, by, dt.datetime.now(dt.UTC))
        place = "check mode: the window stays open, and no report is written"
        if not self._task.check_mode:
            files = {
                "junit.xml": list(junit_chunks(found)),
                "report.md": [f"{line}\n".encode() for line in report_lines(found)],
            }
            windows.close(window, closing(found, after, files), files)
            place = f"reports: {window.path}"
        for line in console_lines(found, place):
            Display().display(line)
        return {
            "failed": not found.passed,
            "msg": f"Change {found.change} {verdict(found)}",
            "passed": found.passed,
            "counts": found.counts,
            "window": str(window.path),
        }
