# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door of M(vigil.ports.run): opens a run."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.window import open_changes
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.lock_file import others_who_write
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.provenance import (
    controller,
    inventory_state,
    own_addresses,
    versions,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.recorded_command import recorded_command
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.signature import try_key
from ansible_collections.vigil.ports.plugins.plugin_utils._host_variables import InventorySources
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain, taken_in
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.problem import Problem
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.part import (
    PARTS,
    part_of,
    part_problems,
    scanned_vantages,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.missed_runs import missed_runs
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.new_run import (
    SETTINGS,
    clock_set_back,
    goes_together,
    is_serial,
    is_what_if,
    left_out,
    name_problems,
    settings_problems,
    settle_date,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.vantage_points import (
    absent_scanners,
    scanner_addresses,
    shares,
    vantage_problems,
)


class ActionModule(Door):
    """Checks what was asked for, makes the run directory, and writes down the scope."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {
        "report_dir": {"type": "path", "required": True},
        "vantages": {"type": "raw", "required": True},
        "label": {"type": "str"},
        "date": {"type": "str"},
        "signing_key": {"type": "path", "no_log": False},
        "part": {"type": "str", "default": ""},
        "part_inside": {"type": "bool", "default": True},
        "part_vantages": {"type": "list", "elements": "str", "default": []},
        **SETTINGS,
    }

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC)
        scope = sorted(task_vars["ansible_play_hosts_all"])
        if is_serial(task_vars["ansible_play_batch"], task_vars["ansible_play_hosts"]):
            raise AnsibleActionFail("an audit looks at all hosts of the play together: remove serial from the play")
        strategy = self._task.get_play().strategy
        if not goes_together(strategy):
            raise AnsibleActionFail(
                f"an audit looks at all hosts of the play together, and strategy {strategy} lets each go its own way: "
                "set strategy: ansible.builtin.linear in the play"
            )
        vantages: Any = taken_in(arguments["vantages"])
        known_hosts = task_vars["groups"]["all"]
        problems = [
            *name_problems(scope),
            *_vantage_problems(arguments, vantages, known_hosts),
            *settings_problems(arguments),
        ]
        if problems:
            raise AnsibleActionFail("\n".join(map(str, problems)))
        try:
            date = settle_date(arguments["date"], now)
        except ValueError as error:
            raise AnsibleActionFail(f"date: {arguments['date']!r} is no day as YYYY-MM-DD") from error
        key = arguments["signing_key"]
        signing = try_key(Path(os.getcwd(), key))._asdict() if key else None
        part = part_of(arguments, task_vars["groups"])
        report_dir = Path(os.getcwd(), arguments["report_dir"])
        run = RunDirectory.create(report_dir / PARTS / part["campaign"] if part else report_dir, now)
        later = run.later()
        label: Any = taken_in(arguments["label"] or None)
        about: Any = taken_in(
            {
                "label": label,
                "left_out": left_out(scope, task_vars["groups"]),
                "limit": context.CLIARGS.get("subset"),
                "versions": versions(),
                "controller": controller(os.environ),
                "command": recorded_command(sys.argv),
                "scanners": scanner_addresses(vantages, _places(vantages, task_vars), own_addresses()),
                "inventory": inventory_state(task_vars.get("inventory_dir")),
                "unmatched": InventorySources(task_vars, self._task).unmatched(),
                "absent_scanners": absent_scanners(vantages, known_hosts),
            }
        )
        for name in ("unmatched", "absent_scanners"):  # said only where there are any
            if not about[name]:
                del about[name]
        run.write_run(
            {
                **about,
                **({"what_if": True} if is_what_if(date, now) else {}),
                **({"part": part} if part else {}),
                "run_id": run.run_id,
                "started": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                "audit_date": date,
                "check_mode": bool(self._task.check_mode),
                "settings": {name: plain(arguments[name]) for name in SETTINGS},
                "vantages": vantages,
                "hosts": scope,
                "signing": signing,
                "open_changes": open_changes(run.path.parent, now),
                "due": missed_runs(0 if part else arguments["every"], label, now, _earlier(run)),
                **({"opened_before": later} if later else {}),
            }
        )
        warnings = [clock_set_back(run.run_id, later)] if later else []
        others = others_who_write(run.path.parent)
        if others:
            warnings.append(
                f"report_dir: {run.path.parent}: {others}, so others can delete or replace runs: give it to the user "
                "who audits, mode 0700"
            )
        scanners = shares(scanned_vantages(part, vantages), arguments["scan_depth"])
        return {
            "run_dir": str(run.path),
            "run_id": run.run_id,
            "hosts": scope,
            "shares": scanners,
            "warnings": warnings,
        }


def _vantage_problems(arguments: Mapping[str, Any], vantages: Any, known_hosts: list[str]) -> list[Problem]:
    part, depth = arguments["part"], arguments["scan_depth"]
    if not part:
        return vantage_problems(vantages, known_hosts, depth)
    scanned: Any = taken_in(arguments["part_vantages"])
    return part_problems(part, arguments["part_inside"], scanned, vantages, known_hosts, depth)


def _earlier(run: RunDirectory) -> Iterator[dict[str, Any]]:
    """What earlier complete runs were about; of one that cannot be read nothing is known."""
    for one in run.earlier():
        with contextlib.suppress(EvidenceError, OSError):
            yield one.read_run()


def _places(vantages: list[Mapping[str, Any]], task_vars: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """How Ansible reaches the scanners. What cannot be resolved is left out: the scan will say why."""
    found: dict[str, dict[str, Any]] = {}
    for scanner in {name for vantage in vantages for name in vantage["scanners"]}:
        if scanner not in task_vars["hostvars"]:
            continue
        known = task_vars["hostvars"][scanner]
        for name in ("ansible_host", "ansible_connection"):
            try:
                found.setdefault(scanner, {})[name] = plain(known.get(name))
            except (AnsibleError, TypeError):
                continue
    return found
