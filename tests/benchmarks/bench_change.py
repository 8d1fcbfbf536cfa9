# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening and closing a change window against one full audit of the same hosts, from start to exit status."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bench
import ssh_hosts

HOSTS, ROUNDS = 4, 3
COMMAND = "tests/benchmarks/bench_change.py"
ROOT = Path(__file__).resolve().parents[2]
_PORTS = f"8000-{7999 + ssh_hosts.LISTENERS}"
_FIREWALL = f"""
table inet host {{
  chain input {{
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    tcp dport {{ 22, {_PORTS} }} accept
  }}
}}
"""
_REASONS = {"reachable_from": "any", "justification": "Part of the benchmark", "owner": "bench", "approved_by": "bench"}


def rows() -> Iterator[bench.Row]:
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as made:
        folder = Path(made)
        inventory = ssh_hosts.start(HOSTS, folder, _FIREWALL)
        ours = statistics.median(
            bench.timed(_play(inventory, folder, "change_open", number))
            + bench.timed(_play(inventory, folder, "change_close", number))
            for number in range(ROUNDS)
        )
        theirs = bench.timed(_play(inventory, folder, "audit", ROUNDS, audit_scan_depth="full"))
        work = f"a change window, opened and closed, on {HOSTS} default-drop hosts over SSH"
        against = "one full audit of the same hosts, all settings as by default"
        times = f"{bench.seconds(ours)} / {bench.seconds(theirs)}"
        yield bench.Row(work, against, ours / theirs, 0.1, times, COMMAND)


def _play(inventory: Path, folder: Path, name: str, number: int, **variables: str) -> Callable[[], None]:
    """A playbook; it must end with 0, which it does only when everything was seen, and was as declared and planned."""
    change = f"CHG-{number}"
    given = {
        "audit_report_dir": str(folder / "runs"),
        "change": change,
        "vigil_ports__bench": [{"port": 22, **_REASONS}, {"port": [_PORTS], "change": change, **_REASONS}],
        **variables,
    }
    command = (Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, f"vigil.ports.{name}")

    def run() -> None:
        done = subprocess.run(
            (*command, "-e", json.dumps(given)),
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"{name} ended with {done.returncode}: {done.stdout.decode()[-3000:]}")

    return run


def _environment(folder: Path) -> dict[str, str]:
    """As docs/scaling.md says, and nothing of whoever runs this."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "ANSIBLE_CONFIG": str(ROOT / "examples" / "quickstart" / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
    }


if __name__ == "__main__":
    if bench.is_inside():
        bench.main(rows)
    else:
        sys.exit(bench.inside_namespaces(Path(__file__)))
