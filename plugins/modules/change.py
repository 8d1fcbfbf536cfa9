#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: change
short_description: Open and close a change window
version_added: 0.2.0
description:
  - Opens a change window from the run that recorded the state before the change (O(state=open)), with the plan of what
    the change opens and closes on each host.
  - Closes it from the run after the change (O(state=closed)), writes C(junit.xml) and C(report.md) with what was done
    as planned, planned but not done, and done but not planned on each host, and fails when it is not all as planned.
  - A host or a port that could not be looked at is not known, and never counts as planned or unchanged.
  - Windows lie in C(changes) of the report directory. See C(docs/change-windows.md).
author:
  - vigil.ports maintainers (@vigil-ports)
attributes:
  action:
    description: >-
      Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  check_mode:
    description: >-
      Can run in C(check_mode) and return the status without modifying anything.
    support: full
    details:
      - The plan or the outcome is shown, and no window is opened or closed.
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: none
options:
  change:
    description: The id of the change, as the key C(change) of declarations carries it.
    type: str
    required: true
  state:
    description: Whether the window is opened or closed.
    type: str
    choices: [open, closed]
    required: true
  step:
    description:
      - With V(check) only whether the window could be opened or closed, before any host is looked at.
      - With V(plan) only whether there is a plan, from the run in which declarations were gathered.
      - With V(record) the window is opened or closed.
    type: str
    choices: [check, plan, record]
    default: record
  report_dir:
    description: Where run directories are kept, on the control node.
    type: path
    required: true
  run_dir:
    description: The run before the change, or after it. It must be sealed for O(step=record).
    type: path
  since:
    description:
      - A git revision of the inventory. The plan is then what is declared now and was not, and the other way round.
      - Empty means that the plan is what carries the id of the change.
    type: str
    default: ""
  nothing:
    description: The change is to change no port, as an upgrade of packages.
    type: bool
    default: false
  again:
    description: Opens a further window for a change whose last one was closed. The closed one is kept.
    type: bool
    default: false
  take_over:
    description: Closes a window that another user or another control node opened. The report says so.
    type: bool
    default: false
seealso:
  - module: vigil.ports.run
  - module: vigil.ports.timeline
"""

EXAMPLES = r"""
- name: Open a window from the run before the change
  vigil.ports.change:
    change: CHG-1042
    state: open
    report_dir: vigil-reports
    run_dir: "{{ audit_run.run_dir }}"
  run_once: true

- name: Say what came of the change
  vigil.ports.change:
    change: CHG-1042
    state: closed
    report_dir: vigil-reports
    run_dir: "{{ audit_run.run_dir }}"
  run_once: true
"""

RETURN = r"""
hosts:
  description: The hosts of the window; before it is closed those that are in the inventory.
  type: list
  elements: str
  returned: when it is opened or checked
  sample: [cache1, web1]
planned:
  description: How many openings and closings are planned.
  type: int
  returned: when it is opened or planned
  sample: 2
window:
  description: The directory of the window.
  type: str
  returned: when it is opened or closed
  sample: /srv/vigil/runs/changes/%43%48%47-1042
passed:
  description: Whether all is as planned, and known to be.
  type: bool
  returned: when it is closed
  sample: true
counts:
  description: How many of each outcome there are.
  type: dict
  returned: when it is closed
  sample: {"as-planned": 2, "not-done": 0, "not-known": 0, "not-planned": 1, "note": 0}
"""
