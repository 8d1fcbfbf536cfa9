# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recording a large run in SQLite, and asking for it, against the audit and the reports of the same run."""

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

COMMAND = "tests/benchmarks/bench_history.py"
HOSTS = 10_000
REACH_FIRST, REACH_AGAIN = 1, 0.5
_JUDGE = Path(__file__).with_name("judge_run.py")
_RECORD = """
import sys
from pathlib import Path
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._history.stages import recall, remember
run = RunDirectory(Path(sys.argv[1]))
told = recall(run, "", is_on=True) if sys.argv[2] == "recall" else remember(run, "", keep_days=400)
assert told.state in ("ok", "recorded"), told
"""


def step(run: Path, name: str) -> float:
    """Seconds of a whole process that asks history or records the run."""
    return bench.timed(bench.program((sys.executable, "-c", _RECORD, str(run), name)))


def rows() -> Iterator[bench.Row]:
    hosts = int(os.environ.get("BENCH_LARGE", HOSTS))
    with tempfile.TemporaryDirectory() as folder:
        run = made_run.make_run(Path(folder), hosts)
        subprocess.run(("sync",), check=True)
        audit = bench.timed(bench.program((sys.executable, str(_JUDGE), str(run.path))))
        first = step(run.path, "record")
        again = Path(folder) / "20261120T130000Z-000002"
        shutil.move(run.path, again)
        asked = again / "evidence" / "run.json"
        asked.write_text(asked.read_text().replace(run.run_id, again.name).replace("T12:00:00Z", "T13:00:00Z"))
        recall = step(again, "recall")
        size = (again / "evidence" / "history.json").stat().st_size / (1 << 20)
        compared = bench.timed(bench.program((sys.executable, str(_JUDGE), str(again))))
        second = step(again, "record")
        database = (Path(folder) / "history.db").stat().st_size / (1 << 20)
    against = f"the audit of the same run and its reports, {hosts:,} hosts"
    times = f"{bench.seconds(first)} / {bench.seconds(audit)}"
    yield bench.Row("recording the first run", against, first / audit, REACH_FIRST, times, COMMAND)
    times = f"{bench.seconds(recall + second)} / {bench.seconds(compared)}"
    work = (
        f"asking for it and recording it again unchanged ({size:.0f} MiB of evidence, {database:.0f} MiB of database)"
    )
    yield bench.Row(work, against, (recall + second) / compared, REACH_AGAIN, times, COMMAND)


if __name__ == "__main__":
    bench.main(rows)
