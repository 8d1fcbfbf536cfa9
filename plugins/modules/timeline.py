#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: timeline
short_description: Show the history of ports and findings
version_added: 0.2.0
description:
  - Prints and returns when ports opened and closed, and when findings were opened, excepted and resolved.
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
  host:
    description: Only this inventory host.
    type: str
  port:
    description: Only this port, such as V(443) or V(tcp/443), or the declared range, such as V(8000-8010).
    type: str
  finding:
    description: Only this finding, by its id in the reports or the first characters of it.
    type: str
seealso:
  - module: vigil.ports.history
"""

EXAMPLES = r"""
- name: Show the history of a port
  vigil.ports.timeline:
    report_dir: vigil-reports
    host: web1
    port: "8080"
  delegate_to: localhost
"""

RETURN = r"""
lives:
  description: The matching endpoints and findings, sorted by host.
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
      description: The vantage point, null for evidence from the host itself.
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
      description: The time of the last change of its state.
      type: str
      returned: always
    now:
      description: The last known state.
      type: str
      returned: always
    events:
      description: The changes, oldest first.
      type: list
      elements: dict
      returned: always
      contains:
        at:
          description: The start of the run that detected the change.
          type: str
          returned: always
        run_id:
          description: The id of this run.
          type: str
          returned: always
        kind:
          description: The kind of change.
          type: str
          returned: always
        before:
          description: The state before.
          type: str
          returned: always
        after:
          description: The state after.
          type: str
          returned: always
        seconds:
          description: The duration of the state in seconds, null if it has not changed since.
          type: int
          returned: always
"""
