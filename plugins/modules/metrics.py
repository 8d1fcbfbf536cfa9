#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: metrics
short_description: Write metrics of a run for Prometheus
version_added: 0.2.0
description:
  - Writes metrics of a complete run in the format of the textfile collector of node_exporter. They cover findings by
    severity, gaps, the time of the run, exceptions that expire soon, missed runs, and undelivered alerts.
  - The file is replaced atomically and is world-readable. It contains numbers and the label of the run.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  dest:
    description:
      - The file to write. Its name must end in C(.prom), because node_exporter reads no other files, so files of other
        programs are not overwritten. Its directory must exist.
      - It is not written in check mode or for a what-if run.
    type: path
    required: true
seealso:
  - module: vigil.ports.notify
"""

EXAMPLES = r"""
- name: Write metrics of the last run
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
