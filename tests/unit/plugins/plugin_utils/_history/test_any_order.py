# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs in any order, from many writers, from writers that are killed: history comes to the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._history.rebuild import rebuild, record_run
from ansible_collections.vigil.ports.plugins.plugin_utils._history.recall import Recall
from ansible_collections.vigil.ports.plugins.plugin_utils._history.record import fold_anew, record
from ansible_collections.vigil.ports.plugins.plugin_utils._history.store import opened
from ansible_collections.vigil.ports.tests.unit.examples import examples
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._history.estate import Estate, host, scanned
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]

LOST = {"status": "unreachable", "message": "no route", "listening": None}
UDP_FAILED = {**build.listing_coverage()["sources"], "udp_ipv4": "failed"}

ports = st.sets(st.sampled_from([22, 8080, 8081]))
one_host = st.fixed_dictionaries(
    {
        "look": st.sampled_from(["whole", "whole", "whole", "lost", "no udp", "invalid", "left out", "no evidence"]),
        "listening": ports,
        "udp": st.booleans(),
        "open": ports,
        "asked": st.sampled_from(["1-9000", "1-1000"]),
        "owner": st.sampled_from(["nginx", "socat"]),
        "declared": st.sampled_from([(), (22,), (22, 8080)]),
        "excused": st.booleans(),
    }
)


def evidence_of(name: str, about: Json) -> Json | None:
    if about["look"] == "no evidence":
        return None
    heard = [build.listener(port, owners=[build.owner(name=about["owner"])]) for port in sorted(about["listening"])]
    if about["udp"] and about["look"] != "no udp":
        heard.append(build.listener(53, protocol="udp"))
    more: Json = {"ports": [build.declared(port, reachable_from="any") for port in about["declared"]]}
    if about["excused"]:
        more["exceptions"] = [build.exception(8081)]
    if about["look"] == "invalid":
        more["ports"] = [{"port": 22}]
    if about["look"] == "lost":
        more |= LOST
    if about["look"] == "no udp":
        more["listening"] = build.listening(heard, sources=UDP_FAILED)
    return host(name, heard, **more)


def results_for(number: int, hosts: Json) -> Json:
    """The results of run ``number``."""
    scope = {name: about for name, about in hosts.items() if about["look"] != "left out"}
    targets = [
        scanned(
            name,
            about["open"] & {22, 8080, 8081} if about["asked"] == "1-9000" else about["open"] & {22},
            asked=about["asked"],
        )
        for name, about in scope.items()
    ]
    about = build.run(list(scope), run_id=f"run{number}", started=f"2026-11-20T{number:02}:00:00Z")
    return build.audit(about, [(name, evidence_of(name, one)) for name, one in scope.items()], [build.scan(targets)])


def recorded(estate: Estate, runs: list[Json]) -> Json:
    with opened(estate.url, estate.report_dir) as history:
        for results in runs:
            with history.writing() as connection:
                assert record(connection, Results.of(results)) == "recorded"
    return estate.dump()


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    many=st.lists(st.fixed_dictionaries({"web1": one_host, "web2": one_host}), min_size=1, max_size=5),
    order=st.randoms(use_true_random=False),
)
def test_in_whatever_order_runs_are_recorded_history_is_what_one_look_after_the_other_gives(
    tmp_path_factory: pytest.TempPathFactory, many: list[Json], order: random.Random
) -> None:
    runs = [results_for(number, hosts) for number, hosts in enumerate(many, start=1)]
    shuffled = list(runs)
    order.shuffle(shuffled)
    in_order = recorded(Estate(tmp_path_factory.mktemp("in-order"), ""), runs)
    late = Estate(tmp_path_factory.mktemp("shuffled"), "")
    assert recorded(late, shuffled) == in_order
    with opened(late.url, late.report_dir) as history, history.writing() as connection:
        fold_anew(connection, ["web1", "web2"])
        known = Recall(connection, ["web1", "web2"])
        found = list(known.hosts())
    remembered = build.Remembered(*runs)
    assert found == [row for name in ("web1", "web2") if (row := remembered.of(name))]
    assert late.dump() == in_order


def busy(estate: Estate, number: int, hosts: int) -> RunDirectory:
    """A sealed run over many hosts in which something is other than in the one before."""
    heard = [build.listener(22), *(build.listener(8000 + port) for port in range(number, number + 8))]
    return estate.sealed(estate.opened_run(number, {f"web{one}": host(f"web{one}", heard) for one in range(hosts)}))


_RECORD = """
import sys
from pathlib import Path
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._history.stages import remember
print("go", flush=True)
sys.stdin.readline()
for path in sys.argv[2:]:
    told = remember(RunDirectory(Path(path)), sys.argv[1], keep_days=400)
    assert told.state in ("recorded", "known"), told
    print(told.state, flush=True)
"""


def writer(estate: Estate, *runs: RunDirectory) -> subprocess.Popen[str]:
    """A process that is ready to record the runs, and waits for a line."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = (sys.executable, "-c", _RECORD, estate.url, *(str(run.path) for run in runs))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started: subprocess.Popen[str] = subprocess.Popen(command, env=environment, **pipes)  # type: ignore[call-overload]
    assert started.stdout is not None
    assert started.stdout.readline() == "go\n"
    return started


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_several_writers_at_once_lose_nothing(estate: Estate, tmp_path: Path) -> None:
    runs = [busy(estate, number, 12) for number in range(1, 9)]
    # Each run is given to two of them.
    writers = [writer(estate, *runs[first::4], *runs[(first + 1) % 4 :: 4]) for first in range(4)]
    for process in writers:
        go(process)
    said = [process.communicate()[0].split() for process in writers]
    assert [process.returncode for process in writers] == [0] * 4
    assert sorted(state for states in said for state in states) == ["known"] * 8 + ["recorded"] * 8
    alone = Estate(estate.report_dir, f"sqlite:///{tmp_path}/alone.db")
    assert rebuild(alone.url, alone.report_dir).recorded == 8
    assert estate.dump() == alone.dump()


def test_a_writer_that_is_killed_leaves_history_as_it_was_or_as_it_is_to_be(estate: Estate, tmp_path: Path) -> None:
    first, second = busy(estate, 1, 60), busy(estate, 2, 60)
    with opened(estate.url, estate.report_dir) as history:
        record_run(history, first)
    before = estate.dump()
    clean = Estate(estate.report_dir, f"sqlite:///{tmp_path}/clean.db")
    rebuild(clean.url, clean.report_dir)
    after = clean.dump()
    assert before != after
    moments = random.Random(7)  # noqa: S311 - moments, no secret
    killed = 0
    for _try in range(5):
        process = writer(estate, second)
        go(process)
        try:
            process.wait(moments.uniform(0.0, 0.4))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode != 0
        assert estate.dump() in (before, after)
    assert killed
    assert rebuild(estate.url, estate.report_dir).recorded in (0, 1)
    assert estate.dump() == after
