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
  - Plans from what the hosts of the run declare and show, runs M(vigil.ports.scan_info) where the task runs, and writes
    what was seen into the run directory.
  - The scan goes in short calls, what is known first. Between them the operator sees how far it is, and what was seen
    so far is written down.
  - Delegate the task to the scanner, after the evidence of all hosts is there.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  share:
    description:
      - The share of one scanner, from the shares that M(vigil.ports.run) returned.
    type: dict
    required: true
    suboptions:
      vantage:
        description: The name of the vantage point.
        type: str
        required: true
      scanner:
        description: The inventory host that stands there.
        type: str
        required: true
      index:
        description: Which of the vantage point's scanners it is, from 0.
        type: int
        default: 0
      of:
        description: How many scanners divide the targets among them.
        type: int
        default: 1
  left_over:
    description:
      - Take over what other scanners of the vantage point did not finish, after all of them had their turn.
      - Does nothing where none was lost, or where this scanner was lost itself.
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
  description: Whether the scanner could do its work, V(scanned), or was lost on the way, V(failed) or V(unreachable).
  type: str
  returned: when the scanner was reached
  sample: scanned
targets:
  description: How many addresses were in its share.
  type: int
  returned: when the scanner was reached
  sample: 20
"""
