# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole playbook from inside only, against a playbook that pings the same hosts over the local connection.

Processor time of all processes and wall time. ``VIGIL_BENCH_HOSTS=1000`` takes other numbers of hosts.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import bench
import yaml

COMMAND = "tests/benchmarks/bench_playbook.py"
ROOT = Path(__file__).resolve().parents[2]
HOSTS = tuple(map(int, os.environ.get("VIGIL_BENCH_HOSTS", "20,100,300").split(",")))
#: The start of a playbook weighs less the more hosts there are.
REACH = {20: 2.5, 100: 1.5, 300: 1.25, 1000: 1.2}
REACH_ROLE = 1.9
ROUNDS = 3

INSIDE_ONLY = {
    "audit_scan_depth": "none",
    "audit_history": False,
    "audit_owners": "unit",
    "audit_packages": False,
    "audit_fail_on": "never",
}


class Cost(NamedTuple):
    """Seconds of processors, in all processes, and of the clock."""

    processor: float
    wall: float


def rows() -> Iterator[bench.Row]:
    for hosts in HOSTS:
        with tempfile.TemporaryDirectory(prefix="vigil-bench-") as made:
            folder = Path(made)
            _prepare(folder, hosts)
            ours: dict[str, list[Cost]] = {"audit": [], "role": [], "ping": []}
            for number in range(ROUNDS):
                for name in ("ping", "audit", "role") if number % 2 else ("role", "audit", "ping"):
                    ours[name].append(_cost(folder, name))
        reach = REACH.get(hosts, 1.25)
        for work, name, least in (
            ("playbook vigil.ports.audit from inside only", "audit", reach),
            ("role in a play of one's own", "role", max(reach, REACH_ROLE)),
        ):
            for what in Cost._fields:
                pair = bench.Pair(*(tuple(getattr(one, what) for one in ours[side]) for side in (name, "ping")))
                against = f"`ansible.builtin.ping`, the same {hosts} hosts"
                yield bench.Row(f"{work}, {what} time", against, pair.ratio, least, pair.times, COMMAND)


def _prepare(folder: Path, hosts: int) -> None:
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "audit_report_dir": str(folder / "reports"),
        **INSIDE_ONLY,
    }
    inventory = {"all": {"hosts": {f"h{number:04}": None for number in range(hosts)}, "vars": variables}}
    (folder / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")
    play = {"hosts": "all", "gather_facts": False}
    books = {
        "ping": [{**play, "tasks": [{"ansible.builtin.ping": {}}]}],
        "role": [{**play, "roles": ["vigil.ports.audit"]}],
    }
    for name, book in books.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump(book), encoding="utf-8")


def _cost(folder: Path, name: str) -> Cost:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        (program, "-i", folder / "hosts.json", "vigil.ports.audit" if name == "audit" else folder / f"{name}.yml"),
        env={
            **kept,
            "ANSIBLE_CONFIG": str(ROOT / "examples" / "quickstart" / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
            "ANSIBLE_HOME": str(folder / "home"),
        },
        cwd=folder,
        capture_output=True,
        check=False,
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{name} ended with {done.returncode}: {done.stdout.decode()[-3000:]}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(processor, wall)


if __name__ == "__main__":
    if bench.is_inside():
        bench.main(rows)
    else:
        sys.exit(bench.inside_namespaces(Path(__file__)))
