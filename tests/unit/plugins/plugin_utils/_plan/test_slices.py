# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every port of every target is asked once, what is known first, in calls that are short."""

from __future__ import annotations

from collections import Counter

from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.scan_plan import EVERY_TCP_PORT, ScanPlan, left_over
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.slices import SLICE_SECONDS, Pace, slices
from ansible_collections.vigil.ports.tests.unit.examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st


def plan(targets: int, known: PortSet, sweep: PortSet = PortSet(), top_ports: int = 0) -> ScanPlan:  # noqa: B008
    rows = tuple({"host": f"h{number}", "address": f"198.18.9.{number}", "listening": []} for number in range(targets))
    return ScanPlan("full", rows, (), known, sweep, top_ports)


paces = st.builds(Pace, st.integers(1, 100_000), st.integers(0, 10_000), st.integers(0, 10))


@settings(max_examples=examples(60), deadline=None)
@given(targets=st.integers(0, 30), known=st.sets(st.integers(1, 65535), max_size=30), full=st.booleans(), pace=paces)
def test_each_port_of_each_target_is_asked_once(targets: int, known: set[int], full: bool, pace: Pace) -> None:
    ports = PortSet.of(known)
    sweep = EVERY_TCP_PORT - ports if full else PortSet()
    asked: dict[str, PortSet] = {}
    for call in slices(plan(targets, ports, sweep), pace):
        for target in call.targets:
            before = asked.get(target["address"], PortSet())
            assert not before & call.ports
            asked[target["address"]] = before | call.ports
    assert set(asked.values()) <= {ports | sweep}
    assert len(asked) == targets


@given(targets=st.integers(1, 30), pace=paces)
def test_what_is_known_is_asked_of_all_targets_before_anything_else(targets: int, pace: Pace) -> None:
    firsts = [call.first for call in slices(plan(targets, PortSet.of([22]), PortSet.of([23]), 10), pace)]
    assert firsts == sorted(firsts, reverse=True)
    calls = list(slices(plan(targets, PortSet.of([22])), pace))
    assert Counter(row["host"] for call in calls for row in call.targets) == {f"h{n}": 1 for n in range(targets)}


def test_a_sweep_is_cut_into_calls_of_about_the_same_short_time() -> None:
    pace = Pace(rate=2000, target_rate=500, retries=1)
    calls = [call for call in slices(plan(10, PortSet.of([22]), EVERY_TCP_PORT), pace) if not call.first]
    longest = max(pace.seconds(len(call.targets), len(call.ports)) for call in calls)
    assert longest <= SLICE_SECONDS * 1.01
    assert sum(pace.seconds(len(call.targets), len(call.ports)) for call in calls) / len(calls) > SLICE_SECONDS / 2


def test_targets_share_the_rate_of_the_scanner() -> None:
    pace = Pace(rate=2000, target_rate=500, retries=1)
    assert (pace.effective(1), pace.effective(4), pace.effective(40)) == (500, 2000, 2000)
    assert Pace(2000, 0, 1).effective(1) == 2000


@given(targets=st.integers(0, 40), done=st.sets(st.integers(0, 39)), of=st.integers(1, 5))
def test_what_a_lost_scanner_left_is_divided_without_loss(targets: int, done: set[int], of: int) -> None:
    whole = plan(targets, PortSet.of([22]))
    finished = {(f"h{number}", f"198.18.9.{number}") for number in done}
    taken = [row["host"] for number in range(of) for row in left_over(whole, finished, number, of).targets]
    assert sorted(taken) == sorted(
        row["host"] for row in whole.targets if (row["host"], row["address"]) not in finished
    )


def test_each_call_knows_all_ports_that_a_host_listens_on_so_that_none_is_taken_for_unused() -> None:
    row = {"host": "h", "address": "198.18.9.1", "listening": ["22,10000-20999"], "own": "10000-19999", "udp_ports": ""}
    for call in slices(ScanPlan("known", (row,), (), PortSet.of([22]), PortSet(), 0), Pace(1_000_000, 0, 0)):
        assert call.options()["targets"][0]["listening"] == ["22,10000-20999"]


def test_a_long_list_of_ports_never_becomes_an_argument_that_linux_refuses() -> None:
    """Every other port is 190 kB of text; an argument holds 128 KiB. The scanner counted as lost."""
    odd = PortSet.of(range(1, 65536, 2))
    row = {"host": "h", "address": "198.18.9.1", "listening": [str(odd)], "own": "", "udp_ports": str(odd)}
    known = ScanPlan("full", (row,), (), odd, EVERY_TCP_PORT - odd, 0)
    mine = ScanPlan("known", ({**row, "own": str(odd)},), (), PortSet(), PortSet(), 0)
    for whole in (known, mine):
        asked = {"ports": PortSet(), "udp_ports": PortSet()}
        for call in slices(whole, Pace(1_000_000, 0, 0)):
            options = call.options()
            for name in asked:
                assert all(len(text) < 110_000 for text in options[name])
                asked[name] |= PortSet.parse(options[name])
            assert options["ports"] or options["udp_ports"]
            assert sum(len(text) for target in options["targets"] for text in target["listening"]) < 110_000
        assert asked == {
            "ports": whole.known | whole.sweep | PortSet.parse([mine.targets[0]["own"]] if whole is mine else []),
            "udp_ports": odd,
        }
