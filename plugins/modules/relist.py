#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: relist
short_description: List a host again, and write it down beside its first listing
version_added: 0.2.0
description:
  - Runs M(vigil.ports.listeners_info) a second time on a host that disagrees with the scans, and tries the ports in
    question with C(bind()). The first listing stays as it is.
  - A host that is lost meanwhile, or on which the module fails, is written down as such. The disagreement then stands,
    and the report says that the host could not be listed again. Use C(ignore_unreachable) on the task.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  ports:
    description:
      - The ports in question, as M(vigil.ports.disagreements) returned them for this host.
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
      - Which network namespaces to look at. The same as for the first listing.
    type: str
    choices: [host, all]
    default: host
  owners:
    description:
      - How far to look for who is behind a listener. The same as for the first listing.
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
- name: List the host again where it disagrees with the scans
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
  description: How many listeners were found; none when it could not be told.
  type: int
  returned: when the host was reached
  sample: 12
"""
