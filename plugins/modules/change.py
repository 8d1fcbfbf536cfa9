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
  - With O(state=open), opens a change window from the run before the change, with the plan of the ports that the change
    opens and closes on each host.
  - With O(state=closed), closes it from the run after the change, writes C(junit.xml) and C(report.md) with what was
    done as planned, planned but not done, and done but not planned on each host, and fails unless all of it is as
    planned.
  - A host or port that could not be assessed is not known. It never counts as planned or unchanged.
  - Windows are stored in C(changes) of the report directory. See C(docs/change-windows.md).
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
      - The plan or the outcome is shown, but no window is opened or closed.
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: none
options:
  change:
    description: The id of the change, as in the key C(change) of declarations.
    type: str
    required: true
  state:
    description: Whether the window is opened or closed.
    type: str
    choices: [open, closed]
    required: true
  step:
    description:
      - V(check) checks whether the window could be opened or closed, before any host is contacted.
      - V(plan) checks whether there is a plan, from the run in which declarations were gathered.
      - V(record) opens or closes the window.
    type: str
    choices: [check, plan, record]
    default: record
  report_dir:
    description: The directory of the runs on the control node.
    type: path
    required: true
  run_dir:
    description: The run before the change, or after it. It must be sealed for O(step=record).
    type: path
  since:
    description:
      - A git revision of the inventory. The plan is then the difference between the declarations of this revision and
        the current ones.
      - If empty, the plan consists of the entries with the id of the change.
    type: str
    default: ""
  nothing:
    description: The change must not change any port, for example an upgrade of packages.
    type: bool
    default: false
  again:
    description: Opens another window for a change whose last window was closed. The closed one is kept.
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

- name: Report the outcome of the change
  vigil.ports.change:
    change: CHG-1042
    state: closed
    report_dir: vigil-reports
    run_dir: "{{ audit_run.run_dir }}"
  run_once: true
"""

RETURN = r"""
hosts:
  description: The hosts of the window; before it is closed, only those in the inventory.
  type: list
  elements: str
  returned: when it is opened or checked
  sample: [cache1, web1]
planned:
  description: Number of planned openings and closings.
  type: int
  returned: when it is opened or planned
  sample: 2
window:
  description: The directory of the window.
  type: str
  returned: when it is opened or closed
  sample: /srv/vigil/runs/changes/%43%48%47-1042
passed:
  description: Whether everything was done as planned and could be assessed.
  type: bool
  returned: when it is closed
  sample: true
counts:
  description: Number of each outcome.
  type: dict
  returned: when it is closed
  sample: {"as-planned": 2, "not-done": 0, "not-known": 0, "not-planned": 1, "note": 0}
"""
