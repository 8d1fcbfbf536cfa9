# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The merge of parts, judged and sealed, against the audit of the same evidence in one run; and whether it is
linear."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bench
import made_run

COMMAND = "tests/benchmarks/bench_merge.py"
PARTS, HOSTS, FEW_HOSTS = 10, 1_000, 100
REACH_RATIO, REACH_LINEAR = 1.2, 1.15
_MERGE = Path(__file__).with_name("merge_run.py")


def rows() -> Iterator[bench.Row]:
    parts = int(os.environ.get("BENCH_PARTS", PARTS))
    few, many = (int(os.environ.get(name, usual)) for name, usual in (("BENCH_FEW", FEW_HOSTS), ("BENCH_MANY", HOSTS)))
    figures = {hosts: _pair(parts, hosts) for hosts in (few, many)}
    pair = figures[many]
    work = f"merge of {parts} parts of {many:,} hosts, judged, reported and sealed"
    theirs = f"the same of one run over {parts * many:,} hosts"
    yield bench.Row(work, theirs, pair.ratio, REACH_RATIO, pair.times, COMMAND)
    each = [min(figures[hosts].ours) / (parts * hosts) for hosts in (few, many)]
    shown = " / ".join(bench.seconds(seconds) for seconds in reversed(each))
    against = f"in a merge of {parts} parts of {few:,}"
    ratio = each[1] / each[0]
    yield bench.Row("the time a host takes in that merge", against, ratio, REACH_LINEAR, shown, COMMAND)


def _pair(parts: int, hosts: int) -> bench.Pair:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = made_run.make_parts(folder / "away", parts, hosts)
        whole = made_run.make_run(folder, parts * hosts)

        def merge() -> None:
            shutil.rmtree(folder / "reports", ignore_errors=True)
            run = made_run.begun(folder / "reports", whole.read_run()["hosts"])
            subprocess.run((sys.executable, str(_MERGE), str(run.path), str(made)), check=True)

        def judge() -> None:
            for file in whole.path.glob("*.*"):  # as it was before it was judged and sealed
                file.unlink()
            whole.seal.unlink(missing_ok=True)
            subprocess.run((sys.executable, str(_MERGE), str(whole.path)), check=True)

        subprocess.run(("sync",), check=True)
        return bench.in_turn(merge, judge, rounds=3, warm_up=1)


if __name__ == "__main__":
    bench.main(rows)
