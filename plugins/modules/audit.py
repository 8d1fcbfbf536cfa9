#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Compare the evidence of a run with the declarations
version_added: 0.1.0
description:
  - Judges every host in the scope of the run and writes C(results.json) into the run directory.
  - The results depend only on the evidence. The same evidence gives the same bytes.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
seealso:
  - module: vigil.ports.report
"""

EXAMPLES = r"""
- name: Judge
  vigil.ports.audit:
    run_dir: "{{ opened.run_dir }}"
  run_once: true
"""

RETURN = r"""
counts:
  description: Number of findings by C(status), and of failed findings by C(severity).
  type: dict
  returned: success
  sample:
    status: {pass: 120, fail: 2, excepted: 1, not_assessed: 0}
    severity: {critical: 0, high: 1, medium: 1, low: 0, info: 0}
gate:
  description: Whether the run passes, the lowest severity that fails it, and the number of findings that do.
  type: dict
  returned: success
  sample: {fail_on: medium, breaking: 2, passed: false}
"""
