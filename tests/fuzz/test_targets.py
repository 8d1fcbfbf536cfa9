# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every parser of what others wrote, against the saved corpus and against what hypothesis makes of it.

The profile is derandomised: the same inputs each time. ``make fuzz`` looks further.
"""

from __future__ import annotations

import importlib
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import converted
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.listening import Listening
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import scan_problem
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.tests.fuzz.corpus_files import CORPUS, saved
from ansible_collections.vigil.ports.tests.fuzz.mutations import mutated
from ansible_collections.vigil.ports.tests.unit.examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = sorted(path.stem for path in Path(__file__).with_name("targets").glob("*.py") if path.stem != "pieces")
EXAMPLES = settings(
    max_examples=examples(150),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
#: Seconds of processor time after which an input counts as one that never ends. What is linear needs a hundredth.
NEVER = 30.0


def target(name: str) -> Callable[[bytes], None]:
    module = importlib.import_module(f"ansible_collections.vigil.ports.tests.fuzz.targets.{name}")
    found: Callable[[bytes], None] = module.target
    return found


@pytest.fixture
def ends() -> Iterator[None]:
    """Fails a test that would not end. It counts the processor's time, so a busy machine changes nothing."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError("the input takes quadratic time or more")

    before = signal.signal(signal.SIGVTALRM, fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, NEVER)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def test_every_target_has_a_corpus_and_every_corpus_a_target() -> None:
    assert sorted(path.name for path in CORPUS.iterdir()) == NAMES
    assert all(saved(name) for name in NAMES)


def test_what_the_corpus_starts_from_is_good_or_nothing_behind_the_first_check_would_be_reached(tmp_path: Path) -> None:
    evidence = {name: json.loads(saved("evidence")[name]) for name in ("listing", "scan")}
    converted(Listening, evidence["listing"], "listening")
    assert scan_problem(evidence["scan"]) is None
    assert load_inventory(json.loads(saved("inventory")["whole"]))[1] == ()
    path = tmp_path / "results.json"
    path.write_bytes(saved("results_file")["results"])
    assert list(read_results(path)["hosts"]), "take a new one with tests/fuzz/capture.py"


@pytest.mark.parametrize("name", NAMES)
def test_the_saved_corpus_holds(name: str) -> None:
    for content in saved(name).values():
        target(name)(content)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_of_the_corpus_holds(name: str) -> None:
    work = target(name)

    @EXAMPLES
    @given(st.one_of(mutated(list(saved(name).values())), st.binary(max_size=200)))
    def holds(data: bytes) -> None:
        work(data)

    holds()


@pytest.mark.parametrize("name", NAMES)
def test_no_input_takes_quadratic_time(name: str, ends: None) -> None:
    work = target(name)
    for content in list(saved(name).values())[:3]:
        for piece in (content[:1], content[-4:], content[:40], content[len(content) // 2 :][:60], content):
            work(content + piece * (100_000 // max(1, len(piece))) + content)
            work(piece * (100_000 // max(1, len(piece))))
