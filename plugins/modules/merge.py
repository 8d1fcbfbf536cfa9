#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: merge
short_description: Take the parts of a campaign into one run
version_added: 0.3.0
description:
  - Takes parts that other jobs made, on any control node, into a run that was opened for the whole inventory. That run
    is then judged, reported and sealed like any other.
  - Each part is copied first and then checked. It is used when it is as it was sealed, its signature holds, and it is
    of the same campaign, inventory, version and settings, and not too old.
  - What is expected comes from the inventory of the merge and never from the parts. A host that no part has listed, and
    a part that is not used, came twice or disagrees with another, is a gap by name.
  - Where several parts looked at a host, the newest is judged. The other ones are kept beside it.
  - Parts are only read. A merge that was ended early is made again.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  campaign:
    description:
      - The campaign that the parts have to be of.
    type: str
    required: true
  parts:
    description:
      - Where the parts are, on the control node. Each is the directory of a part, an archive of one (C(.tar),
        C(.tar.gz), C(.tgz)), or a directory below which there are some. A path at which there is no part is a gap.
      - Links are not followed below such a path. Archives are refused that hold links, devices, other files than those
        of a part, or names that lead out of them.
    type: list
    elements: path
    required: true
  max_age:
    description:
      - How many seconds ago a part may have been opened.
    type: int
    default: 86400
  allowed_signers:
    description:
      - A file that says whose key is whose, as in M(vigil.ports.verify). With it a part that is not signed, or not by
        one of these keys, is not used.
      - Without it a signature only has to hold, and parts may be unsigned.
    type: path
  signer:
    description:
      - Who has to have signed every part; by default anybody in O(allowed_signers).
    type: str
seealso:
  - module: vigil.ports.part
  - module: vigil.ports.verify
"""

EXAMPLES = r"""
- name: Take the parts into the run
  vigil.ports.merge:
    run_dir: "{{ opened.run_dir }}"
    campaign: "2026-11-27"
    parts: [/srv/vigil/parts]
    allowed_signers: /etc/vigil/allowed_signers
  run_once: true
"""

RETURN = r"""
parts:
  description: The parts that are used, by their run ids.
  type: list
  elements: str
  returned: success
  sample: [20261127T010203Z-abc123]
gaps:
  description: The names of the gaps that parts leave.
  type: list
  elements: str
  returned: success
  sample: ["part:20261127T010203Z-abc123:too-old"]
without_part:
  description: Hosts that no part which is used has listed.
  type: list
  elements: str
  returned: success
  sample: [web7]
"""
