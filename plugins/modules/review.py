#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: review
short_description: Write a review sheet of the declarations
version_added: 0.2.0
description:
  - Writes a Markdown page with every declaration of a run, its owner and approval, its use, its reachability, and
    overdue reviews. Declarations that have been unused for a time are proposed for removal.
  - The history of the run tells since when a declaration has been unused. If a host could not be assessed, the use is
    not known, and removal is not proposed.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  dest:
    description:
      - The file to write. Its directory must exist. It must not be in the run directory, which is never changed.
    type: path
    required: true
  unused_days:
    description:
      - Days without use after which a declaration is proposed for removal.
    type: int
    default: 90
seealso:
  - module: vigil.ports.verify
"""

EXAMPLES = r"""
- name: Write the review sheet of the last run
  vigil.ports.review:
    run_dir: vigil-reports/latest
    dest: review.md
  delegate_to: localhost
"""

RETURN = r"""
dest:
  description: The file that was written.
  type: str
  returned: success
  sample: /srv/vigil/review.md
declarations:
  description: Number of declarations.
  type: int
  returned: success
  sample: 41
removable:
  description: Number of declarations proposed for removal.
  type: int
  returned: success
  sample: 2
"""
