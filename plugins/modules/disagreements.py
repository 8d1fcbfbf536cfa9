#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disagreements
short_description: Find the hosts that say something else than the scans
version_added: 0.2.0
description:
  - Holds the evidence of the hosts against that of the scans, and names each host and port where the two disagree.
    A port is open and the host shows no listener for it; a listener is declared reachable, and its port is closed; a
    declared listener is missing, and its port is open.
  - A service that was restarted between the two looks like one that somebody hides. So these hosts are listed again, by
    M(vigil.ports.relist), before anything of this is reported.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
seealso:
  - module: vigil.ports.relist
"""

EXAMPLES = r"""
- name: Find out where hosts and scans disagree
  vigil.ports.disagreements:
    run_dir: "{{ opened.run_dir }}"
  register: found
  run_once: true
"""

RETURN = r"""
hosts:
  description:
    - The hosts to list again, with the ports for which they are, by protocol.
    - When the run was opened with O(vigil.ports.run#module:verify_bind=all), every host that was listed, with all
      ports.
  type: dict
  returned: always
  sample: {"web1": {"tcp": "8080,9000-9010", "udp": ""}}
"""
