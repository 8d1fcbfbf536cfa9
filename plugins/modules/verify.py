#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify
short_description: Check that a run is as it was sealed
version_added: 0.2.0
description:
  - Holds every file of a run directory against the digest in C(manifest.json), and names what is missing, changed,
    added, or no plain file.
  - Follows the chain of runs, each of which names the digest of the one before. A run that is not there any more is a
    note; one with another digest is a problem.
  - Checks the signature with C(ssh-keygen), where there is one.
  - Computes C(results.json), every report and the manifest again from the evidence, and compares byte for byte.
  - Names every problem, not only the first, and fails when there is one. Nothing in the run directory is changed.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  run_dir:
    description:
      - The run directory, or a link to it such as C(latest).
  allowed_signers:
    description:
      - A file that says whose key is whose, in the format of C(ssh-keygen -Y verify). A run that is not signed is a
        problem then.
      - Without it, a signature is checked, and whose key made it is not.
    type: path
  signer:
    description:
      - Who has to have signed, as the file O(allowed_signers) calls them. Default is anybody in that file.
    type: str
seealso:
  - module: vigil.ports.report
  - module: vigil.ports.run
"""

EXAMPLES = r"""
- name: Check the last run
  vigil.ports.verify:
    run_dir: vigil-reports/latest
    allowed_signers: allowed_signers
    signer: audit@example.com
  delegate_to: localhost
"""

RETURN = r"""
problems:
  description: Everything that is not as it was sealed.
  type: list
  elements: dict
  returned: always
  contains:
    file:
      description: The file, by its name in the run directory.
      type: str
      returned: always
    message:
      description: What is wrong with it, with the place of the first difference where it can be told.
      type: str
      returned: always
  sample:
    - file: report.md
      message: "is not what the evidence gives: first at byte 812, line 31: 'low' where 'high' is expected"
notes:
  description: What has to be known besides, such as a run of the chain that is not there any more.
  type: list
  elements: str
  returned: always
  sample:
    - signed by audit@example.com with the key SHA256:d3l6mucrhwTADNOHkDPgyv1RIV9zViTqn53mbtye8Fc
msg:
  description: The verdict in one sentence.
  type: str
  returned: always
  sample: "PASSED: run 20261120T131500Z-1f0c2a: 12 files are as they were sealed, and come out the same again."
"""
