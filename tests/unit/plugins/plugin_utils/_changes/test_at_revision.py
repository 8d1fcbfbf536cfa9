# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was declared at a revision is compared in full, or not at all: a real checkout, read by ansible-inventory."""

from __future__ import annotations

import json
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._changes import at_revision
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.at_revision import declared_at
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.window import WindowError
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
FIRST, SECOND = build.declared(443), build.declared(8443)


def commit(folder: Path, *ports: Json) -> None:
    """An inventory of these declarations; some below group_vars, as most are."""
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"web1": {}}}}), encoding="utf-8")
    variables = folder / "group_vars" / "all.yml"
    variables.parent.mkdir(exist_ok=True)
    variables.write_text(json.dumps({"vigil_ports__web": ports}), encoding="utf-8")
    for words in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "estate"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    commit(folder, FIRST)
    commit(folder, FIRST, SECOND)
    return folder


def now(*ports: Json) -> dict[str, Json]:
    return {"web1": {"vigil_ports__web": list(ports)}}


def test_an_earlier_revision_is_read_with_its_own_variables(checkout: Path) -> None:
    found = declared_at("HEAD~1", [str(checkout / "hosts.yml")], {**now(FIRST, SECOND), "web2": {}})
    assert found["web1"] is not None
    assert [str(one.port) for one in found["web1"].declarations] == ["443"]
    assert found["web2"] is not None
    assert found["web2"].declarations == ()  # it was not there


def test_an_early_python_of_the_3_11_series_unpacks_as_well(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """3.11.2 has no filters; a release that has them unpacks the same without one, and warns from 3.12 on."""
    monkeypatch.setattr(at_revision, "_FILTER", {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = declared_at("HEAD~1", [str(checkout)], now(FIRST, SECOND))
    assert found["web1"] is not None
    assert [str(one.port) for one in found["web1"].declarations] == ["443"]


def test_a_link_that_leads_out_of_the_checkout_is_refused_with_a_way_out(checkout: Path) -> None:
    (checkout / "secret").symlink_to("/etc/hostname")
    commit(checkout, FIRST)
    if at_revision._FILTER:  # what an early Python unpacks is a link, as a checkout has it
        with pytest.raises(WindowError, match=r"revision HEAD cannot be taken out of the checkout: .*; plan by the id"):
            declared_at("HEAD", [str(checkout)], now(FIRST))


@pytest.mark.parametrize("revision", ["nowhere", "--help", "HEAD:hosts.yml"])
def test_what_is_no_revision_is_refused(checkout: Path, revision: str) -> None:
    with pytest.raises(WindowError, match=r"is no revision of the checkout .* plan by the id of the change instead"):
        declared_at(revision, [str(checkout)], now(FIRST, SECOND))


def test_declarations_that_come_from_elsewhere_are_not_compared(checkout: Path) -> None:
    with pytest.raises(WindowError, match="web1: vigil_ports__play is not in the inventory's files"):
        declared_at("HEAD~1", [str(checkout)], {"web1": {**now(FIRST, SECOND)["web1"], "vigil_ports__play": [SECOND]}})


def test_a_template_at_the_revision_is_not_taken_for_its_text(checkout: Path) -> None:
    commit(checkout, {**FIRST, "address": "{{ other }}"})
    commit(checkout, FIRST)
    with pytest.raises(WindowError, match="vigil_ports__web holds a template or a secret at revision HEAD~1"):
        declared_at("HEAD~1", [str(checkout)], now(FIRST))


@pytest.mark.parametrize("source", ["web1,", "nowhere.yml"])
def test_an_inventory_that_is_no_file_is_refused(checkout: Path, source: str) -> None:
    with pytest.raises(WindowError, match="is not from files of a checkout"):
        declared_at("HEAD~1", [source], now(FIRST))


def test_an_inventory_outside_of_the_checkout_is_refused(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("{}", encoding="utf-8")
    with pytest.raises(WindowError, match="lies outside of the checkout"):
        declared_at("HEAD~1", [str(checkout), str(tmp_path / "more.yml")], now(FIRST))
