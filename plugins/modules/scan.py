#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan
short_description: Scan the hosts of a run from a vantage point
version_added: 0.1.0
description:
  - Plans the scan from the evidence of the hosts, runs M(vigil.ports.scan_info) on the scanner, and writes the results
    to the run directory.
  - The scan is a series of short calls, known ports first. After each call the progress is printed, and the results so
    far are written.
  - Delegate the task to the scanner, after the evidence of all hosts was gathered.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  share:
    description:
      - The share of one scanner, from the shares returned by M(vigil.ports.run).
    type: dict
    required: true
    suboptions:
      vantage:
        description: The name of the vantage point.
        type: str
        required: true
      scanner:
        description: The inventory host that scans.
        type: str
        required: true
      index:
        description: The index of the scanner within the vantage point, from 0.
        type: int
        default: 0
      of:
        description: The number of scanners that share the targets.
        type: int
        default: 1
  left_over:
    description:
      - Take over the targets of lost scanners of the vantage point, after all scanners had their turn.
      - Does nothing if no scanner was lost, or if this scanner itself was lost.
    type: bool
    default: false
seealso:
  - module: vigil.ports.scan_info
"""

EXAMPLES = r"""
- name: Scan from each vantage point
  vigil.ports.scan:
    run_dir: "{{ opened.run_dir }}"
    share: "{{ item }}"
  loop: "{{ opened.shares }}"
  delegate_to: "{{ item.scanner }}"
  run_once: true
  ignore_unreachable: true
"""

RETURN = r"""
status:
  description: The result, V(scanned), or V(failed) or V(unreachable) if the scanner was lost.
  type: str
  returned: when the scanner was reached
  sample: scanned
targets:
  description: Number of addresses in its share.
  type: int
  returned: when the scanner was reached
  sample: 20
"""
