#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: timeline
short_description: Show when ports and findings began, what became of them, and how long that took
version_added: 0.2.0
description:
  - Shows what history knows of a host, a port or a finding, and returns it.
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
  host:
    description: Only this inventory host.
    type: str
  port:
    description: Only this port, as V(443), V(8000-8010) where a range is declared, or V(tcp/443).
    type: str
  finding:
    description: Only this finding, by its id as the reports show it, or by the first characters of that.
    type: str
seealso:
  - module: vigil.ports.history
"""

EXAMPLES = r"""
- name: Show what became of a port
  vigil.ports.timeline:
    report_dir: vigil-reports
    host: web1
    port: "8080"
  delegate_to: localhost
"""

RETURN = r"""
lives:
  description: Each endpoint and each finding that was asked for, in the order of hosts.
  type: list
  elements: dict
  returned: success
  contains:
    host:
      description: The inventory host.
      type: str
      returned: always
    finding:
      description: The id of the finding, null for an endpoint.
      type: str
      returned: always
    rule:
      description: The rule of the finding.
      type: str
      returned: always
    vantage:
      description: Where it was seen from, null for what was seen on the host itself.
      type: str
      returned: always
    namespace:
      description: The network namespace.
      type: str
      returned: always
    protocol:
      description: V(tcp), V(udp) or V(sctp).
      type: str
      returned: always
    port:
      description: A port, or a declared range.
      type: raw
      returned: always
    address:
      description: The address.
      type: str
      returned: always
    first_seen:
      description: The start of the first run that saw it.
      type: str
      returned: always
    last_seen:
      description: The start of the last run that saw it.
      type: str
      returned: always
    since:
      description: Since when it is as it is now.
      type: str
      returned: always
    now:
      description: What it is now, as far as is known.
      type: str
      returned: always
    events:
      description: What became of it, oldest first. C(seconds) is how long that lasted, null when it still does.
      type: list
      elements: dict
      returned: always
      contains:
        at:
          description: The start of the run that saw it.
          type: str
          returned: always
        run_id:
          description: That run.
          type: str
          returned: always
        kind:
          description: The kind of change.
          type: str
          returned: always
        before:
          description: What it was before.
          type: str
          returned: always
        after:
          description: What it was from then on.
          type: str
          returned: always
        seconds:
          description: How long it lasted.
          type: int
          returned: always
"""
