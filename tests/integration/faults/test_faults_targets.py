# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of what is scanned: names, addresses, and hosts that answer otherwise than hosts do."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from fleet.playbook import INVENTORY

from faults.audits import Auditing
from faults.conftest import Telling
from faults.inside import Inside
from faults.table import assessed, failed, fault, not_assessed


@fault(
    "rate-limited",
    area="targets",
    fault="A host answers only so many packets a second",
    cause="nftables on the host: one new connection an hour, and another one came first; the others are dropped",
    says=failed(
        "web1:blocked-service:tcp/22@office",
        "web1:blocked-service:tcp/80@office",
        "web1:blocked-service:tcp/443@office",
        line="is filtered from office, declared reachable",
    ),
)
def test_a_host_that_limits_its_answers(audit: Auditing, told: Telling, web1: Inside, scanner: Inside) -> None:
    web1.firewall(
        "chain few {\n limit rate 1/hour burst 1 packets accept\n drop\n}\n"
        "chain in { type filter hook input priority 0;\n ip saddr 198.18.0.202 tcp flags & (syn|ack) == syn jump few\n}"
    )
    scanner.run("nmap -n -Pn -sT -p 80 198.18.0.11")
    told(audit(vigil_addresses=["198.18.0.11"]))


@fault(
    "default-accept",
    area="targets",
    fault="A host accepts by default and drops its declared ports, which are most of what a scan of depth known asks",
    cause="200 declared ports of workers, which nftables on the host drops; no port that is asked is a hole",
    says=assessed("web1", line="`tcp/30000-30199`"),
)
def test_what_is_dropped_on_purpose_makes_no_hole_of_the_rest(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.firewall("chain in { type filter hook input priority 0;\n tcp dport 30000-30199 drop\n}")
    about = {"required": False, "justification": "Workers", "owner": "web-team"}
    told(audit(host_vars={"web1": {"vigil_ports__workers": [{"port": "30000-30199", **about}]}}))


@fault(
    "own-address-not-scanned",
    area="targets",
    fault="The host has an address that nobody scans",
    cause="the inventory names no addresses of the host but the one by which Ansible reaches it; it has an IPv6 address"
    " too",
    says=not_assessed(
        "web1:own-addresses-not-scanned@office:fd00:198:18::11",
        line="the host also has fd00:198:18::11 (eth0), which nobody scanned from office",
    ),
)
def test_an_address_of_the_host_that_nobody_scans(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    shutil.copytree(INVENTORY.parent, inventory)
    for path in (inventory / "group_vars" / "all.yml", inventory / "host_vars" / "web1.yml"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith("vigil_addresses")), encoding="utf-8")
    told(audit(inventory=inventory / "hosts.yml"))


@fault(
    "same-machine",
    area="targets",
    fault="Two names of the inventory lead to one machine",
    cause="a second name in the inventory has the address of the first; an undeclared service listens there",
    says=not_assessed("www1:same-machine:web1", line="www1 and web1 are one machine"),
)
def test_two_names_for_one_machine(audit: Auditing, told: Telling, tmp_path: Path, web1: Inside) -> None:
    second = tmp_path / "second.json"
    second.write_text(json.dumps({"web": {"hosts": {"www1": {"ansible_host": "198.18.0.11"}}}}), encoding="utf-8")
    arguments = ("-i", str(second))
    told(audit("web1,www1", arguments=arguments))
    listens = "import socket, time; one = socket.create_server(('0.0.0.0', 4444)); time.sleep(300)"
    backdoor = web1.start(sys.executable, "-c", listens)
    try:
        run = audit("web1,www1", arguments=arguments)
    finally:
        web1.run("pkill -f '[4]444'")  # nsenter, which was started, is not what listens
        backdoor.wait(10)
    failed = sorted((row["host"], row["rule"]) for row in run.results()["findings"] if row["status"] == "fail")
    assert failed == [("web1", "undeclared-exposure"), ("web1", "undeclared-listener")], "found once"


@fault(
    "tarpit",
    area="targets",
    fault="Everything answers: a tarpit or a SYN proxy",
    cause="nftables on the host sends every TCP port to one service",
    says=not_assessed(
        "web1:scan-untrusted@office:198.18.0.11",
        "web1:translated:1-rules",
        line="a tarpit, a SYN proxy or a DDoS shield answers here",
    ),
)
def test_a_tarpit(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.firewall(
        "chain pre { type nat hook prerouting priority dstnat;\n"
        " ip saddr 198.18.0.202 meta l4proto tcp redirect to :80\n}"
    )
    told(audit(vigil_addresses=["198.18.0.11"]))


@fault(
    "name-without-address",
    area="targets",
    fault="A name does not resolve",
    cause="a name that the real name server of the fleet does not know",
    says=not_assessed(
        "web1:scan-failed@office:nobody.fleet.test", line="the name nobody.fleet.test does not resolve here"
    ),
)
def test_a_name_that_does_not_resolve(audit: Auditing, told: Telling) -> None:
    told(audit(vigil_addresses=["nobody.fleet.test"]))


@fault(
    "name-moves",
    area="targets",
    fault="Between listing and scanning a name begins to lead to another host",
    cause="the real name server of the fleet is told another address while the scanner is about to begin",
    says=not_assessed(
        "web1:scan-failed@office:moved.test",
        line="the name moved.test resolves to 198.18.0.12, which is no address of web1",
    ),
)
def test_a_name_that_moves(audit: Auditing, told: Telling, dns1: Inside, scanner: Inside) -> None:
    dns1.breaks("cp /run/fleet/names /run/fleet/kept", "cp /run/fleet/kept /run/fleet/names; pkill -HUP dnsmasq")
    lead(dns1, scanner, "198.18.0.11")
    scanner.breaks("true", "rm -f /run/fleet/go")
    waiting = "until [ -e /run/fleet/go ]; do sleep 0.05; done"
    python = scanner.script("/run/fleet/python", f'#!/bin/sh\n{waiting}\nexec {sys.executable} "$@"')
    overlay = {"scan-office": {"ansible_python_interpreter": python}}
    with audit.begun(host_vars=overlay, vigil_addresses=["moved.test"]) as started:
        while not list(audit.report_dir.glob("*/evidence/hosts/web1.json")) and started.poll() is None:
            time.sleep(0.05)
        lead(dns1, scanner, "198.18.0.12")
        scanner.run("touch /run/fleet/go")
        told(audit.ended(started))


def lead(dns1: Inside, scanner: Inside, address: str) -> None:
    """Makes the name lead there, and waits until the scanner is told so."""
    dns1.run(f"{{ cat /run/fleet/kept; echo {address} moved.test; }} > /run/fleet/names; pkill -HUP dnsmasq")
    scanner.run(f"until getent hosts moved.test | grep -q {address}; do sleep 0.05; done")


@fault(
    "target-as-option",
    area="targets",
    fault="An address begins with a dash",
    cause="an option of nmap as an address of the host",
    says=not_assessed(
        "web1:scan-failed@office:-oN/tmp/owned", line="'-oN/tmp/owned' is neither an IP address nor a host name"
    ),
)
def test_an_address_that_is_an_option(audit: Auditing, told: Telling, scanner: Inside) -> None:
    told(audit(vigil_addresses=["-oN/tmp/owned"]))
    scanner.run("test ! -e /tmp/owned")


@fault(
    "target-with-spaces",
    area="targets",
    fault="An address holds spaces and shell characters",
    cause="a command as an address of the host",
    says=not_assessed("web1:scan-failed@office:198.18.0.11 $(id)", line="is neither an IP address nor a host name"),
)
def test_an_address_that_is_a_command(audit: Auditing, told: Telling) -> None:
    told(audit(vigil_addresses=["198.18.0.11 $(id)"]))


@fault(
    "target-of-another",
    area="targets",
    fault="An address that is not the host's own",
    cause="the address of another host of the inventory as an address of the host",
    says=failed(
        "web1:blocked-service:tcp/80@office",
        "web1:blocked-service:tcp/443@office",
        line="at 198.18.0.12 is closed from office, declared reachable",
    ),
)
def test_an_address_that_is_not_the_hosts_own(audit: Auditing, told: Telling) -> None:
    told(audit(vigil_addresses=["198.18.0.12"]))
