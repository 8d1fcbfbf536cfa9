#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: history
short_description: Read the history of earlier runs, or record a run
version_added: 0.2.0
description:
  - With O(step=recall), before the scan, it writes the history of the hosts of the run to C(evidence/history.json).
    M(vigil.ports.audit) uses it to report changes, and M(vigil.ports.scan) to include ports that were open in the last
    scan. Complete runs of the report directory that are not recorded yet are recorded first.
  - With O(step=record), after the run was sealed, it records the run.
  - A database that is locked, full, corrupt, unreachable or has a newer schema does not fail the run. It causes a
    warning and is stated in the reports, and a later run records this one.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
attributes:
  check_mode:
    details:
      - Runs in check mode and what-if runs are compared with earlier runs, but not recorded.
options:
  step:
    description: Whether to read the history or to record the run.
    type: str
    choices: [recall, record]
    required: true
  history:
    description: Whether history is used. With V(false) the run says so, and later runs do not record it automatically.
    type: bool
    default: true
  url:
    description:
      - The database. Empty means SQLite in C(history.db) of the report directory.
      - For PostgreSQL V(postgresql://USER:PASSWORD@HOST/DATABASE), for which the control node needs psycopg; for SQLite
        elsewhere V(sqlite:////absolute/path.db).
      - Keep it secret if it contains a password. The password is never printed or written.
    type: str
    default: ""
  keep_days:
    description: Number of days to keep runs, V(0) for ever.
    type: int
    default: 400
seealso:
  - module: vigil.ports.timeline
  - module: vigil.ports.history_rebuild
"""

EXAMPLES = r"""
- name: Read the history
  vigil.ports.history:
    run_dir: "{{ opened.run_dir }}"
    step: recall
  run_once: true
"""

RETURN = r"""
state:
  description:
    - For V(recall), the state in the evidence, V(ok), V(first run), V(off), V(unavailable), or V(written already).
    - For V(record), the result, V(recorded), V(known), V(too old), V(check mode), V(not recorded) or V(off).
  type: str
  returned: success
  sample: recorded
"""
