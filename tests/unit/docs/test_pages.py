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


PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
PLUGINS = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
SPECS = {
    specs.parts[-3]: yaml.safe_load(specs.read_text())["argument_specs"]["main"]["options"]
    for specs in (ROOT / "roles").glob("*/meta/argument_specs.yml")
}
#: Settings of a role or a playbook, as commands and plays of the pages give them.
SETTINGS = {name for options in SPECS.values() for name in options} | {
    name
    for playbook in (ROOT / "playbooks").glob("*.yml")
    for name in re.findall(r"\b([a-z][a-z_]+)\b(?= is defined| \| default|:)", playbook.read_text())
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_a_page_name_playbooks_and_settings_that_exist(page: Path) -> None:
    for command in re.findall(r"^(?:\$ |\s+- )?ansible-playbook .*(?:\n +-e .*)*", page.read_text(), re.MULTILINE):
        for name in re.findall(r"\bvigil\.ports\.(\w+)", command):
            assert name in PLAYBOOKS, f"{page.name}: {command}"
        for name in re.findall(r"-e '?\{?\"?(\w+)", command):
            assert name in SETTINGS, f"{page.name}: {name} in {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_variables_in_a_page_are_settings_of_the_collection(page: Path) -> None:
    for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL):
        value = yaml.safe_load(text)
        for name in value if isinstance(value, dict) else ():
            if name.startswith(("audit_", "notify_", "schedule_", "change_", "baseline_")):
                assert name in SETTINGS | {"notify_channels"}, f"{page.name}: {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_plays_and_tasks_in_a_page_are_valid(page: Path, tmp_path: Path) -> None:
    """Ansible accepts their syntax, and each option and role setting in them exists."""
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)):
        value = yaml.safe_load(text)
        if not isinstance(value, list) or not any(isinstance(entry, dict) and "name" in entry for entry in value):
            continue
        plays = value if "hosts" in value[0] else [{"hosts": "all", "gather_facts": False, "tasks": value}]
        for play in plays:
            for task in play.get("tasks", ()):
                for module, options in task.items():
                    if module.startswith("vigil.ports."):
                        assert set(options or ()) <= options_of(module.rpartition(".")[2]), f"{page.name}: {text}"
            for role in play.get("roles", ()):
                if isinstance(role, dict) and role["role"].startswith("vigil.ports."):
                    assert set(role.get("vars", ())) <= SETTINGS, f"{page.name}: {text}"
        known = [play for play in plays if "shop" not in play.get("roles", ())]
        book = tmp_path / f"{number}.yml"
        book.write_text(yaml.safe_dump(known))
        done = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "--syntax-check", "-i", "localhost,", str(book)],
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/tree"), "ANSIBLE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{page.name}: {text}\n{done.stderr}"


def options_of(module: str) -> set[str]:
    """The options in the documentation of a module, those of the shared fragment included."""
    documentation = re.search(
        r'DOCUMENTATION = r"""(.*?)"""', (ROOT / f"plugins/modules/{module}.py").read_text(), re.S
    )
    assert documentation
    page = yaml.safe_load(documentation[1])
    return set(page.get("options", {})) | ({"run_dir"} if "extends_documentation_fragment" in page else set())


@pytest.mark.parametrize("module", sorted(PLUGINS))
def test_examples_of_a_module_use_options_that_exist(module: str) -> None:
    examples = re.search(r'EXAMPLES = r"""(.*?)"""', (ROOT / f"plugins/modules/{module}.py").read_text(), re.DOTALL)
    assert examples
    for task in yaml.safe_load(examples[1]):
        for name, options in task.items():
            if name.startswith("vigil.ports."):
                used = name.rpartition(".")[2]
                assert used in PLUGINS
                assert set(options or ()) <= options_of(used)
