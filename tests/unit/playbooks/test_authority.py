# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may say what: no host sets what it is judged by, and no host speaks for another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.agreement import disagreement, may_differ
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.names import (
    OF_EACH_HOST,
    OF_THE_RUN,
    SECRET,
    declarations_among,
    settings_among,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.new_run import SETTINGS

from .conftest import ROOT, Playbooks

ENTRY = {"port": 4444, "justification": "mine", "owner": "me"}


@pytest.mark.parametrize(
    "fact",
    [
        {"audit_fail_on": "never"},
        {"notify_channels": [{"name": "me", "urls": ["json://198.18.0.1"]}]},
        {"audit_metrics_file": "/etc/cron.d/x"},
        {"audit_label": "x"},
        {"audit_run": {"run_dir": "/tmp/elsewhere"}},
        {"vigil_vantages": [{"name": "office", "scanners": ["web1"]}]},
        {"schedule_user": "root"},
        {"change_nothing": True},
        {"inventory_hostname": "db1"},
        {"group_names": ["db"]},
        {"inventory_dir": "/etc"},
    ],
    ids=lambda fact: next(iter(fact)),
)
def test_a_fact_sets_nothing(playbook: Playbooks, fact: dict[str, Any]) -> None:
    run = playbook(playbook.audited_after_facts(fact), hosts=["web1", "db1"])
    assert run.exit_status == 2, run.output
    assert f"facts name variables that decide (web1: {next(iter(fact))})" in run.said
    assert not run.report_dir.exists()


def test_a_fact_of_any_host_is_found_and_not_only_of_the_first(playbook: Playbooks) -> None:
    play = playbook.audited_after_facts({"audit_fail_on": "never"}, host="web3")
    run = playbook(play, hosts=["web1", "web2", "web3"])
    assert "(web3: audit_fail_on)" in run.said
    assert run.exit_status == 2


@pytest.mark.parametrize("name", ["vigil_ports__evil", "vigil_exceptions", "vigil_ports", "vigil_addresses"])
def test_a_fact_declares_nothing(playbook: Playbooks, name: str) -> None:
    play = playbook.audited_after_facts({name: [ENTRY]})
    run = playbook(play, hosts=["web1", "db1"], variables={"vigil_ports": []})
    assert run.exit_status == 2, run.output
    assert run.gaps() >= {"web1:inventory-invalid"}
    assert "db1:inventory-invalid" not in run.gaps()
    evidence = run.read("evidence/hosts/web1.json")
    assert [error["place"] for error in evidence["inventory_errors"]] == [name]
    assert "4444" not in json.dumps([evidence["inventory"], evidence["outside_addresses"]])


@pytest.fixture
def kept(playbook: Playbooks, tmp_path: Path) -> Callable[[str, dict[str, Any]], dict[str, str]]:
    """Facts of a host that another playbook leaves in a cache; the environment with that cache."""
    cache = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "cache")}

    def keep(host: str, facts: dict[str, Any]) -> dict[str, str]:
        play = playbook.audited_after_facts(facts, host=host)
        play[0]["tasks"].pop()
        assert playbook(play, hosts=["web1", "scan1"], environment=cache).exit_status == 0
        return cache

    return keep


def test_a_fact_kept_by_another_playbook_declares_nothing(playbook: Playbooks, kept: Any) -> None:
    run = playbook(environment=kept("web1", {"vigil_ports__evil": [ENTRY]}))
    assert run.gaps() >= {"web1:inventory-invalid"}
    refused = playbook(environment=kept("web1", {"audit_fail_on": "never"}))
    assert "facts name variables that decide (web1: audit_fail_on)" in refused.said


def test_a_fact_of_a_scanner_sets_nothing(playbook: Playbooks, kept: Any) -> None:
    variables = {"vigil_vantages": [{"name": "office", "scanners": ["scan1"]}]}
    run = playbook(
        "vigil.ports.audit",
        *("-e", "audit_hosts=web1"),
        hosts=["web1", "scan1"],
        variables=variables,
        environment=kept("scan1", {"audit_fail_on": "never"}),
    )
    assert "(scan1: audit_fail_on)" in run.said


@pytest.mark.parametrize("inject", ["true", "false"])
def test_what_a_declaration_is_made_of_is_no_fact(playbook: Playbooks, inject: str) -> None:
    """Ansible takes facts before the inventory for each variable, also for those that a template asks for."""
    declared = [{**ENTRY, "port": "{{ web_port | int }}"}, {**ENTRY, "port": "{{ hostvars['web1'].web_port | int }}"}]
    run = playbook(
        playbook.audited_after_facts({"web_port": 4444}),
        hosts=["web1", "db1"],
        variables={"web_port": 80, "vigil_ports": declared},
        environment={"ANSIBLE_INJECT_FACT_VARS": inject},
    )
    for host in ("web1", "db1"):
        ports = [one["port"] for one in run.read(f"evidence/hosts/{host}.json")["inventory"]["vigil_ports"]]
        assert ports == [80, 80], host


def test_facts_can_still_be_used_on_purpose(playbook: Playbooks) -> None:
    declared = [{**ENTRY, "justification": "{{ ansible_facts.distribution }} {{ ansible_distribution }}"}]
    run = playbook(
        playbook.audited_after_facts({"ansible_distribution": "Debian"}), variables={"vigil_ports": declared}
    )
    (entry,) = run.read("evidence/hosts/web1.json")["inventory"]["vigil_ports"]
    assert entry["justification"] == "Debian Debian"


@pytest.mark.parametrize("name", ["vigil_addresses", "ansible_host"])
@pytest.mark.parametrize(
    "template", ["ansible_facts.default_ipv4.address", "hostvars['web1'].ansible_facts['default_ipv4'].address"]
)
def test_no_address_is_scanned_because_a_host_says_that_it_is_its_own(
    playbook: Playbooks, name: str, template: str
) -> None:
    """The host names the address of somebody else, and the inventory takes the host's word for it."""
    value = "{{ " + template + " | default('192.0.2.1') }}"
    given = [value] if name == "vigil_addresses" else value
    play = playbook.audited_after_facts({"default_ipv4": {"address": "203.0.113.9"}})
    run = playbook(play, hosts=["web1"], variables={name: given, "vigil_ports": []})
    assert run.gaps() >= {"web1:inventory-invalid"}
    evidence = run.read("evidence/hosts/web1.json")
    assert [error["place"] for error in evidence["inventory_errors"]] == [name]
    assert evidence["outside_addresses"] == {}


def test_an_address_that_is_made_of_the_inventory_is_scanned(playbook: Playbooks) -> None:
    variables = {
        "net": "192.0.2",
        "vigil_addresses": ["{{ net }}.7", "{{ hostvars['web1'].net }}.8"],
        "vigil_ports": [],
    }
    run = playbook(playbook.audited_after_facts({"default_ipv4": {"address": "203.0.113.9"}}), variables=variables)
    evidence = run.read("evidence/hosts/web1.json")
    assert evidence["inventory_errors"] == []
    assert evidence["outside_addresses"] == {"default": ["192.0.2.7", "192.0.2.8"]}


def test_what_a_setting_is_made_of_is_no_fact(playbook: Playbooks) -> None:
    variables = {"audit_fail_on": "{{ site_gate }}", "site_gate": "medium"}
    run = playbook(playbook.audited_after_facts({"site_gate": "never"}), variables=variables)
    assert run.exit_status == 2
    assert "audit_fail_on: it is made of site_gate, and a fact of web1 has that name" in run.said


def test_what_a_connection_is_made_of_is_no_fact(playbook: Playbooks) -> None:
    """Ansible itself removes ``ansible_host`` from facts; ``site`` would lead to another machine or another program."""
    hosts: dict[str, Any] = {"web1": {"ansible_ssh_common_args": "-F {{ site }}", "site": "/etc/ssh/site"}, "db1": {}}
    run = playbook(playbook.audited_after_facts({"site": "/x -o ProxyCommand=x"}), hosts=hosts)
    assert run.exit_status == 2
    assert "ansible_ssh_common_args of web1: it is made of site, and a fact of web1 has that name" in run.said


def test_set_fact_is_not_a_word_of_the_host(playbook: Playbooks) -> None:
    told = {"ansible.builtin.set_fact": {"vigil_ports__play": [ENTRY]}}
    role = {"ansible.builtin.include_role": {"name": "vigil.ports.audit"}}
    run = playbook([{"hosts": "all", "gather_facts": False, "tasks": [told, role]}])
    assert "vigil_ports__play" in run.read("evidence/hosts/web1.json")["inventory"]


def test_proposals_are_not_written_where_a_fact_says(playbook: Playbooks) -> None:
    playbook()
    play = playbook.audited_after_facts({"inventory_dir": "/nowhere"})
    play[0]["tasks"][1] = {"vigil.ports.baseline": {"run_dir": "reports/latest"}, "run_once": True}
    run = playbook(play)
    assert run.exit_status == 2
    assert "facts name variables that decide (the host of this task: inventory_dir)" in run.said


DIFFERENT: dict[str, tuple[Any, Any]] = {
    "audit_fail_on": ("never", "low"),
    "audit_date": ("2026-01-01", "2026-01-02"),
    "audit_scan_depth": ("none", "known"),
    "audit_report_dir": ("/tmp/one", "/tmp/other"),
    "audit_accept_gaps": (["web1:failed"], []),
    "vigil_vantages": ([{"name": "a", "scanners": ["web1"]}], [{"name": "b", "scanners": ["web1"]}]),
    "audit_answer_timeout": (5, 300),
}


@pytest.mark.parametrize("name", DIFFERENT)
@pytest.mark.parametrize("first", ["web1", "db1"])
def test_hosts_that_do_not_agree_are_refused_whatever_their_order(playbook: Playbooks, name: str, first: str) -> None:
    one, other = DIFFERENT[name]
    groups = {
        "web": {"hosts": {"web1": {}}, "vars": {name: one}},
        "db": {"hosts": {"db1": {}}, "vars": {name: other}},
    }
    run = playbook(hosts=[first, *({"web1", "db1"} - {first})], groups=groups)
    assert run.exit_status == 2
    assert f"{name}: the hosts of this run do not agree: " in run.said
    assert re.search(r" on (web1|db1), .* on (web1|db1)\.", run.said)


def test_a_group_that_leaves_the_default_does_not_agree(playbook: Playbooks) -> None:
    groups = {"db": {"hosts": {"db1": {}}, "vars": {"audit_expiring_days": 3}}}
    run = playbook(hosts=["web1", "db1"], groups=groups)
    assert "audit_expiring_days: the hosts of this run do not agree: 14 on web1, 3 on db1." in run.said


def test_a_template_that_gives_each_host_its_own_does_not_agree(playbook: Playbooks) -> None:
    run = playbook(hosts=["web1", "db1"], variables={"audit_label": "of {{ inventory_hostname }}"})
    assert "audit_label: the hosts of this run do not agree: of db1 on db1, of web1 on web1" in run.said
    same = playbook(hosts=["web1", "db1"], variables={"audit_label": "of {{ groups.all | length }} {{ 'hosts' }}"})
    assert same.read("evidence/run.json")["label"] == "of 2 hosts"


def test_a_secret_on_which_hosts_do_not_agree_is_not_shown(playbook: Playbooks) -> None:
    hosts = {name: {"audit_history_url": f"postgresql://vigil:pass-{name}@db/vigil"} for name in ("web1", "db1")}
    run = playbook(hosts=hosts)
    assert "audit_history_url: the hosts of this run do not agree: one value on" in run.said
    assert "pass-" not in run.output


def test_what_is_of_each_host_may_differ(playbook: Playbooks) -> None:
    hosts: dict[str, Any] = {"web1": {"audit_owners": "unit"}, "db1": {"audit_namespaces": "all"}}
    run = playbook(hosts=hosts, variables={"audit_fail_on": "never"})
    assert run.exit_status == 0, run.output


def test_every_option_of_the_role_is_of_the_run_or_of_each_host() -> None:
    """One that is neither would be the first host's."""
    specs = yaml.safe_load((ROOT / "roles/audit/meta/argument_specs.yml").read_text())["argument_specs"]
    of_host = {name for name in specs["main"]["options"] if settings_among([name])} - {
        *OF_THE_RUN,
        *(f"audit_{name}" for name in SETTINGS),
    }
    assert of_host == OF_EACH_HOST
    for name in OF_EACH_HOST:
        assert "may differ between hosts" in " ".join(specs["main"]["options"][name]["description"]), name
    notify = yaml.safe_load((ROOT / "roles/notify/meta/argument_specs.yml").read_text())["argument_specs"]
    assert set(notify["main"]["options"]) - {"notify_run_dir"} <= set(OF_THE_RUN)
    assert set(OF_THE_RUN) > SECRET


#: What playbooks and roles read and Ansible sets last of all, before any fact; and the words of Jinja.
_OTHERS = """
    ansible_check_mode ansible_failed_result ansible_limit ansible_play_hosts ansible_play_hosts_all ansible_skip_tags
    groups hostvars role_path
    item history_rebuilt report_written
    False True and else false for if in is join loop not omit or true word
"""


def test_every_variable_that_is_read_is_kept_from_facts() -> None:
    read: set[str] = set()
    for path in [*ROOT.glob("playbooks/*.yml"), *ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("roles/*/templates/*")]:
        for expression in _expressions(path):
            bare = re.sub(r"'[^']*'|\"[^\"]*\"", "0", expression)
            bare = re.sub(r"\.\s*[A-Za-z_]\w*|\|\s*[A-Za-z_.]+|\bis (not )?[a-z_.]+", "|", bare)
            read |= set(re.findall(r"(?<!\w)[A-Za-z_]\w*(?!\s*[(=]|\w)", bare))
    assert {"audit_hosts", "inventory_hostname", "run_dir"} <= read
    left = {name for name in read - set(_OTHERS.split()) if not settings_among([name])}
    assert left == set()


def _expressions(path: Path) -> Iterator[str]:
    text = path.read_text()
    yield from re.findall(r"\{\{(.*?)\}\}", text, flags=re.DOTALL)
    if path.suffix == ".yml":
        yield from _conditions(yaml.safe_load(text))


def _conditions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("when", "that", "failed_when", "changed_when", "until"):
                yield from (str(one) for one in (value if isinstance(value, list) else [value]))
            else:
                yield from _conditions(value)
    elif isinstance(node, list):
        for part in node:
            yield from _conditions(part)


def test_names_of_others_are_no_matter_of_ours() -> None:
    others = ["ansible_distribution", "module_setup", "packages", "hostname", "auditd_version", "changed"]
    assert settings_among(others) == declarations_among(others) == []


def test_values_that_come_to_the_same_agree() -> None:
    assert disagreement("audit_expiring_days", {"web1": 14, "web2": "14"}) is None
    assert disagreement("audit_history", {"web1": True, "web2": "true"}) is None


def test_a_template_of_the_same_variables_need_not_be_resolved_on_each_host() -> None:
    alike = {"web1": {"a": "{{ b }}", "b": "x"}, "web2": {"a": "{{ b }}", "b": "x"}}
    assert not may_differ("a", alike, lambda _host: ())
    assert may_differ("a", {**alike, "web3": {"a": "{{ b }}", "b": "y"}}, lambda _host: ())
    assert may_differ("a", {**alike, "web3": {"a": "{{ b }}"}}, lambda _host: ())
    assert may_differ("a", alike, lambda host: ["b"] if host == "web2" else ())
    assert not may_differ("c", alike, lambda _host: ())
