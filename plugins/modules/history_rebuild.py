#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: history_rebuild
short_description: Record all runs of a report directory that are missing in the history
version_added: 0.2.0
description:
  - Rebuilds the history from run directories, for example after the database was lost.
  - A corrupt SQLite database is renamed first, and a new one is created.
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
    support: none
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: none
options:
  report_dir:
    description:
      - The directory of the runs on the control node, as C(audit_report_dir).
    type: path
    required: true
  url:
    description:
      - The database. Empty means SQLite in C(history.db) of the report directory.
      - For PostgreSQL V(postgresql://USER:PASSWORD@HOST/DATABASE), for which the control node needs psycopg; for SQLite
        elsewhere V(sqlite:////absolute/path.db).
      - Keep it secret if it contains a password. The password is never printed or written.
    type: str
    default: ""
seealso:
  - module: vigil.ports.history
"""

EXAMPLES = r"""
- name: Record missing runs
  vigil.ports.history_rebuild:
    report_dir: vigil-reports
  delegate_to: localhost
"""

RETURN = r"""
recorded:
  description:
    - Number of runs that were recorded. Known runs, runs in check mode and what-if runs do not count.
  type: int
  returned: success
  sample: 12
set_aside:
  description: New path of the corrupt database, null if it was not corrupt.
  type: str
  returned: success
  sample: vigil-reports/history.db.broken-1
msg:
  description: The result.
  type: str
  returned: success
  sample: 12 runs were recorded
"""
