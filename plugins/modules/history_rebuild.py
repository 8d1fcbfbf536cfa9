#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: history_rebuild
short_description: Record every run of a report directory that is not recorded
version_added: 0.2.0
description:
  - Makes history again from run directories, after the database was lost or where none was kept.
  - An SQLite database that is broken is set aside under another name, and made anew.
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
      - Where run directories are kept on the control node, as C(audit_report_dir).
    type: path
    required: true
  url:
    description:
      - The database. Empty means SQLite in C(history.db) of the report directory.
      - For PostgreSQL V(postgresql://USER:PASSWORD@HOST/DATABASE), for which the control node needs psycopg; for SQLite
        elsewhere V(sqlite:////absolute/path.db).
      - It is a secret where it holds a password, which is never printed nor written.
    type: str
    default: ""
seealso:
  - module: vigil.ports.history
"""

EXAMPLES = r"""
- name: Record what is not recorded
  vigil.ports.history_rebuild:
    report_dir: vigil-reports
  delegate_to: localhost
"""

RETURN = r"""
recorded:
  description:
    - How many runs were recorded. Those that were known already, or made in check mode or as of another day, do not
      count.
  type: int
  returned: success
  sample: 12
set_aside:
  description: Where the broken database is now, null when it was not broken.
  type: str
  returned: success
  sample: vigil-reports/history.db.broken-1
msg:
  description: What was done.
  type: str
  returned: success
  sample: 12 runs were recorded
"""
