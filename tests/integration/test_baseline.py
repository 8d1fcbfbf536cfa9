# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From nothing to a reviewed baseline: hosts of the fleet without declarations are audited, proposals are written, and
only what a person has moved to another layer is approved."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.imported import (
    format_of,
    imported_for,
    imported_from_nmap,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.entry_yaml import variable_lines
from fleet import playbook
from fleet.layout import INTEGRATION
from testinfra.host import Host

pytestmark = pytest.mark.usefixtures("fleet")
Json = dict[str, Any]

HOSTS = ("cache1", "db1", "dev1", "dual1", "edge1", "ghost1", "hostile1", "noroot1", "ns1", "web1")
PAIR = ("cache1", "db1")
#: What a baseline does not propose: ports that lead elsewhere by address translation, and who takes packets.
LEFT_OUT = {("edge1", 8080), ("ns1", 8091), ("dev1", "held-by:python3/root")}
#: Where one of them leads a proposal is made, in the namespace of what listens there.
LEADS_TO = ("ns1", 8091)
#: Nor what looks ephemeral. In the second run it is known as a port that stays.
EPHEMERAL = ("dev1", "ephemeral:python3/root")


@dataclasses.dataclass(frozen=True)
class Estate:
    """An inventory in a git checkout, and where its reports go."""

    inventory: Path
    reports: Path

    def play(self, name: str, *more: str, **variables: Any) -> tuple[int, str]:
        given = {"audit_hosts": ",".join(HOSTS), "audit_report_dir": str(self.reports), **variables}
        given |= {"audit_scan_depth": "known", "audit_scan_versions": False}
        return playbook.run(
            f"vigil.ports.{name}", "-e", json.dumps(given), *more, inventory=self.inventory / "hosts.yml"
        )

    def audit(self) -> Json:
        _status, output = self.play("audit")
        assert (self.reports / "latest" / "results.json").exists(), output
        found: Json = json.loads((self.reports / "latest" / "results.json").read_text(encoding="utf-8"))
        return found

    def files(self) -> dict[str, bytes]:
        every = (path for path in sorted(self.inventory.rglob("*")) if path.is_file() and ".git" not in path.parts)
        return {str(path.relative_to(self.inventory)): path.read_bytes() for path in every}


def failed(results: Json, *rules: str) -> set[tuple[str, int]]:
    rows = (row for row in results["findings"] if row["status"] == "fail")
    return {(row["host"], row["port"]) for row in rows if row["rule"].startswith(rules)}


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """The fleet's inventory without a declaration, in git; web1 has a directory of variables."""
    made = Estate(tmp_path_factory.mktemp("inventory"), tmp_path_factory.mktemp("reports"))
    shutil.copytree(INTEGRATION / "inventory", made.inventory, dirs_exist_ok=True)
    for path in (*made.inventory.glob("*_vars/*.yml"),):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.split(r"^vigil_(?:ports|exceptions)__", text, maxsplit=1, flags=re.MULTILINE)[0])
    web1 = made.inventory / "host_vars" / "web1"
    web1.mkdir()
    (made.inventory / "host_vars" / "web1.yml").rename(web1 / "main.yml")
    hosts = made.inventory / "hosts.yml"
    pair = "".join(f"        {name}:\n" for name in PAIR)
    hosts.write_text(f"{hosts.read_text(encoding='utf-8').rstrip()}\n    data-stores:\n      hosts:\n{pair}")
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(made.inventory), *words], check=True)
    return made


@pytest.fixture(scope="module")
def first(estate: Estate) -> Json:
    """The audit of an estate where nothing is declared."""
    return estate.audit()


@pytest.fixture(scope="module")
def proposed(estate: Estate, first: Json) -> str:
    """The estate with its proposals written: by the patch of a check, and by a run, alike. The output of the run."""
    assert first["findings"]
    before = estate.files()
    patch = estate.reports / "proposed.patch"
    status, checked = estate.play("baseline", "--check", "--diff", baseline_patch=str(patch))
    assert status == 0, checked
    assert estate.files() == before, "a check wrote something"
    assert patch.read_text(encoding="utf-8").strip() in checked
    subprocess.run(["git", "-C", str(estate.inventory), "apply", str(patch)], check=True)
    patched = estate.files()
    subprocess.run(["git", "-C", str(estate.inventory), "checkout", "-q", "."], check=True)
    subprocess.run(["git", "-C", str(estate.inventory), "clean", "-qfd"], check=True)
    status, output = estate.play("baseline")
    assert status == 0, output
    assert estate.files() == patched
    assert set(before) < set(patched)
    for name, content in before.items():
        assert patched[name].startswith(content), f"{name} did not stay as it was"
    return output


def test_every_listener_is_undeclared_at_first(first: Json) -> None:
    assert {("web1", 22), ("web1", 443), ("cache1", 6379), EPHEMERAL, *LEFT_OUT} <= failed(first, "undeclared-")
    assert not failed(first, "unapproved")


def test_what_can_be_pasted_from_each_finding_loads(first: Json) -> None:
    ways = [row["ways_out"][kind] for row in first["findings"] if row["ways_out"] for kind in ("declare", "except")]
    entries = [way for way in ways if way["entry"]]
    assert len(entries) > 50
    for way in entries:
        written: Any = plain(yaml.safe_load("\n".join(variable_lines(way["variable"], [way["entry"]]))))
        assert load_inventory(written)[1] == ()


@pytest.mark.usefixtures("proposed")
def test_what_a_group_shares_is_lifted_and_a_directory_stays_one(estate: Estate) -> None:
    files = estate.files()
    assert b"vigil_ports__proposed_data_stores__" in files["group_vars/data-stores.yml"]
    assert b"port: 22" in files["group_vars/data-stores.yml"]
    assert b"port: 22" not in files["host_vars/cache1.yml"]
    assert b"port: 443" in files["host_vars/web1/vigil_ports_proposed.yml"]
    assert "host_vars/web1.yml" not in files


def test_what_is_left_out_is_said(proposed: str) -> None:
    assert "ghost1: not assessed, so nothing is proposed" in proposed
    assert "dev1: udp/40000 at 0.0.0.0 looks ephemeral" in proposed
    assert re.search(r"edge1: tcp/8080 .*find out why before anything is declared", proposed)


def test_a_hostile_name_is_in_no_file(proposed: str, estate: Estate) -> None:
    content = estate.files()["host_vars/hostile1.yml"]
    assert b"port: 4444" in content
    assert all(32 <= byte < 127 or byte == 10 for byte in content)
    assert "hostile1: tcp/4444: the name of its process may not be pasted" in proposed


@pytest.mark.usefixtures("proposed")
def test_a_second_run_has_nothing_to_propose(estate: Estate) -> None:
    before = estate.files()
    status, output = estate.play("baseline")
    assert (status, "nothing is left to propose" in output, "changed=0" in output) == (0, True, True), output
    assert estate.files() == before


@pytest.fixture(scope="module")
def second(estate: Estate, proposed: str) -> Json:
    """The audit with the proposals."""
    assert proposed
    return estate.audit()


def test_proposals_leave_nothing_undeclared_and_approve_nothing(first: Json, second: Json) -> None:
    stays = ("dev1", 40000)
    assert failed(second, "undeclared-") == {*LEFT_OUT, stays}
    was_undeclared = failed(first, "undeclared-") - {*LEFT_OUT, EPHEMERAL} | {LEADS_TO}
    assert failed(second, "unapproved") == was_undeclared
    assert not second["gate"]["passed"]
    gravest = {row["port"]: row["severity"] for row in second["findings"] if row["rule"] == "unapproved"}
    assert gravest[443] == "high"


def reviewed(estate: Estate, *, filled_in: bool) -> None:
    """What a person does: move the entries to a layer of their own, with words of their own or without."""
    for path in estate.inventory.glob("*_vars/**/*.yml"):
        text = path.read_text(encoding="utf-8").replace("vigil_ports__proposed", "vigil_ports__reviewed")
        path.write_text(re.sub(r'"FILL IN: [^"]*"', "Reviewed", text) if filled_in else text, encoding="utf-8")


def test_only_what_was_filled_in_is_approved(estate: Estate, second: Json) -> None:
    assert second["findings"]
    reviewed(estate, filled_in=False)
    status, output = estate.play("audit", audit_hosts="web1")
    assert status == 2
    assert "still the placeholder of a proposal" in output
    reviewed(estate, filled_in=True)
    third = estate.audit()
    assert not failed(third, "unapproved", "missing", "wrong", "forbidden", "blocked")
    assert failed(third, "undeclared-") == {*LEFT_OUT, ("dev1", 40000)}
    rows = [row for row in third["findings"] if row["host"] == "web1" and row["status"] != "pass"]
    assert rows == []


def test_a_fresh_look_proposes_without_an_earlier_run(tmp_path: Path, estate: Estate, second: Json) -> None:
    assert second["findings"]
    fresh = Estate(tmp_path / "inventory", tmp_path / "reports")
    shutil.copytree(estate.inventory, fresh.inventory)
    subprocess.run(["git", "-C", str(fresh.inventory), "stash", "-qu"], check=True)
    status, output = fresh.play("baseline", audit_hosts="cache1,db1", baseline_fresh=True)
    assert status == 0, output
    assert b"port: 6379" in fresh.files()["host_vars/cache1.yml"]
    assert "changed=1" in output


@pytest.mark.parametrize("command", ["ss -tuln", "ss -tulnp", "ss -Htuln", "netstat -tulnW", "netstat -tulnpW"])
def test_what_ss_and_netstat_say_is_what_was_seen(
    command: str, estate: Estate, first: Json, reach: Callable[[str], Host]
) -> None:
    for name in ("dual1", "web1", "dev1"):
        text = reach(name).check_output(command)
        evidence = estate.reports / first["run"]["run_id"] / "evidence" / "hosts" / f"{name}.json"
        rows = json.loads(evidence.read_text(encoding="utf-8"))["listening"]["listeners"]
        seen = {(row["protocol"], row["port"]) for row in rows if row["namespace"] == "host" and not row["ephemeral"]}
        proposal = imported_for(name, format_of(text.encode()), text.encode(), {}, None)
        assert {(one.get("protocol", "tcp"), one["port"]) for one in proposal.entries} == seen
        addresses = {one["port"]: one.get("address") for one in proposal.entries}
        if name == "dual1":
            assert (addresses[8081], addresses[8088]) == (None, "loopback")
            assert addresses[8084] == ("loopback" if command.startswith("ss") else None)  # netstat shows no device


def test_what_nmap_found_is_proposed_for_the_host_with_the_address(reach: Callable[[str], Host]) -> None:
    report = reach("scan-office").check_output("nmap -n -Pn -p 22,80,81,443 -oX - 198.18.0.11")
    (found,) = imported_from_nmap(report.encode(), {"198.18.0.11": "web1"}, {}, "office", None)
    assert (found.host, [one["port"] for one in found.entries]) == ("web1", [22, 80, 443])


def test_a_file_of_ss_is_proposed_by_the_playbook(
    tmp_path: Path, estate: Estate, first: Json, reach: Callable[[str], Host]
) -> None:
    assert first["findings"]
    (tmp_path / "ss.txt").write_text(reach("dev1").check_output("ss -tulnp"), encoding="utf-8")
    patch = tmp_path / "patch"
    given = {"import_file": str(tmp_path / "ss.txt"), "import_host": "dev1", "baseline_dir": str(tmp_path / "new")}
    status, output = estate.play("baseline", "--check", baseline_patch=str(patch), **given)
    assert status == 0, output
    assert "+  - port: 8000" in patch.read_text(encoding="utf-8") or "dev1: " in output
    (tmp_path / "ss.txt").write_text("tcp LISTEN 0 128 somewhere\n", encoding="utf-8")
    status, output = estate.play("baseline", "--check", **{**given, "import_format": "ss"})
    assert (status, "line 1: too few columns for ss" in output) == (2, True)


def test_an_inventory_without_a_directory_is_an_error_with_a_way_out(estate: Estate, first: Json) -> None:
    assert first["findings"]
    given = {"run_dir": str(estate.reports / "latest")}
    status, output = playbook.run("vigil.ports.baseline", "-e", json.dumps(given), inventory=Path("web1,"))
    assert status == 2
    assert "-e baseline_dir=DIRECTORY" in " ".join(output.split())
