#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gate
short_description: Show the summary of a run, and fail when it breaks the gate
version_added: 0.1.0
description:
  - Prints the verdict, the counts, the worst findings and where the reports are.
  - Fails when a finding is of the severity that the run was opened with, or when something was not assessed and not
    accepted by name. The last stage, so that the reports are on disk when it fails.
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
  description: Whether nothing breaks the gate.
  type: bool
  returned: always
  sample: true
msg:
  description: The verdict in one sentence.
  type: str
  returned: always
  sample: "PASSED: 12 of 12 hosts fully assessed, nothing breaks the gate."
"""
