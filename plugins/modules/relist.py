#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: relist
short_description: List a host again, and record the result next to the first listing
version_added: 0.2.0
description:
  - Runs M(vigil.ports.listeners_info) a second time on a host that contradicts the scans, and tries the ports in
    question with C(bind()). The first listing is kept.
  - If the host is lost meanwhile, or the module fails, this is recorded. The contradiction is then reported, and the
    report states that the host could not be listed again. Use C(ignore_unreachable) on the task.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  ports:
    description:
      - The ports in question, as returned by M(vigil.ports.disagreements) for this host.
    type: dict
    required: true
    suboptions:
      tcp:
        description: TCP ports and ranges, as V(8080,9000-9010).
        type: str
        default: ""
      udp:
        description: UDP ports and ranges.
        type: str
        default: ""
  verify_bind:
    description:
      - Whether to try the ports with C(bind()), which O(vigil.ports.listeners_info#module:verify_bind) describes. With
        V(false) the host is only listed again.
    type: bool
    default: true
  namespaces:
    description:
      - Which network namespaces to list. Use the value of the first listing.
    type: str
    choices: [host, all]
    default: host
  owners:
    description:
      - How far to search for the processes of listeners. Use the value of the first listing.
    type: str
    choices: [unit, first, all]
    default: all
  packages:
    description:
      - Whether to look up the packages of the executables.
    type: bool
    default: true
seealso:
  - module: vigil.ports.disagreements
  - module: vigil.ports.listeners_info
"""

EXAMPLES = r"""
- name: List the host again if it contradicts the scans
  vigil.ports.relist:
    run_dir: "{{ opened.run_dir }}"
    ports: "{{ found.hosts[inventory_hostname] }}"
  when: inventory_hostname in found.hosts
  become: true
  ignore_unreachable: true
"""

RETURN = r"""
status:
  description: Whether the host could be listed again, V(listed) or V(failed).
  type: str
  returned: when the host was reached
  sample: listed
listeners:
  description: Number of listeners; not set if it is unknown.
  type: int
  returned: when the host was reached
  sample: 12
"""
