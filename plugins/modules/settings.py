#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: settings
short_description: Check who decides, before anything is done
version_added: 0.3.0
description:
  - The first task of the roles. It reads variables, connects to no host, and fails where a setting cannot be trusted.
  - A fact has the name of a variable of this collection. Facts come from the host, and Ansible takes them before the
    inventory, also those that another playbook left in a cache.
  - Hosts of the play would give a setting of the run different values. Ansible takes that of the first host.
  - An inventory could not be read. Ansible only warns of it.
  - A setting has another form than the roles need. It is text where it has to be a list, or it holds a control
    character.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  run_dir:
    description:
      - Not an option of this stage; there is no run yet.
    required: false
  of:
    description:
      - Which settings have to be the same on all hosts of the play.
      - V(host) asks for none, where each host has settings of its own.
      - With V(baseline) and V(change) a pattern of hosts that matches none is an error. With V(audit) it is not, as the
        run has a gap that says so.
      - With V(change) the run has to be judged as of today.
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
