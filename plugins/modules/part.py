#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: part
short_description: Seal a run that is one part of a campaign
version_added: 0.3.0
description:
  - The last stage of a run that was opened with O(vigil.ports.run#module:part). Seals its evidence, without results and
    reports, and packs it where that is wanted.
  - A part has no verdict. M(vigil.ports.merge) judges all parts of a campaign together.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  archive_dir:
    description:
      - A directory on the control node for an archive of the part, C(CAMPAIGN-RUN.tar.gz). It is made when it is
        missing.
      - Without it the part stays in its directory, and nothing is packed.
    type: path
  signing_key:
    description:
      - The key that the run was opened with, as O(vigil.ports.run#module:signing_key).
    type: path
seealso:
  - module: vigil.ports.merge
"""

EXAMPLES = r"""
- name: Seal the part, and pack it
  vigil.ports.part:
    run_dir: "{{ opened.run_dir }}"
    archive_dir: /srv/vigil/parts
  run_once: true
"""

RETURN = r"""
msg:
  description: That the part has no verdict, and of which campaign it is.
  type: str
  returned: success
  sample: "Part of campaign 2026-11-27: it has no verdict of its own; vigil.ports.merge judges it."
manifest_sha256:
  description: The SHA-256 of C(manifest.json).
  type: str
  returned: success
  sample: 0d2c7d8a6d7f2a3e4f5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e9fa0b1
archive:
  description: The archive; C(none) without O(archive_dir).
  type: str
  returned: success
  sample: /srv/vigil/parts/2026-11-27-20261127T010203Z-abc123.tar.gz
"""
