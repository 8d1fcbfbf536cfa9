#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run
short_description: Open a run of the audit
version_added: 0.1.0
description:
  - Checks what is asked for, before anything is looked at, and makes the run directory with the scope of the run.
  - The first stage of the role P(vigil.ports.audit#role). Run it once in a play (C(run_once)).
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  run_dir:
    description:
      - Not an option of this stage; it returns RV(run_dir).
    required: false
  report_dir:
    description:
      - Where run directories are kept, on the control node. It is made when it is missing.
      - A relative path starts where C(ansible-playbook) was started.
    type: path
    required: true
  vantages:
    description:
      - The places to scan from. Each is a mapping with its C(name) and a list of C(scanners), which are inventory
        hosts or C(localhost) for the control node. With O(scan_depth=none) they need not be in the inventory.
    type: raw
    required: true
  label:
    description:
      - A few words about the run, shown in the reports.
    type: str
  date:
    description:
      - The day, as V(YYYY-MM-DD), against which expiry and reviews are judged. Default is today, in UTC.
      - With another day it is a what-if run, which no later stage records, tells of, counts or makes C(latest).
    type: str
  signing_key:
    description:
      - A private OpenSSH key, or a public one whose private half is in C(ssh-agent), to sign C(manifest.json) with.
      - The key is tried before anything is looked at. One that cannot be read, or that would ask for a passphrase, is
        an error; nothing waits for an answer.
      - Give M(vigil.ports.report) the same key. Without one the run is not signed, and its report says so.
    type: path
  fail_on:
    description:
      - The least severity of a failed finding that breaks the gate.
      - With V(never) the exit status stays 0, and the reports still show what is of severity C(low) or more as a
        breach.
    type: str
    choices: [info, low, medium, high, critical, never]
    default: medium
  accept_gaps:
    description:
      - Names of gaps that are accepted. What could not be assessed breaks the gate unless its gap is named here.
      - Text is an error, also text that holds a list.
    type: list
    elements: str
    default: []
  formats:
    description:
      - In what M(vigil.ports.report) reports the run. It is kept in the run, so that its reports can be made again.
      - With V(html) C(report.html), with V(junit) C(junit.xml), with V(markdown) C(report.md), C(summary.md) and
        C(ways-out.md).
    type: list
    elements: str
    choices: [html, junit, markdown]
    default: [html, junit, markdown]
    version_added: 0.3.0
  expiring_days:
    description:
      - How many days before its end an exception is reported as expiring.
    type: int
    default: 14
  too_broad_ports:
    description:
      - How many ports of a protocol a host may declare reachable from any vantage point, or except, in all entries
        together.
    type: int
    default: 500
  too_broad_days:
    description:
      - For how many days an exception may hold.
    type: int
    default: 730
  verify_bind:
    description:
      - Which ports M(vigil.ports.relist) tries with C(bind()) on the hosts that are listed again after the scans.
        V(all) lists every host again and tries all ports.
    type: str
    choices: [disagreements, all, never]
    default: disagreements
  every:
    description:
      - After how many seconds a run of the same O(label) is due, V(0) when none is.
      - The reports say how many are missing.
    type: int
    default: 0
  scan_depth:
    description:
      - Which TCP ports are asked from outside. UDP ports are only asked where they are declared or were seen listening.
      - V(none) asks none. The run looks from inside only. Every host is reported as not scanned, which breaks no gate.
      - V(known) asks those that are declared or were seen listening.
      - V(common) also asks the 1,000 most frequent ones.
      - V(full) asks all 65,535.
    type: str
    choices: [none, known, common, full]
    default: common
  scan_engine:
    description:
      - The scan engine, as M(vigil.ports.scan_info) takes it.
    type: str
    choices: [auto, nmap, connect]
    default: auto
  scan_versions:
    description:
      - Whether to identify the services on open ports. Only nmap can.
    type: bool
    default: true
  scan_rate:
    description:
      - Probes a second of each scanner, over all its targets.
    type: int
    default: 2000
  scan_target_rate:
    description:
      - Probes a second to each target. V(0) means no limit of its own.
    type: int
    default: 500
  scan_retries:
    description:
      - How often a silent port is asked again.
    type: int
    default: 1
  scan_timeout:
    description:
      - Seconds after which a scanner ends its scan, V(0) for no limit. What was seen by then is kept, the rest is not
        assessed.
    type: int
    default: 3600
  scan_host_timeout:
    description:
      - Seconds for each target in each call of the scanner, V(0) for no limit.
    type: int
    default: 0
seealso:
  - module: vigil.ports.evidence
  - module: vigil.ports.scan
  - module: vigil.ports.audit
  - module: vigil.ports.report
  - module: vigil.ports.gate
"""

EXAMPLES = r"""
- name: Open a run that is scanned from the control node
  vigil.ports.run:
    report_dir: vigil-reports
    vantages:
      - name: control
        scanners: [localhost]
  register: opened
  run_once: true
"""

RETURN = r"""
run_dir:
  description: The run directory, as the other stages take it.
  type: str
  returned: success
  sample: /srv/audits/20261120T131500Z-1f0c2a
run_id:
  description: The name of the run. Names sort by time.
  type: str
  returned: success
  sample: 20261120T131500Z-1f0c2a
hosts:
  description: The hosts in scope, which are all hosts of the play.
  type: list
  elements: str
  returned: success
  sample: [web1, web2]
shares:
  description: One entry for each scanner of each vantage point, as M(vigil.ports.scan) takes it.
  type: list
  elements: dict
  returned: success
  sample:
    - vantage: control
      scanner: localhost
      index: 0
      of: 1
"""
