# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gathering task of an audit over SSH, against ``ansible.builtin.ping`` on the same hosts."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bench
import ssh_hosts
import yaml

HOSTS, ROUNDS = 20, 11
COMMAND = "tests/benchmarks/bench_gathering.py"
ROOT = Path(__file__).resolve().parents[2]


def rows() -> Iterator[bench.Row]:
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as made:
        folder = Path(made)
        inventory = ssh_hosts.start(HOSTS, folder)
        pair = _times(_ran(inventory, folder))
        work = "gathering task of the audit over SSH"
        theirs = f"`ansible.builtin.ping`, the same {HOSTS} hosts"
        yield bench.Row(work, theirs, pair.ratio, 1.15, pair.times, COMMAND)


def _ran(inventory: Path, folder: Path) -> list[dict[str, Any]]:
    """One playbook with both tasks in turn, so that both use the same connections, opened before."""
    ping = {"name": "ping", "ansible.builtin.ping": {}}
    gather = {
        "name": "gather",
        "vigil.ports.evidence": {"run_dir": "{{ run_dir }}"},
        "vars": {"run_dir": str(folder / "run")},
        "ignore_unreachable": True,
    }
    turns = [(ping, gather) if number % 2 else (gather, ping) for number in range(ROUNDS + 1)]
    play = {"hosts": "all", "gather_facts": False, "tasks": [task for turn in turns for task in turn]}
    book = folder / "turns.yml"
    book.write_text(yaml.safe_dump([play]), encoding="utf-8")
    _open_run(folder)
    done = subprocess.run(
        (Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, book),
        env=_environment(folder),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"ansible-playbook ended with {done.returncode}: {done.stdout.decode()[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]


def _open_run(folder: Path) -> None:
    from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory

    made = RunDirectory.create(folder / "reports", dt.datetime.now(dt.UTC))
    (folder / "run").symlink_to(made.path)


def _environment(folder: Path) -> dict[str, str]:
    """As docs/scaling.md says, and nothing of whoever runs this."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "ANSIBLE_CONFIG": str(ROOT / "examples" / "quickstart" / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback")),
        "ANSIBLE_STDOUT_CALLBACK": "task_times",
    }


def _times(tasks: list[dict[str, Any]]) -> bench.Pair:
    """Without the first round, which opens the connections."""
    seconds: dict[str, list[float]] = {"gather": [], "ping": []}
    for task in tasks[2:]:
        if task["ok"] != HOSTS:
            raise SystemExit(f"not every host answered: {task}")
        seconds[task["task"]].append(task["seconds"])
    return bench.Pair(tuple(seconds["gather"]), tuple(seconds["ping"]))


if __name__ == "__main__":
    if bench.is_inside():
        bench.main(rows)
    else:
        sys.exit(bench.inside_namespaces(Path(__file__)))
