# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host writes behind the answer of a module reaches no terminal, with each ansible-core that was seen."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest
from ansible.plugins.action import ActionBase, display
from ansible.release import __version__ as ansible_version
from ansible_collections.vigil.ports.plugins.plugin_utils._door import Door

#: The releases whose method was read: it gets what the host wrote, and prints what follows the answer.
SEEN = ("2.19", "2.20", "2.21")

WRITTEN = '{"changed": false}\n::error::forged\n\x1b[2J'


class Asking(Door):
    ARGUMENTS = {}  # noqa: RUF012  # as each door has them
    _requires_connection = True

    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        return {"answered": True}


class Task:
    args: dict[str, Any] = {}  # noqa: RUF012
    async_val = 0
    no_log = False


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(display, "warning", lambda text, *_more, **_options: said.append(str(text)))
    return said


def door() -> Asking:
    made = Asking.__new__(Asking)
    made._used_interpreter = None
    return made


def parsed(made: Any, parse: Any) -> Any:
    answer = {"rc": 0, "stdout": WRITTEN, "stdout_lines": WRITTEN.splitlines(), "stderr": "", "stderr_lines": []}
    return parse(made, answer, "legacy")


def test_this_ansible_core_is_one_in_which_the_overridden_name_was_seen() -> None:
    release = ".".join(ansible_version.split(".")[:2])
    assert release in SEEN, "read ActionBase._parse_returned_data in this release, run this file, and name it in SEEN"
    assert list(inspect.signature(ActionBase._parse_returned_data).parameters) == ["self", "res", "profile"]


def test_what_is_behind_an_answer_is_not_printed_and_the_answer_is_kept(printed: list[str]) -> None:
    assert "changed" in repr(parsed(door(), Asking._parse_returned_data))
    assert printed == []


def test_without_the_override_it_would_be_printed(printed: list[str]) -> None:
    """What happens where the name is gone, and why it is overridden."""
    assert "changed" in repr(parsed(door(), ActionBase._parse_returned_data))
    assert any("::error::forged" in text for text in printed)


@pytest.mark.parametrize("there", [True, False])
def test_an_ansible_core_without_the_name_is_named_in_a_warning(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = door()
    made._task = Task()
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    monkeypatch.setattr(made, "validate_argument_spec", lambda _spec: (None, {}), raising=False)
    if not there:
        monkeypatch.delattr(ActionBase, "_parse_returned_data")
    result = made.run()
    assert result["answered"] is True
    warnings = result.get("warnings", [])
    assert len(warnings) == (not there)
    assert all(f"ansible-core {ansible_version} has no" in text for text in warnings)
