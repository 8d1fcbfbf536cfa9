#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notify
short_description: Tell the owners of ports what changed
version_added: 0.2.0
description:
  - Tells who answers for a port what is news in a run, through any service of Apprise. A finding is told when it is
    new, when it is worse than it was told to be, after O(remind_after), and when it is over. Each owner gets one
    message.
  - What was told, and what could not be delivered, is kept in C(alerts.json) beside the runs. A channel that fails is a
    warning and no failure; its messages are sent by the next run.
  - A finding is over when a run looked for it and it is not there, or an exception excuses it. A run that could not
    look, or was not asked to, ends nothing.
  - Where to tell is read from the variable C(notify_channels), a list of channels, each with a C(name), a list of
    C(urls) as Apprise takes them, and a list of C(owners). One without C(owners) is for everybody else, and there must
    be one. It is no option, as Ansible shows the line of an option that it cannot resolve, and the URLs are secrets.
    No part of one is printed or written, but for the name of its service.
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  step:
    description:
      - V(check) says whether the channels can be used, and sends nothing. V(tell) sends.
    type: str
    choices: [check, tell]
    default: tell
  run_dir:
    description:
      - The run directory on the control node, as M(vigil.ports.run) returned it. Required with O(step=tell).
    type: path
  remind_after:
    description:
      - After how many days a finding that is still open is told again, V(0) for never.
    type: int
    default: 7
  min_severity:
    description:
      - The least severity that is told. What could not be assessed, and was not accepted by name, always is.
    type: str
    choices: [info, low, medium, high, critical]
    default: low
  report_url:
    description:
      - Where the runs can be read. The run's name and C(report.md) are added to it.
    type: str
    default: ""
  retries:
    description:
      - How often a message that was not taken is sent again in the same run.
    type: int
    default: 2
  timeout:
    description:
      - Seconds to connect to a service, and seconds to wait for its answer.
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
      - Nothing is sent and nothing is remembered; RV(planned) says how many messages there would be.
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: none
requirements:
  - apprise
seealso:
  - module: vigil.ports.metrics
"""

EXAMPLES = r"""
- name: Tell the owners what is news in the last run
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
  description: How many new messages there are, one for each owner with news.
  type: int
  returned: with O(step=tell)
  sample: 2
delivered:
  description: How many messages were taken by their service, those that had waited among them.
  type: int
  returned: with O(step=tell)
  sample: 2
undelivered:
  description: How many wait for the next run.
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
