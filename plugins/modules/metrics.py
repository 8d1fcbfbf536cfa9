#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: metrics
short_description: Write a run's numbers for Prometheus
version_added: 0.2.0
description:
  - Writes the numbers of a complete run in the text format that the textfile collector of node_exporter reads, findings
    by severity, what was not assessed, when the run was complete, exceptions that end soon, runs that are missing and
    alerts that were not delivered.
  - The file appears whole or not at all, and everybody may read it. It holds numbers and the label of the run.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  dest:
    description:
      - The file to write. Its name must end in C(.prom), as node_exporter reads no other, and a file that another
        program runs is not written over. Its directory must be there.
      - In check mode it is not written, nor of a run that is judged as of another day than today.
    type: path
    required: true
seealso:
  - module: vigil.ports.notify
"""

EXAMPLES = r"""
- name: Write the numbers of the last run
  vigil.ports.metrics:
    run_dir: vigil-reports/latest
    dest: /var/lib/prometheus/node-exporter/vigil_ports.prom
  delegate_to: localhost
"""

RETURN = r"""
dest:
  description: The file.
  type: str
  returned: success
  sample: /var/lib/prometheus/node-exporter/vigil_ports.prom
"""
