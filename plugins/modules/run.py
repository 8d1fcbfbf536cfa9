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
  - Validates the options before any host is contacted, and creates the run directory with the scope of the run.
  - The first stage of the role P(vigil.ports.audit#role). Run it once in a play (C(run_once)).
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  run_dir:
    description:
      - Not used by this stage; it returns RV(run_dir).
    required: false
  report_dir:
    description:
      - The directory of the runs on the control node. It is created if it is missing.
      - A relative path starts in the directory where C(ansible-playbook) was started.
    type: path
    required: true
  vantages:
    description:
      - The vantage points. Each is a mapping with its C(name) and a list of C(scanners), which are inventory
        hosts or C(localhost) for the control node. With O(scan_depth=none) they need not be in the inventory.
    type: raw
    required: true
  label:
    description:
      - A short label of the run, shown in the reports.
    type: str
  date:
    description:
      - The day, as V(YYYY-MM-DD), as of which expiry and reviews are judged. Default is today, in UTC.
      - With another day it is a what-if run, which is not recorded, sends no alerts, writes no metrics, and does not
        become C(latest).
    type: str
  signing_key:
    version_added: 0.2.0
    description:
      - A private OpenSSH key, or a public one whose private half is in C(ssh-agent), to sign C(manifest.json) with.
      - The key is tested before any host is contacted. A key that cannot be read, or that would ask for a passphrase,
        is an error.
      - Give M(vigil.ports.report) the same key. Without a key the run is not signed, and its report says so.
    type: path
  part:
    description:
      - The name of a campaign. The run is then one part of it. It is made in C(parts/CAMPAIGN) of O(report_dir), and
        has no verdict; M(vigil.ports.merge) judges all parts together.
      - Scanners of a part need not be in the inventory, but for those of O(part_vantages).
    type: str
    default: ""
    version_added: 0.3.0
  part_inside:
    description:
      - Whether the part lists its hosts from inside. With V(false) it only scans them.
    type: bool
    default: true
    version_added: 0.3.0
  part_vantages:
    description:
      - The vantage points that the part scans from, by their names. By default it does not scan.
    type: list
    elements: str
    default: []
    version_added: 0.3.0
  fail_on:
    description:
      - The lowest severity of a finding that fails the run.
      - With V(never) the exit status is 0, but the reports still show findings of severity C(low) or higher as
        failures.
    type: str
    choices: [info, low, medium, high, critical, never]
    default: medium
  accept_gaps:
    description:
      - Names of accepted gaps. Any other gap fails the run.
      - Text is an error, even if it contains a list.
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
      - Days before its end on which an exception is reported as expiring.
    type: int
    default: 14
  too_broad_ports:
    version_added: 0.3.0
    description:
      - How many ports of a protocol a host may declare reachable from any vantage point, or except, in all entries
        together.
    type: int
    default: 500
  too_broad_days:
    version_added: 0.3.0
    description:
      - For how many days an exception may hold.
    type: int
    default: 730
  verify_bind:
    version_added: 0.2.0
    description:
      - Which ports M(vigil.ports.relist) tries with C(bind()) on the hosts that are listed again after the scans.
        V(all) lists every host again and tries all ports.
    type: str
    choices: [disagreements, all, never]
    default: disagreements
  every:
    version_added: 0.2.0
    description:
      - After how many seconds a run of the same O(label) is due, V(0) when none is.
      - The reports say how many are missing.
    type: int
    default: 0
  scan_depth:
    description:
      - Which TCP ports are scanned. UDP ports are only scanned if they are declared or were seen listening.
      - V(none) scans no ports. Every host is reported as not scanned, which does not fail the run.
      - V(known) scans ports that are declared or were seen listening.
      - V(common) also scans the 1,000 most frequent ports.
      - V(full) scans all 65,535 ports.
    type: str
    choices: [none, known, common, full]
    default: common
  scan_engine:
    description:
      - The scan engine, as for M(vigil.ports.scan_info).
    type: str
    choices: [auto, nmap, connect]
    default: auto
  scan_versions:
    description:
      - Whether to identify the services on open ports. Without nmap only common services are recognised.
    type: bool
    default: true
  scan_rate:
    description:
      - Probes per second of each scanner, over all its targets.
    type: int
    default: 2000
  scan_target_rate:
    description:
      - Probes per second to each target. V(0) means no additional limit.
    type: int
    default: 500
  scan_retries:
    description:
      - How many times a silent port is probed again.
    type: int
    default: 1
  scan_timeout:
    description:
      - Seconds after which a scanner ends its scan, V(0) for no limit. The results so far are kept, the rest is not
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
  description: The run directory, for the other stages.
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
  description: One entry for each scanner of each vantage point, for M(vigil.ports.scan).
  type: list
  elements: dict
  returned: success
  sample:
    - vantage: control
      scanner: localhost
      index: 0
      of: 1
"""
