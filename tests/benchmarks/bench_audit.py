# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit and every report of a large fleet against reading the same evidence with ``json.load``."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bench
import made_run

COMMAND = "tests/benchmarks/bench_audit.py"
SMALL, LARGE = 1_000, 10_000
REACH_RATIO, REACH_LINEAR, REACH_GIB = 10, 1.15, 1.5
REACH_OF_ONE_HOST = 1.5
_JUDGE = Path(__file__).with_name("judge_run.py")
_READ = """
import json, pathlib, sys
for path in pathlib.Path(sys.argv[1], "evidence").rglob("*.json"):
    json.loads(path.read_bytes())
"""


def rows() -> Iterator[bench.Row]:
    small, large = int(os.environ.get("BENCH_SMALL", SMALL)), int(os.environ.get("BENCH_LARGE", LARGE))
    with tempfile.TemporaryDirectory() as folder:
        figures = {hosts: _pair(Path(folder) / str(hosts), hosts) for hosts in (small, large)}
    pair = figures[large]
    theirs = f"`json.loads` of the same evidence, {large:,} hosts"
    yield bench.Row("audit and all reports", theirs, pair.ratio, REACH_RATIO, pair.times, COMMAND)
    each = [min(figures[hosts].ours) / hosts for hosts in (small, large)]
    shown = " / ".join(bench.seconds(seconds) for seconds in reversed(each))
    against = f"the time a host takes among {small:,}"
    yield bench.Row(f"the time a host takes among {large:,}", against, each[1] / each[0], REACH_LINEAR, shown, COMMAND)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)
    yield bench.Row(f"memory of that audit, {large:,} hosts", "-", peak, REACH_GIB, "largest process", COMMAND, " GiB")
    with tempfile.TemporaryDirectory() as folder:
        crowded = [_of_one_host(Path(folder) / str(findings), findings) for findings in (small, large)]
    shown = " / ".join(bench.seconds(seconds) for seconds in reversed(crowded))
    against = f"the same among {small:,}"
    ratio = crowded[1] / crowded[0]
    yield bench.Row(f"a port of one host among {large:,}", against, ratio, REACH_OF_ONE_HOST, shown, COMMAND)


def _of_one_host(folder: Path, ports: int) -> float:
    """Seconds for each undeclared open port of one host, in the audit with all reports."""
    folder.mkdir()
    run = made_run.make_crowded_run(folder, ports)
    judge = bench.program((sys.executable, str(_JUDGE), str(run.path)))
    nothing = bench.program((sys.executable, "-c", ""))
    return min(bench.in_turn(judge, nothing, rounds=3, warm_up=1).ours) / ports


def _pair(folder: Path, hosts: int) -> bench.Pair:
    folder.mkdir()
    run = made_run.make_run(folder, hosts)
    ours = bench.program((sys.executable, str(_JUDGE), str(run.path)))
    theirs = bench.program((sys.executable, "-c", _READ, str(run.path)))
    subprocess.run(("sync",), check=True)
    return bench.in_turn(ours, theirs, rounds=3, warm_up=1)


if __name__ == "__main__":
    bench.main(rows)
