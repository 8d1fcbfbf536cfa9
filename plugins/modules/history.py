#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: history
short_description: Ask what earlier runs saw, or record a run
version_added: 0.2.0
description:
  - Before the scan (O(step=recall)) it writes what history knows of the hosts of the run into
    C(evidence/history.json), so that M(vigil.ports.audit) can say what changed, and M(vigil.ports.scan)
    asks again for ports that were open when they were last asked. Complete runs of the report directory
    that were not recorded are recorded first.
  - After the sealing (O(step=record)) it records the run.
  - A database that is locked, full, broken, of a newer version or out of reach fails no run. It is said as a
    warning and in the reports, and the run is recorded by a later one.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
attributes:
  check_mode:
    details:
      - A run in check mode, and one that is judged as of another day, is compared with earlier ones, and not recorded.
options:
  step:
    description: Which of both to do.
    type: str
    choices: [recall, record]
    required: true
  history:
    description: Whether history is kept. With V(false) the run says so, and no later run records it by itself.
    type: bool
    default: true
  url:
    description:
      - The database. Empty means SQLite in C(history.db) of the report directory.
      - For PostgreSQL V(postgresql://USER:PASSWORD@HOST/DATABASE), for which the control node needs psycopg; for SQLite
        elsewhere V(sqlite:////absolute/path.db).
      - It is a secret where it holds a password, which is never printed nor written.
    type: str
    default: ""
  keep_days:
    description: For how many days runs are kept, V(0) for ever.
    type: int
    default: 400
seealso:
  - module: vigil.ports.timeline
  - module: vigil.ports.history_rebuild
"""

EXAMPLES = r"""
- name: Ask what was known before
  vigil.ports.history:
    run_dir: "{{ opened.run_dir }}"
    step: recall
  run_once: true
"""

RETURN = r"""
state:
  description:
    - Of V(recall) what the evidence says, V(ok), V(first run), V(off), V(unavailable), or V(written already).
    - Of V(record) what became of the run, V(recorded), V(known), V(too old), V(check mode), V(not recorded) or V(off).
  type: str
  returned: success
  sample: recorded
"""
