# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of every stage of a run has in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and attributes of the actions that work on a run directory."""

    DOCUMENTATION = r"""
options:
  run_dir:
    description:
      - The run directory on the control node, as returned by M(vigil.ports.run).
    type: path
    required: true
attributes:
  action:
    description: >-
      Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  check_mode:
    description: >-
      Can run in C(check_mode) and return the status without modifying anything.
    support: full
    details:
      - The run directory on the control node is written in check mode too. No host is changed.
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: none
"""
