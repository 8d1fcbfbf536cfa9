#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write the reports of a run
version_added: 0.1.0
description:
  - Renders C(junit.xml), C(report.md) and C(summary.md) from the C(results.json) of the run, writes C(manifest.json)
    with the digest of every file, and points C(latest) at the run.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
seealso:
  - module: vigil.ports.audit
  - module: vigil.ports.gate
"""

EXAMPLES = r"""
- name: Write the reports
  vigil.ports.report:
    run_dir: "{{ opened.run_dir }}"
  run_once: true
"""

RETURN = r"""
reports:
  description: The files that were written.
  type: list
  elements: str
  returned: success
  sample:
    - /srv/audits/20261120T131500Z-1f0c2a/junit.xml
    - /srv/audits/20261120T131500Z-1f0c2a/report.md
    - /srv/audits/20261120T131500Z-1f0c2a/summary.md
"""
