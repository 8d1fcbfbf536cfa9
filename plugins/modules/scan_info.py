#!/usr/bin/python
# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: E402
# ansible-test wants the documentation before the imports.

"""The door of the scan: documentation, options and main(). The scan is in module_utils/_scan."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_info
short_description: Scan ports of hosts from a vantage point
version_added: 0.1.0
author:
  - vigil.ports maintainers (@vigil-ports)
description:
  - Scans addresses from the host that it runs on, which is the vantage point, and returns the state of every
    requested port, the reason for it, and the services on open ports.
  - The result shows what was scanned and what was not. A port whose state could not be determined is unknown, never
    filtered.
  - The engine is the program C(nmap), or the built-in connect engine, or a report of C(nmap) is imported. The structure
    of the result does not depend on the engine.
  - Scan only what you are allowed to scan.
requirements:
  - Linux and Python 3.8 or newer where the module runs
  - the program C(nmap) for O(engine=nmap)
options:
  targets:
    description:
      - The addresses to scan, each with the host that it belongs to.
      - Required unless O(engine=import), where they map the addresses of the report to hosts.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The name under which the result is returned, for example the inventory name.
        type: str
        required: true
      address:
        description:
          - An IPv4 or IPv6 address, or a name that resolves on the vantage point. Each address of a name is scanned.
          - Anything else is refused, and the other targets are scanned.
        type: str
        required: true
      listening:
        description:
          - The TCP ports that the host itself says it listens on, whether they can be reached or not, written like
            O(ports). Those of them that were asked for and did not answer open are asked again with O(confirm).
        type: list
        elements: raw
        default: []
      own_addresses:
        version_added: 0.2.0
        description:
          - The addresses that O(targets[].address) may resolve to when it is a name. A name that resolves to another is
            refused, so that nobody else is scanned when the name leads elsewhere.
          - Without this option it may resolve to any.
        type: list
        elements: str
      open:
        version_added: 0.3.0
        description:
          - TCP ports that an earlier call found open. When some target has this or O(targets[].open_udp), the call asks
            what answers there and no port for its state, so it goes without O(ports), O(udp_ports) and O(top_ports).
          - So the ports of all targets are asked at the same time, and each port once for several calls. The result has
            RV(targets[].endpoints), and no RV(targets[].states).
        type: list
        elements: raw
        default: []
      open_udp:
        version_added: 0.3.0
        description: UDP ports, like O(targets[].open).
        type: list
        elements: raw
        default: []
  ports:
    description: TCP ports, as integers, or as ranges such as V(8000-8010).
    type: list
    elements: raw
    default: []
  udp_ports:
    description:
      - UDP ports, written like O(ports).
      - With O(engine=nmap) they need root. Name the few that matter, since a host answers about one closed UDP port a
        second.
    type: list
    elements: raw
    default: []
  top_ports:
    description:
      - Adds so many TCP ports that are found open most often to O(ports).
      - The list is that of the C(nmap) on the vantage point, or a short built-in one without it.
    type: int
    default: 0
  canaries:
    description:
      - Asks so many TCP ports that nobody uses besides O(ports), chosen anew by chance, from 1024 up. 0 for none, else
        2 to 64.
      - When at least two of them and half of all answer open on a target, a tarpit, a SYN proxy or a DDoS shield
        answers there. The target is V(untrusted) then, and asked nothing more.
    type: int
    default: 0
  confirm:
    description:
      - Asks a second time, at a fifth of O(rate) and with one more retry, the TCP ports that were open and those that
        contradict O(targets[].listening).
      - A later answer counts, and silence is no answer. What changed is in the reason of the port, such as
        V(reset, first seen open), and in RV(coverage.problems) as V(not-confirmed) or V(missed-at-first).
    type: bool
    default: false
  engine:
    description: How to scan.
    type: str
    default: auto
    choices:
      auto: C(nmap) where the program is there and may send raw packets, else V(connect). The result says why.
      nmap: The program C(nmap) with SYN packets. Where it may not send them, the module makes the connects itself,
        because C(nmap) calls filtered what its own machine refused to send. C(nmap) is then asked only what answers.
      connect: TCP connects by the module itself. UDP by connected sockets. Needs no program and no
        privileges, and recognises the common services only.
      import: Reads the report O(import_file) and sends nothing.
  import_file:
    description: Path of a report in XML by C(nmap -oX), on the host that the module runs on. For O(engine=import).
    type: path
  versions:
    description:
      - Whether to find out what answers on each open port, and where it says so which product and version.
      - The module itself recognises greetings and the answers to a few harmless questions (HTTP, TLS and what is
        inside it, Redis, PostgreSQL, DNS), all ports at the same time and none longer than 8 seconds. With
        O(engine=nmap) the program is asked for what is left, with short waits, rare questions only on the ports that
        they are known for.
    type: bool
    default: true
  scripts:
    description: Names of C(nmap) scripts, such as V(banner), to run on each open port with O(engine=nmap).
    type: list
    elements: str
    default: []
  rate:
    description: Packets a second for the whole scan, over all targets, 1 to 1000000.
    type: int
    default: 500
  target_rate:
    description:
      - Packets a second for each target, 0 for no limit of its own. The scan then sends at most O(rate), and at most
        O(target_rate) times the number of addresses that are scanned together, which are those of one family.
    type: int
    default: 0
  retries:
    description: How often a silent port is asked again, 0 to 10.
    type: int
    default: 1
  timeout:
    description: Seconds for the whole call, 0 for no limit. What was seen by then is returned, the rest is unknown.
    type: int
    default: 3600
  host_timeout:
    description:
      - Seconds for each target in each pass, 0 for no limit. What was seen by then is kept.
      - With O(engine=nmap) these are the open ports only; the others of a target that takes longer are unknown.
    type: int
    default: 0
attributes:
  check_mode:
    description: Can run in check mode and return the same result; it never changes anything.
    support: full
  diff_mode:
    description: Shows what has changed or would change in diff mode.
    support: N/A
  platform:
    description: The platforms that the module runs on.
    support: full
    platforms: posix
extends_documentation_fragment: []
seealso:
  - module: vigil.ports.listeners_info
"""

EXAMPLES = r"""
- name: See the web server from the DMZ
  vigil.ports.scan_info:
    targets:
      - host: web1
        address: 192.0.2.10
      - host: web1
        address: "2001:db8::10"
    ports:
      - 22
      - 443
      - 8000-8010
    udp_ports:
      - 53
  delegate_to: scanner.dmz.example
  register: seen

- name: Nothing but the web may be open
  ansible.builtin.assert:
    that:
      - seen.coverage.complete
      - item.endpoints | map(attribute='port') | difference([443]) | length == 0
  loop: "{{ seen.targets }}"
  loop_control:
    label: "{{ item.host }} {{ item.address }}"

- name: All TCP ports, without nmap and without root, within ten minutes
  vigil.ports.scan_info:
    targets:
      - host: db1
        address: db1.example.com
    ports:
      - 1-65535
    engine: connect
    rate: 1000
    timeout: 600

- name: Read the report of a scanning vendor
  vigil.ports.scan_info:
    engine: import
    import_file: /srv/reports/vendor-scan.xml
    targets:
      - host: web1
        address: 192.0.2.10
"""

RETURN = r"""
targets:
  description: What was seen of each address that was asked for. A name with several addresses has several entries.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: The host as it was given.
      type: str
      sample: web1
    address:
      description: The address that was scanned, or the text that was given if it was refused or does not resolve.
      type: str
      sample: 192.0.2.10
    given:
      description: The text that was given as the address. Each address that a name resolved to has it.
      type: str
      sample: web1.example.com
    canaries:
      description: What the O(canaries) answered, by state. It tells what the address does with any other port.
      type: list
      elements: dict
      contains:
        state:
          description: V(open), V(closed) or V(filtered).
          type: str
          sample: filtered
        ports:
          description: The ports.
          type: str
          sample: 11730,28114,50221
    status:
      description:
        - V(complete) when the state of every port asked for is known, V(partial) when that of some is, V(failed) when
          nothing is known, and V(refused) when the target is neither an address nor a host name.
        - V(untrusted) when ports that nobody uses answered open. What is in RV(targets[].states) then was seen, and
          says nothing about the host.
      type: str
      sample: complete
    reason:
      description: Why it is not complete.
      type: str
      sample: null
    states:
      description: The ports by what was found. Each port is in one row at most.
      type: list
      elements: dict
      contains:
        protocol:
          description: V(tcp) or V(udp).
          type: str
          sample: tcp
        state:
          description: V(open), V(closed), V(filtered) or V(open|filtered).
          type: str
          sample: filtered
        reason:
          description:
            - What came back, in the words of C(nmap). V(no-response) when nothing did.
            - With O(confirm) what was seen at first is behind a comma, where it differs.
          type: str
          sample: no-response
        ports:
          description: The ports, as numbers and ranges.
          type: str
          sample: 1-21,23-79
    unknown:
      description: The ports that were asked for and of which nothing is known. They are not filtered.
      type: list
      elements: dict
      contains:
        protocol:
          description: V(tcp) or V(udp).
          type: str
          sample: udp
        ports:
          description: The ports, as numbers and ranges.
          type: str
          sample: "53"
    endpoints:
      description: Each port that is open or open|filtered.
      type: list
      elements: dict
      contains:
        protocol:
          description: V(tcp) or V(udp).
          type: str
          sample: tcp
        port:
          description: The port.
          type: int
          sample: 443
        state:
          description: V(open) or V(open|filtered).
          type: str
          sample: open
        reason:
          description: What came back.
          type: str
          sample: syn-ack
        identification:
          description:
            - Whether it was asked what answers there, and what came of it. V(not-asked), V(identified),
              V(timed-out) when nothing answered any question in the time there was, and V(not-identified) when
              something answered or hung up and it cannot be told what it is.
            - A name that was only looked up by the port number identifies nothing.
          type: str
          sample: identified
        service:
          description: What answers, or null where it was not looked for. Text from outside, made visible.
          type: dict
          contains:
            name:
              description: The name of the service.
              type: str
              sample: http
            product:
              description: The product.
              type: str
              sample: nginx
            version:
              description: Its version.
              type: str
              sample: 1.22.1
            extra:
              description: What else was found.
              type: str
              sample: null
            tunnel:
              description: V(ssl) where the service is inside TLS.
              type: str
              sample: ssl
            method:
              description: V(probed) when the service was asked, V(table) when the port number was only looked up.
              type: str
              sample: probed
            confidence:
              description: How sure C(nmap) is, 0 to 10.
              type: int
              sample: 10
            cpes:
              description: Common Platform Enumeration names.
              type: list
              elements: str
              sample: ["cpe:/a:igor_sysoev:nginx:1.22.1"]
        scripts:
          description: What the scripts wrote. Text from outside, made visible.
          type: list
          elements: dict
          contains:
            id:
              description: The name of the script.
              type: str
              sample: banner
            output:
              description: What it wrote.
              type: str
              sample: SSH-2.0-OpenSSH_9.2p1
machine:
  description:
    - Which machine answered. A name of the inventory may lead to another one than it seems to.
    - RV(machine.id) is the same for years, and clones of one image share it. RV(machine.stack) changes with each boot,
      and no two network stacks have the same.
  returned: always
  type: dict
  contains:
    id:
      description: A digest of C(machine-id), V(null) where the system has none.
      type: str
      sample: 5c8e1d0f7b3a4e6f9a2b1c0d3e4f5a6b
    stack:
      description: A digest of the kernel's boot id and of the network namespace, V(null) where they are not known.
      type: str
      sample: 0d3e4f5a6b5c8e1d0f7b3a4e6f9a2b1c
    addresses:
      description: The machine's addresses, without those of loopback.
      type: list
      elements: str
      sample: ["192.0.2.10", "2001:db8::10"]
coverage:
  description: What was looked at, how, and what was not.
  returned: success
  type: dict
  contains:
    started:
      description: When the scan began, in UTC.
      type: str
      sample: "2026-11-20T13:15:00Z"
    finished:
      description: When it ended, in UTC.
      type: str
      sample: "2026-11-20T13:15:04Z"
    engine:
      description: V(nmap), V(connect) or V(import).
      type: str
      sample: nmap
    engine_version:
      description: The version of the engine.
      type: str
      sample: "7.93"
    why:
      description: Why this engine was taken, and whose list the top ports are from.
      type: str
      sample: "auto: nmap 7.93 is there"
    technique:
      description: V(syn) or V(connect) for TCP, null where a report does not say.
      type: str
      sample: syn
    privileged:
      description: Whether raw packets could be sent.
      type: bool
      sample: true
    rate:
      description: Packets a second at most, as asked for, null for an imported report. RV(coverage.commands) has what
        C(nmap) was told.
      type: int
      sample: 500
    target_rate:
      description: Packets a second for each target at most, as asked for. 0 for no limit of its own, null for an
        imported report.
      type: int
      sample: 100
    retries:
      description: How often a silent port was asked again, null for an imported report.
      type: int
      sample: 1
    confirm_rate:
      description: Packets a second at most of the second, slow pass, null where there was none.
      type: int
      sample: 100
    canaries:
      description: The TCP ports that nobody uses that were asked too. Empty when there were none.
      type: str
      sample: 18301,40713,61022
    asked:
      description: The ports that were asked for on each address.
      type: dict
      contains:
        tcp:
          description: TCP ports.
          type: str
          sample: 22,443,8000-8010
        udp:
          description: UDP ports.
          type: str
          sample: "53"
    sent:
      description: Probes sent, null where C(nmap) does not say.
      type: int
      sample: 14
    answered:
      description: Ports, over all addresses, that something answered for.
      type: int
      sample: 14
    timed_out:
      description: Ports, over all addresses, for which nothing came back.
      type: int
      sample: 0
    commands:
      description: The exact commands that were run, each a list of arguments.
      type: list
      elements: list
      sample: [["/usr/bin/nmap", "-n", "-Pn", "-v", "--privileged", "-sS", "-p", "22,443", "192.0.2.10"]]
    complete:
      description: Whether everything that was asked for was looked at, on every target.
      type: bool
      sample: true
    problems:
      description: What limits the use of this result, and notes such as how a name was resolved.
      type: list
      elements: dict
      contains:
        code:
          description: A name for this kind of problem.
          type: str
          sample: udp-needs-root
        message:
          description: A sentence about it.
          type: str
          sample: "UDP needs root or CAP_NET_RAW on the scanner: every UDP port asked for is unknown"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import addresses_here
from ansible_collections.vigil.ports.plugins.module_utils._machine import machine
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop, stopping_on_signals
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanError
from ansible_collections.vigil.ports.plugins.module_utils._scan.scan import Surroundings, scan

_TARGET = {
    "host": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "listening": {"type": "list", "elements": "raw", "default": []},
    "own_addresses": {"type": "list", "elements": "str"},
    "open": {"type": "list", "elements": "raw", "default": []},
    "open_udp": {"type": "list", "elements": "raw", "default": []},
}
_ARGUMENTS = {
    "targets": {"type": "list", "elements": "dict", "default": [], "options": _TARGET},
    "ports": {"type": "list", "elements": "raw", "default": []},
    "udp_ports": {"type": "list", "elements": "raw", "default": []},
    "top_ports": {"type": "int", "default": 0},
    "canaries": {"type": "int", "default": 0},
    "confirm": {"type": "bool", "default": False},
    "engine": {"type": "str", "default": "auto", "choices": ["auto", "nmap", "connect", "import"]},
    "import_file": {"type": "path"},
    "versions": {"type": "bool", "default": True},
    "scripts": {"type": "list", "elements": "str", "default": []},
    "rate": {"type": "int", "default": 500},
    "target_rate": {"type": "int", "default": 0},
    "retries": {"type": "int", "default": 1},
    "timeout": {"type": "int", "default": 3600},
    "host_timeout": {"type": "int", "default": 0},
}


def main() -> None:
    """Scan, and return what was seen."""
    module = AnsibleModule(argument_spec=_ARGUMENTS, supports_check_mode=True)
    stop = Stop(max(0, module.params["timeout"]), answer_to=1)
    try:
        with stopping_on_signals(stop):
            found = scan(module.params, Surroundings(module.tmpdir), stop)
    except ScanError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, machine=machine(addresses_here()), **found)


if __name__ == "__main__":
    main()
