# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet for every test here, brought up once. Where it cannot be had the tests are skipped with the reason; with
``CI=true`` that is a failure."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

sys.path.insert(0, str(Path(__file__).parent))

from fleet import control
from fleet.layout import SSH_CONFIG

ORDER = ("test_planted_state", "test_audit")  # an audit is believed after what is planted has been seen


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return ORDER.index(item.path.stem) if item.path.stem in ORDER else len(ORDER)

    items.sort(key=place)


@pytest.fixture(scope="session")
def fleet() -> Iterator[control.Fleet]:
    """The fleet, up for the session. A planted service that ended meanwhile is an error: the truth no longer held."""
    reason = control.why_not()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with control.running() as up:
        yield up
        now = control.status()
        assert now is not None, "the fleet went down by itself"
        assert now.lost == (), f"planted services ended: {now.lost}"


@pytest.fixture(scope="session")
def reach(fleet: control.Fleet) -> Callable[[str], Host]:
    """A host of the fleet as testinfra sees it, over SSH."""

    def connect(name: str) -> Host:
        return testinfra.get_host(f"ssh://{name}", ssh_config=str(SSH_CONFIG), controlpersist=0)

    return connect
