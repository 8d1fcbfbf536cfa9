#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: review
short_description: Write the sheet by which declarations are reviewed
version_added: 0.2.0
description:
  - Writes a Markdown page with every declaration of a run, its owner and approval, whether it is in use and since when
    it is not, who reaches it, and what is due. Declarations that nothing has used for a time are proposed for removal.
  - Since when something is not in use is known from the history that the run asked. A host that could not be looked at
    leaves it open, so that nothing is proposed for removal that only was not seen.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  dest:
    description:
      - The file to write. Its directory must be there. It must not lie in the run directory, which is never changed.
    type: path
    required: true
  unused_days:
    description:
      - After how many days without use a declaration is proposed for removal.
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
  description: How many declarations there are.
  type: int
  returned: success
  sample: 41
removable:
  description: How many of them are proposed for removal.
  type: int
  returned: success
  sample: 2
"""
