# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each module, role, entry point and option says the release that added it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
RELEASED = yaml.safe_load((Path(__file__).parent / "released_options.yml").read_text())
CHANGELOG = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text())["releases"]
NEXT = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]


def options(place: str, added: str, documented: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Each option with the release that its documentation says. Without one it is as old as what it belongs to."""
    for name, option in (documented or {}).items():
        where, since = f"{place}.{name}", option.get("version_added", added)
        yield where, since
        yield from options(where, since, option.get("options") or option.get("suboptions"))


def documented() -> dict[str, str]:
    """Everything that has documentation, and the release that this says."""
    found: dict[str, str] = {}
    for module in sorted((ROOT / "plugins/modules").glob("*.py")):
        text = re.search(r'^DOCUMENTATION = r?"""(.*?)"""', module.read_text(), re.DOTALL | re.MULTILINE)
        if text:
            page = yaml.safe_load(text[1])
            found[page["module"]] = page["version_added"]
            found.update(options(page["module"], page["version_added"], page.get("options")))
    for specs in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        role = f"{specs.parts[-3]}_role"
        for entry, spec in yaml.safe_load(specs.read_text())["argument_specs"].items():
            place = role if entry == "main" else f"{role}/{entry}"
            found[place] = spec["version_added"]
            if entry == "main":
                found.update(options(role, spec["version_added"], spec.get("options")))
    return found


def test_each_release_of_the_changelog_lists_what_it_added() -> None:
    listed = {name for names in RELEASED.values() for name in names}
    added = "\n".join(f"  - {name}" for name in sorted(documented()) if name not in listed)
    missing = set(CHANGELOG) - set(RELEASED)
    assert not missing, f"add to released_options.yml, for {missing}:\n{added}"
    assert set(RELEASED) == set(CHANGELOG)


def test_version_added_is_the_release_that_added_it() -> None:
    first = {name: release for release, names in RELEASED.items() for name in names}
    wrong = {
        name: f"says {said}, came with {first.get(name, NEXT)}"
        for name, said in documented().items()
        if str(said) != first.get(name, NEXT)
    }
    assert not wrong
