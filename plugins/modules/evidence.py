#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence
short_description: Record what a host declares and what listens on it
version_added: 0.1.0
description:
  - Resolves the variables C(vigil_ports*), C(vigil_raw_sockets*), C(vigil_exceptions*) and C(vigil_addresses) of the
    host, runs M(vigil.ports.listeners_info) there, and writes both to the run directory.
  - An unreachable host, or one on which the module fails, is recorded as such. The audit then reports it as not
    assessed. Use C(ignore_unreachable) on the task, so that the host stays in the play.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  namespaces:
    description:
      - Which network namespaces to list, as for M(vigil.ports.listeners_info).
    type: str
    choices: [host, all]
    default: host
  owners:
    description:
      - How far to search for the processes of listeners, as for M(vigil.ports.listeners_info).
      - With V(first) or V(unit), a declaration that contains a process cannot be compared with all processes of the
        port, and is not assessed.
    type: str
    choices: [unit, first, all]
    default: all
  packages:
    description:
      - Whether to look up the packages of the executables.
    type: bool
    default: true
  listing:
    description:
      - Whether to list what listens on the host. With V(false) the host is not connected to, and only what it declares
        is written down, as in a part that only scans.
    type: bool
    default: true
    version_added: 0.3.0
seealso:
  - module: vigil.ports.listeners_info
"""

EXAMPLES = r"""
- name: Gather the evidence of each host
  vigil.ports.evidence:
    run_dir: "{{ opened.run_dir }}"
  become: true
  ignore_unreachable: true
"""

RETURN = r"""
status:
  description: Whether the host could be assessed, V(gathered) or V(failed).
  type: str
  returned: when the host was reached
  sample: gathered
listeners:
  description: Number of listeners; not set if it is unknown.
  type: int
  returned: when the host was reached
  sample: 12
"""
