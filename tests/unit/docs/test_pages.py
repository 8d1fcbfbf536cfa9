# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages say what the code does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules.registry import CATALOGUE
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize(
    ("page", "renderer"),
    [
        ("docs/rules.md", "render-rules"),
        ("docs/trust.md", "render-faults"),
        ("schemas/evidence.schema.json", "render-schemas"),
        ("schemas/inventory.schema.json", "render-excusable"),
    ],
)
def test_a_page_is_what_its_source_makes_of_it(page: str, renderer: str) -> None:
    """The rules from their catalogue, the faults from the tests that cause them, the schema from the records."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".cache/tree")}
    command = [sys.executable, str(ROOT / ".ci" / renderer)]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (ROOT / page).read_text() == made.stdout, "run make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_declarations_shown_in_a_page_load(page: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)
    for text in shown:
        value = yaml.safe_load(text)
        if isinstance(value, dict):
            variables = {name: plain(entry) for name, entry in value.items() if name.startswith("vigil_")}
            _inventory, problems = load_inventory(variables)
            assert not problems, f"{page.name}: {text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_schemas_name_every_rule_and_no_other() -> None:
    results = json.loads((ROOT / "schemas/results.schema.json").read_text())
    assert set(results["$defs"]["rule"]["enum"]) == set(CATALOGUE)
    inventory = json.loads((ROOT / "schemas/inventory.schema.json").read_text())
    of_no_port = ("packets", "exception", "assessment", "breadth", "acceptance")
    excusable = {rule.id for rule in CATALOGUE.values() if rule.case not in of_no_port}
    assert set(inventory["$defs"]["rule"]["enum"]) == excusable


def test_the_role_offers_the_defaults_that_it_documents() -> None:
    page = yaml.safe_load((ROOT / "roles/audit/meta/argument_specs.yml").read_text())
    defaults = yaml.safe_load((ROOT / "roles/audit/defaults/main.yml").read_text())
    options = page["argument_specs"]["main"]["options"]
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    assert documented == defaults
