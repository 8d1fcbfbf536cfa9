#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify
short_description: Verify that a run is unchanged since it was sealed
version_added: 0.2.0
description:
  - Compares every file of a run directory with the digest in C(manifest.json), and reports missing, changed and added
    files, and anything that is not a regular file.
  - Follows the chain of runs, in which each run contains the digest of the one before. A missing earlier run is a note;
    a different digest is a problem.
  - Verifies the signature with C(ssh-keygen), if there is one.
  - Computes C(results.json), every report and the manifest again from the evidence, and compares them byte for byte.
  - Reports all problems, and fails if there is one. Nothing in the run directory is changed.
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
      - A file that maps signers to keys, in the format of C(ssh-keygen -Y verify). A run that is not signed is then a
        problem.
      - Without it, the signature is verified, but not the identity of the signer.
    type: path
  signer:
    description:
      - The required signer, as named in O(allowed_signers). By default any signer in this file is accepted.
    type: str
seealso:
  - module: vigil.ports.report
  - module: vigil.ports.run
"""

EXAMPLES = r"""
- name: Verify the last run
  vigil.ports.verify:
    run_dir: vigil-reports/latest
    allowed_signers: allowed_signers
    signer: audit@example.com
  delegate_to: localhost
"""

RETURN = r"""
problems:
  description: All problems.
  type: list
  elements: dict
  returned: always
  contains:
    file:
      description: The path of the file in the run directory.
      type: str
      returned: always
    message:
      description: The problem, with the position of the first difference if there is one.
      type: str
      returned: always
  sample:
    - file: report.md
      message: "is not what the evidence gives: first at byte 812, line 31: 'low' where 'high' is expected"
notes:
  description: Limits of the verification, such as a missing earlier run of the chain.
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
