# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule has one home: everything about it is in its file, and its id is written nowhere else."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rule import Rule
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules import undeclared_listener
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules.registry import CATALOGUE, RULES

ROOT = Path(__file__).resolve().parents[5]
RULE_FILES = ROOT / "plugins/plugin_utils/_audit/rules"
SHARED = {"__init__", "controls", "registry"}


def _facts(rule: Rule) -> dict[str, Any]:
    return {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}


def test_each_file_is_a_rule_of_that_name_and_is_registered_once() -> None:
    files = sorted(path.stem for path in RULE_FILES.glob("*.py") if path.stem not in SHARED)
    assert files == sorted(rule.id.replace("-", "_") for rule in RULES)


def test_no_other_file_of_the_product_has_the_id_of_a_rule_as_a_literal() -> None:
    found = []
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        literals = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
        texts = {node.value for node in literals if isinstance(node.value, str)} & set(CATALOGUE)
        found += [(path.name, text) for text in sorted(texts) if path.stem != text.replace("-", "_")]
    assert found == []


@pytest.mark.parametrize("field", [one.name for one in dataclasses.fields(Rule) if one.default is dataclasses.MISSING])
def test_a_rule_that_forgets_a_part_does_not_import(field: str) -> None:
    facts = _facts(undeclared_listener.RULE)
    del facts[field]
    with pytest.raises(TypeError, match=field):
        Rule(**facts)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "Undeclared listener"),
        ("severity", "grave"),
        ("needs", frozenset(("inside", "upside"))),
        ("needs", frozenset()),
        ("needs_to_be_milder", frozenset(("upside",))),
        ("title", ""),
        ("case_name", ""),
        ("when", ""),
        ("remedy", ""),
        ("controls", ()),
    ],
)
def test_a_part_that_means_nothing_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"^rule "):
        Rule(**{**_facts(undeclared_listener.RULE), field: value})


def test_the_schema_of_inventories_takes_each_rule_that_an_exception_may_excuse_and_no_other() -> None:
    schema = json.loads((ROOT / "schemas/inventory.schema.json").read_text())
    excused = {rule.id for rule in RULES if rule.excused != "never"}
    assert set(schema["$defs"]["rule"]["enum"]) == excused, "run make docs"
