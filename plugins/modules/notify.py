#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notify
short_description: Notify the owners of ports about changes
version_added: 0.2.0
description:
  - Notifies the owner of a port about changes, through any service that Apprise supports. A finding is sent if it is
    new, if its severity increased, after O(remind_after), and when it is over. Each owner receives one message.
  - C(alerts.json) next to the runs records what was sent and what could not be delivered. A channel that fails causes a
    warning, not a failure; the next run sends its messages.
  - A finding is over if a run assessed it and it no longer fails, or if an exception excuses it. A run that could not
    assess it, or was not asked to, does not end it.
  - The channels are read from the variable C(notify_channels), a list of channels, each with a C(name), a list of
    C(urls) for Apprise, and a list of C(owners). A channel without C(owners) receives all other alerts, and one is
    required. It is not an option, because Ansible prints options that it cannot resolve, and the URLs are secrets.
    No part of a URL is printed or written except the name of its service.
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  step:
    description:
      - V(check) validates the channels and sends nothing. V(tell) sends.
    type: str
    choices: [check, tell]
    default: tell
  run_dir:
    description:
      - The run directory on the control node, as M(vigil.ports.run) returned it. Required with O(step=tell).
    type: path
  remind_after:
    description:
      - Days after which an open finding is sent again, V(0) for never.
    type: int
    default: 7
  min_severity:
    description:
      - The lowest severity that is sent. Gaps that are not accepted by name are always sent.
    type: str
    choices: [info, low, medium, high, critical]
    default: low
  report_url:
    description:
      - Base URL of the runs. The name of the run and C(report.md) are appended.
    type: str
    default: ""
  retries:
    description:
      - How many times an undelivered message is sent again in the same run.
    type: int
    default: 2
  timeout:
    description:
      - Seconds for the connection to a service, and seconds for its response.
    type: int
    default: 10
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
      - Nothing is sent or recorded; RV(planned) is the number of messages that would be sent.
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: none
requirements:
  - apprise
seealso:
  - module: vigil.ports.metrics
"""

EXAMPLES = r"""
- name: Notify the owners about changes in the last run
  vigil.ports.notify:
    run_dir: vigil-reports/latest
  vars:
    notify_channels:
      - name: operations
        urls: ["{{ vault_operations_url }}"]
      - name: web-slack
        owners: [web-team]
        urls: ["{{ vault_web_slack_url }}"]
  delegate_to: localhost
"""

RETURN = r"""
planned:
  description: Number of new messages, one for each owner with changes.
  type: int
  returned: with O(step=tell)
  sample: 2
delivered:
  description: Number of delivered messages, including queued ones of earlier runs.
  type: int
  returned: with O(step=tell)
  sample: 2
undelivered:
  description: Number of messages in the queue for the next run.
  type: int
  returned: with O(step=tell)
  sample: 0
targets:
  description: The names of the targets, each a channel with the number of its URL.
  type: list
  elements: str
  returned: with O(step=check)
  sample: ["operations[0]", "web-slack[0]"]
"""
