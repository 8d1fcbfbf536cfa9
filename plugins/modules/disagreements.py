#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disagreements
short_description: Find hosts that contradict the scans
version_added: 0.2.0
description:
  - Compares the evidence of the hosts with that of the scans, and returns each host and port where they contradict each
    other. Either a port is open without a listener on the host, or a listener is declared reachable and its port is
    closed, or a declared listener is missing and its port is open.
  - A service that was restarted between listing and scan looks like a hidden one. To exclude this race condition,
    M(vigil.ports.relist) lists these hosts again before anything is reported.
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
    - The hosts to list again, with the ports in question by protocol.
    - If the run was opened with O(vigil.ports.run#module:verify_bind=all), every host that was listed, with all ports.
  type: dict
  returned: always
  sample: {"web1": {"tcp": "8080,9000-9010", "udp": ""}}
"""
