#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gate
short_description: Print the summary of a run, and fail if it breaks the gate
version_added: 0.1.0
description:
  - Prints the verdict, the counts, the most severe findings and the path of the reports.
  - Fails if a finding has at least the severity that the run was opened with, or if something was not assessed and its
    gap is not accepted by name. This is the last stage, so the reports are written before it fails.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
seealso:
  - module: vigil.ports.report
  - module: vigil.ports.verify
"""

EXAMPLES = r"""
- name: Decide
  vigil.ports.gate:
    run_dir: "{{ opened.run_dir }}"
  run_once: true
"""

RETURN = r"""
passed:
  description: Whether the run passes.
  type: bool
  returned: always
  sample: true
msg:
  description: The verdict in one sentence.
  type: str
  returned: always
  sample: "PASSED: 12 of 12 hosts fully assessed, nothing breaks the gate."
"""
