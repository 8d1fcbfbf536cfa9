# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Legitimate patterns can be declared, and let nothing else be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
PAGE = Path(__file__).resolve().parents[5] / "docs" / "declaring-ports.md"
EXAMPLES = re.findall(r"```yaml\n(vigil_.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_of_the_page_loads(text: str) -> None:
    variables: Any = plain(yaml.safe_load(text))
    inventory, problems = load_inventory(variables)
    assert problems == ()
    assert inventory.declarations or inventory.raw_sockets


def failures(declared: list[Json], heard: list[Json], scans: Any = None) -> set[str]:
    seen = [build.scan([build.target()])] if scans is None else scans
    return build.failures(build.judged(build.host_evidence(declared, heard), seen))


def test_a_protocol_list_is_a_declaration_for_each() -> None:
    declared = [build.declared(53, protocol=["tcp", "udp"])]
    both = [build.listener(53), build.listener(53, protocol="udp")]
    assert failures(declared, both) == set()
    assert failures(declared, both[:1]) == {"missing-listener"}


@pytest.mark.parametrize("port", [443, "443", "443-443"])
@pytest.mark.parametrize("address", ["any", "*", ["*", "loopback"]])
def test_quotes_around_a_port_and_a_star_for_an_address_do_no_harm(port: Any, address: Any) -> None:
    assert failures([build.declared(port, address=address)], [build.listener(443)]) == set()


def test_an_interface_is_the_one_bound_to_or_the_one_with_the_address() -> None:
    own = [build.own_address(build.ADDRESS), build.own_address("192.168.122.1", "virbr0", inner=True)]
    declared = [build.declared(53, interface="virbr*", protocol="udp")]
    for listener, is_covered in (
        (build.listener(53, "192.168.122.1", protocol="udp"), True),
        (build.listener(53, "0.0.0.0", protocol="udp", interface="virbr0"), True),
        (build.listener(53, build.ADDRESS, protocol="udp"), False),
        (build.listener(53, "0.0.0.0", protocol="udp"), False),
    ):
        found = build.failures(build.judged(build.host_evidence(declared, listening=build.listening([listener], own))))
        assert ("undeclared-listener" not in found) is is_covered


def test_a_pattern_of_namespaces_covers_those_and_no_other() -> None:
    declared = [build.declared(80, namespace="docker:web-*")]
    asked: Json = {"asked": "all", "seen": ["host"], "missed": []}
    for namespace, is_covered in (("docker:web-1", True), ("docker:db-1", False), ("host", False)):
        listening = build.listening([build.listener(80, namespace=namespace)], namespaces=asked)
        found = build.failures(build.judged(build.host_evidence(declared, listening=listening)))
        assert ("undeclared-listener" not in found) is is_covered


MASTER = build.owner(name="master", executable="/usr/lib/postfix/sbin/master", pid=10, user="root", uid=0)
SMTPD = build.owner(name="smtpd", executable="/usr/lib/postfix/sbin/smtpd", pid=11, user="postfix", uid=106)


def test_each_process_and_each_user_must_be_one_of_the_declared() -> None:
    heard = [build.listener(25, owners=[MASTER, SMTPD])]
    assert failures([build.declared(25, process=["master", "smtpd"], user=["root", 106])], heard) == set()
    assert failures([build.declared(25, process="master")], heard) == {"wrong-owner"}
    assert failures([build.declared(25, user="root")], heard) == {"wrong-owner"}
    assert failures([build.declared(25, user="postfix")], heard) == {"wrong-owner"}


def test_reports_name_who_runs_it_and_not_who_made_the_socket() -> None:
    dropped = build.owner(name="dnsmasq", executable="/usr/sbin/dnsmasq", user="dnsmasq", uid=108)
    results = build.judged(build.host_evidence([], [build.listener(53, user="root", uid=0, owners=[dropped])]))
    (row,) = build.of_rule(results, "undeclared-listener")
    assert row["message"].startswith("dnsmasq (dnsmasq) listens")
    assert row["ways_out"]["declare"]["entry"]["user"] == "dnsmasq"


def test_a_full_path_is_the_hosts_own() -> None:
    """The name of the file is spoofed as easily as that of the process; the path holds where it is declared."""
    path = "/usr/sbin/nginx"
    declared = [build.declared(443, process=path)]
    for seen_as, found in (("host", set()), ("other", {"wrong-owner"})):
        heard = [build.listener(443, owners=[build.owner(executable_seen_as=seen_as)])]
        assert failures(declared, heard) == found
    deleted = build.owner(executable_seen_as="unknown", executable_deleted=True)
    results = build.judged(build.host_evidence(declared, [build.listener(443, owners=[deleted])]))
    (row,) = build.of_rule(results, "wrong-owner")
    assert (row["status"], row["gap"]) == ("not_assessed", "web1:owner-unknown:tcp/443")


OPEN = [build.scan([build.target([8443])])]


def test_a_forwarded_port_has_no_listener_and_needs_a_declaration() -> None:
    forwarded = [build.declared(8443, forwarded=True, reachable_from=["internet"])]
    assert failures(forwarded, [], OPEN) == set()
    undeclared = [build.declared(8443, reachable_from=["internet"], required=False)]
    assert "open-without-listener" in failures(undeclared, [], OPEN)
    assert failures(forwarded, [], [build.scan([build.target()])]) == {"blocked-service"}
    assert "undeclared-listener" in failures(forwarded, [build.listener(8443)], OPEN)
    assert failures([build.declared(8443, forwarded=True)], [], OPEN) == {"forbidden-exposure"}


def test_a_finding_about_a_range_names_the_port_that_is_wrong_and_its_ways_out_speak_of_it_alone() -> None:
    declared = [build.declared("8000-8010", process="nginx", required=False)]
    caddy = build.owner(name="caddy", executable="/usr/bin/caddy")
    heard = [build.listener(8000), build.listener(8003, owners=[caddy])]
    results = build.judged(build.host_evidence(declared, heard))
    (row,) = build.of_rule(results, "wrong-owner")
    assert (row["status"], row["port"], row["declared_port"]) == ("fail", 8003, "8000-8010")
    assert row["ways_out"]["except"]["entry"]["port"] == 8003
    way = row["ways_out"]["declare"]
    assert (way["entry"]["port"], way["entry"]["process"], way["replaces"]) == (8003, "caddy", None)
    assert failures([*declared, way["entry"]], heard) == set()
    still = [*heard, build.listener(8004, owners=[caddy])]
    assert failures([*declared, way["entry"]], still) == {"wrong-owner"}


def test_a_socket_of_the_kernel_is_a_service_and_not_a_client() -> None:
    """WireGuard listens on 51820, which Linux also gives to clients; a client is a process."""
    heard = [build.unowned(51820, protocol="udp", ephemeral=True)]
    (row,) = build.of_rule(build.judged(build.host_evidence([], heard)), "undeclared-listener")
    assert row["severity"] == "medium"


@pytest.mark.parametrize(("port", "severity"), [(51820, "low"), (1025, "medium"), (32767, "medium"), (61000, "medium")])
def test_the_host_does_not_choose_which_ports_look_ephemeral(port: int, severity: str) -> None:
    heard = [build.listener(port, protocol="udp", ephemeral=True)]
    (row,) = build.of_rule(build.judged(build.host_evidence([], heard)), "undeclared-listener")
    assert row["severity"] == severity
