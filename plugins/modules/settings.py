#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: settings
short_description: Validate settings, and refuse those that come from a host
version_added: 0.3.0
description:
  - The first task of the roles. It reads variables and connects to no host. It fails in each of the following cases.
  - A fact has the name of a variable of this collection. A host chooses its facts, and Ansible prefers facts, even
    cached ones of another playbook, to the inventory.
  - Hosts of the play have different values for a setting of the run. Ansible would use the value of the first host.
  - An inventory could not be read. Ansible only prints a warning.
  - A setting has a wrong type, such as text instead of a list, or contains a control character.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  run_dir:
    description:
      - Not used by this stage; there is no run yet.
    required: false
  of:
    description:
      - Which settings must be the same on all hosts of the play.
      - With V(host) all settings may differ.
      - With V(baseline) and V(change) a host pattern without a match is an error. With V(audit) it is a gap of the run.
      - With V(change) what-if runs are refused.
    type: str
    choices: [audit, baseline, change, host]
    default: audit
seealso:
  - module: vigil.ports.run
"""

EXAMPLES = r"""
- name: Refuse settings that come from a host or differ between hosts
  vigil.ports.settings:
  run_once: true
"""

RETURN = r"""
"""
