# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No shell anywhere: what hosts and scanners say never becomes a word of one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
SOURCES = sorted((CHECKOUT / "plugins").rglob("*.py"))
TASKS = sorted(path for folder in ("roles", "playbooks", "examples") for path in (CHECKOUT / folder).rglob("*.yml"))
FORBIDDEN_CALLS = {"system", "popen", "getoutput", "getstatusoutput", "_low_level_execute_command"}
FORBIDDEN_CALLS |= {"create_subprocess_shell", "spawn", "spawnl", "spawnlp", "spawnv", "spawnvp"}
FORBIDDEN_OPTIONS = {"shell", "use_unsafe_shell"}
FORBIDDEN_WORDS = {"sh", "bash", "/bin/sh", "/bin/bash", "/usr/bin/env"}
FORBIDDEN_TASKS = {"shell", "command", "raw", "script", "expect"}


class _Tasks(yaml.SafeLoader):
    """YAML as Ansible has it: ``!unsafe`` marks a text that is no template."""


_Tasks.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def test_there_is_something_to_read() -> None:
    assert len(SOURCES) > 80
    assert len(TASKS) > 5


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_source_starts_a_shell(path: Path) -> None:
    assert list(shells(ast.parse(path.read_text(encoding="utf-8")))) == []


def shells(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "platform":
            continue  # platform.system() names the operating system
        options = {keyword.arg for keyword in node.keywords}
        words = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
        if (
            name in FORBIDDEN_CALLS
            or options & FORBIDDEN_OPTIONS
            or (name in ("run", "Popen") and words & FORBIDDEN_WORDS)
        ):
            yield f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", TASKS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_task_starts_a_shell(path: Path) -> None:
    used = {str(key).rpartition(".")[2] for key in tasks_of(_Tasks(path.read_text(encoding="utf-8")).get_single_data())}
    assert used.isdisjoint(FORBIDDEN_TASKS)


def tasks_of(value: Any) -> Iterator[str]:
    """The keys of everything that may be a task: an entry of a list of plays, tasks, handlers or blocks."""
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            yield from entry
            for inner in entry.values():
                yield from tasks_of(inner)


@pytest.mark.parametrize(
    "source",
    [
        "os.system('x')",
        "subprocess.run('x', shell=True)",
        "subprocess.run(['x'], shell=flag)",
        "Popen(['sh', '-c', x])",
        "module.run_command(x, use_unsafe_shell=True)",
        "os.popen(x)",
    ],
)
def test_a_shell_would_be_seen(source: str) -> None:
    assert list(shells(ast.parse(source)))
