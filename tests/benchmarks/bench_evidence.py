# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of a host decoded and checked, encoded, and taken in, against ``json.loads`` of the same bytes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bench
import made_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import converted, decoded, encoded
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.listening import Listening

COMMAND = "tests/benchmarks/bench_evidence.py"
TIMES, ROUNDS = 500, 15
REACH_DECODING, REACH_ENCODING, REACH_CHECKING = 0.8, 0.5, 1.0


def rows() -> Iterator[bench.Row]:
    with tempfile.TemporaryDirectory() as folder:
        run = made_run.make_run(Path(folder), 1)
        (path,) = (run.path / "evidence/hosts").iterdir()
        data = path.read_bytes()
    record, listening = decoded(HostEvidence, data, "host"), json.loads(data)["listening"]
    against = f"`json.loads` of its {len(data) // 1000} kB"
    for work, ours, reach in (
        ("evidence of a host decoded and checked", lambda: decoded(HostEvidence, data, "host"), REACH_DECODING),
        ("evidence of a host encoded", lambda: encoded(record), REACH_ENCODING),
        ("answer of a host checked", lambda: converted(Listening, listening, "listening"), REACH_CHECKING),
    ):
        pair = bench.in_turn(_often(ours), _often(lambda: json.loads(data)), rounds=ROUNDS, warm_up=2)
        yield bench.Row(f"{work}, {TIMES} times", against, pair.ratio, reach, pair.times, COMMAND)


def _often(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _time in range(TIMES):
            work()

    return run


if __name__ == "__main__":
    bench.main(rows)
