# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the nmap program on the scanner. What the real one cannot be made to do, a program before it does."""

from __future__ import annotations

from faults.audits import Auditing
from faults.conftest import Telling
from faults.inside import Inside
from faults.table import assessed, fault, not_assessed

UNSEEN = ("web1:scan-failed@office:198.18.0.11", "web1:scan-failed@office:[fd00:198:18::11]")
PARTLY_SEEN = ("web1:scan-partial@office:198.18.0.11", "web1:scan-partial@office:[fd00:198:18::11]")
DROP_ALL = "chain in { type filter hook input priority 0;\n ip saddr 198.18.0.202 drop;\n}"
OPTION = 'for a; do [ "$last" = -oX ] && xml=$a; last=$a; done'  # where nmap writes its report


def instead_of_nmap(scanner: Inside, script: str) -> None:
    """Puts a shell script where nmap is on the scanner; it calls the real one as ``nmap.real``."""
    scanner.own_folder("/usr/bin")
    scanner.run("mv /usr/bin/nmap /usr/bin/nmap.real")
    told = '[ "$*" = --version ] && exec nmap.real --version'
    scanner.script("/usr/bin/nmap", f"#!/bin/sh\n{told}\n{script}")


@fault(
    "nmap-missing",
    area="nmap",
    fault="nmap is asked for, and is not there",
    cause="nmap is removed from the scanner, audit_scan_engine is nmap",
    says=not_assessed(*UNSEEN, line="there is no nmap on PATH that runs"),
)
def test_no_nmap_where_it_is_asked_for(audit: Auditing, told: Telling, scanner: Inside) -> None:
    scanner.own_folder("/usr/bin")
    scanner.run("rm /usr/bin/nmap")
    told(audit(audit_scan_engine="nmap"))


@fault(
    "nmap-missing-auto",
    area="nmap",
    fault="nmap is not there, and any engine will do",
    cause="nmap is removed from the scanner, audit_scan_engine is auto",
    says=assessed("web1", line="auto: there is no nmap on PATH that runs"),
)
def test_no_nmap_where_any_engine_will_do(audit: Auditing, told: Telling, scanner: Inside) -> None:
    scanner.own_folder("/usr/bin")
    scanner.run("rm /usr/bin/nmap")
    told(audit())


@fault(
    "nmap-missing-udp",
    area="nmap",
    fault="nmap is not there, and a UDP service is declared",
    cause="nmap is removed from the scanner before the first audit of a host with a real dnsmasq",
    says=assessed("dns1", line="`udp/53`"),
)
def test_no_nmap_and_a_udp_service(audit: Auditing, told: Telling, scanner: Inside) -> None:
    scanner.own_folder("/usr/bin")
    scanner.run("rm /usr/bin/nmap")
    name = {"port": 53, "reachable_from": "any", "justification": "Name service", "owner": "platform"}
    silent = {"port": 514, "protocol": "udp", "justification": "Syslog, for itself", "owner": "platform"}
    declared = [{**name, "service": "dns"}, {**name, "protocol": "udp", "service": "domain"}, silent]
    run = audit("dns1", audit_scan_versions=True, vigil_ports__dns=declared)
    told(run)
    judged = {
        (row["rule"], row["status"])
        for row in run.results()["findings"]
        if (row["protocol"], row["port"]) == ("udp", 53) and row["vantage"] == "office"
    }
    assert {("blocked-service", "pass"), ("wrong-service", "pass")} <= judged


@fault(
    "nmap-killed",
    area="nmap",
    fault="nmap is killed",
    cause="SIGKILL to the real nmap as soon as it runs",
    says=not_assessed(*UNSEEN, line="nmap ended with status 137"),
)
def test_nmap_is_killed(audit: Auditing, told: Telling, scanner: Inside) -> None:
    instead_of_nmap(scanner, 'nmap.real "$@" & kill -9 $!; wait $!')
    told(audit())


@fault(
    "nmap-out-of-memory",
    area="nmap",
    fault="nmap gets no more memory",
    cause="ulimit -v of 30 MB around the real nmap",
    says=not_assessed(*UNSEEN, line="nmap ended with status"),
)
def test_nmap_without_memory(audit: Auditing, told: Telling, scanner: Inside) -> None:
    instead_of_nmap(scanner, 'ulimit -v 30000; exec nmap.real "$@"')
    told(audit())


@fault(
    "nmap-host-down",
    area="nmap",
    fault="nmap calls the host down, though it is told to ask all the same",
    cause="the real nmap and an address to which nobody answers ARP",
    says=not_assessed("web1:scan-failed@office:198.18.0.67", line="the host is down"),
)
def test_a_host_that_nmap_calls_down(audit: Auditing, told: Telling) -> None:
    told(audit(vigil_addresses=["198.18.0.67"]))


@fault(
    "nmap-without-the-host",
    area="nmap",
    fault="nmap ends with success, and its report does not name the host",
    cause="the real nmap, out of whose report and output a script takes the host, ending with 0",
    says=not_assessed(*UNSEEN, line="nmap ended with success and said nothing about 198.18.0.11"),
)
def test_a_report_without_the_host(audit: Auditing, told: Telling, scanner: Inside) -> None:
    instead_of_nmap(scanner, f'nmap.real "$@" > /dev/null; {OPTION}; sed -i "/<host /,/<\\/host>/d" $xml')
    told(audit())


@fault(
    "nmap-report-cut",
    area="nmap",
    fault="The report of nmap breaks off",
    cause="the real nmap, whose report a script cuts inside of the host, ending with 0",
    says=not_assessed(*PARTLY_SEEN, line="did not come to a good end"),
)
def test_a_report_that_breaks_off(audit: Auditing, told: Telling, scanner: Inside) -> None:
    instead_of_nmap(scanner, f'nmap.real "$@"; {OPTION}; sed -i "/<ports>/,\\$d" $xml')
    told(audit())


@fault(
    "nmap-report-empty",
    area="nmap",
    fault="The report of nmap is empty",
    cause="the real nmap, whose report a script empties, ending with 0",
    says=not_assessed(*PARTLY_SEEN, line="nmap left no report that can be read"),
)
def test_an_empty_report(audit: Auditing, told: Telling, scanner: Inside) -> None:
    instead_of_nmap(scanner, f'nmap.real "$@"; {OPTION}; : > $xml')
    told(audit())


@fault(
    "nmap-warns",
    area="nmap",
    fault="nmap warns on standard error",
    cause="the real nmap, before which a script prints a warning",
    says=assessed("web1", line="RTTVAR has grown"),
)
def test_warnings_cost_no_result(audit: Auditing, told: Telling, scanner: Inside) -> None:
    instead_of_nmap(scanner, 'echo "RTTVAR has grown to over 2.3 seconds" >&2; exec nmap.real "$@"')
    told(audit())


@fault(
    "nmap-host-timeout",
    area="nmap",
    fault="nmap gives a host up",
    cause="the real nmap, a host that drops every packet, and audit_scan_host_timeout of a second",
    says=not_assessed(UNSEEN[0], line="nmap gave up on this target: its time-out was over"),
)
def test_a_host_that_is_given_up(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.firewall(DROP_ALL)
    told(audit(vigil_addresses=["198.18.0.11"], audit_scan_host_timeout=1, audit_scan_target_rate=4))


@fault(
    "scan-time-up",
    area="nmap",
    fault="The time for the scan is up",
    cause="a host that drops every packet, and audit_scan_timeout of two seconds",
    says=not_assessed(UNSEEN[0], line="for the whole scan was over"),
)
def test_the_time_for_the_scan_is_up(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.firewall(DROP_ALL)
    told(audit(vigil_addresses=["198.18.0.11"], audit_scan_timeout=2, audit_scan_target_rate=4))


@fault(
    "hostile-banner",
    area="nmap",
    fault="A banner holds escapes, markup and bytes that XML forbids",
    cause="a real service that greets with them, asked for its version by the real nmap",
    says=assessed("hostile1", line="`tcp/4444`"),
)
def test_a_hostile_banner(audit: Auditing, told: Telling) -> None:
    declared = {"port": 4444, "reachable_from": "any", "justification": "Planted", "owner": "fleet"}
    run = audit("hostile1", audit_scan_versions=True, vigil_ports__planted=[declared])
    told(run)
    assert not any(b"\x1b" in path.read_bytes() for path in run.run.rglob("*.*"))


@fault(
    "nmap-report-illegal",
    area="nmap",
    fault="The report of nmap holds characters that XML forbids",
    cause="the real nmap, in whose report a script names a service by an escape sequence, as nmap#2657 does",
    says=assessed("web1", line="characters that XML forbids were made visible"),
)
def test_a_report_with_illegal_characters(audit: Auditing, told: Telling, scanner: Inside) -> None:
    change = 's/<service name="http"/<service name="ht\\&#x1b;[31mtp"/'
    instead_of_nmap(scanner, f"nmap.real \"$@\"; {OPTION}; sed -i '{change}' $xml")
    told(audit())


@fault(
    "nmap-cannot-send",
    area="nmap",
    fault="The scanner's own firewall drops the probes",
    cause="the real nmap, and a firewall of the scanner that lets nothing out to the host; a full table of connections "
    "is the same to nmap",
    says=not_assessed(UNSEEN[0], line="nmap could not send all its packets (Operation not permitted)"),
)
def test_probes_that_never_left_the_scanner(audit: Auditing, told: Telling, scanner: Inside) -> None:
    scanner.firewall("chain out { type filter hook output priority 0;\n ip daddr 198.18.0.11 drop;\n}")
    told(audit(vigil_addresses=["198.18.0.11"]))


@fault(
    "nmap-without-python-nmap",
    area="nmap",
    fault="The scanner has nmap, and not python-nmap",
    cause="the modules of the scanner run with the system's Python, which has nothing from pip",
    says=assessed("web1", line="nmap"),
)
def test_a_scanner_without_python_nmap(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"scan-office": {"ansible_python_interpreter": "/usr/bin/python3"}}))
