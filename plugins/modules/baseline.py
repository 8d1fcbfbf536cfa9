#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: baseline
short_description: Propose declarations for what was seen
version_added: 0.2.0
description:
  - Proposes a declaration for each listener of a run that is neither declared, proposed nor excepted, and writes the
    proposals into the variables files of the inventory. What all hosts of a group share goes into the group's file.
  - Proposals lie in layers of their own, C(vigil_ports__proposed) for a host and C(vigil_ports__proposed_GROUP) for a
    group. An audit reports them as C(unapproved) until a person fills them in and moves them to another layer.
  - Everything else in a file stays as it is, byte for byte. A file of which that cannot be said is not written, and
    named; its proposals are shown.
  - Run it once in a play (C(run_once)); the hosts are those of the play. No host is connected to.
author:
  - vigil.ports maintainers (@vigil-ports)
requirements:
  - ruamel.yaml
options:
  run_dir:
    description:
      - The run directory on the control node, or a link to it such as C(latest).
    type: path
  directory:
    description:
      - Where C(group_vars) and C(host_vars) are. Default is the directory of the inventory.
    type: path
  owner:
    description:
      - Who answers for all that is proposed. Without it the owner is left to be filled in.
    type: str
  share:
    description:
      - How many percent of the hosts of a group must have an entry for it to be proposed for the group. Hosts that were
        not looked at do not have it. With less than V(100) what not all hosts have is not required.
    type: int
    default: 100
  patch:
    description:
      - A file on the control node to write the patch to, in check mode too. C(git apply) takes it in O(directory).
    type: path
  import_file:
    description:
      - Propose from the output of another tool instead of a run.
    type: path
  import_format:
    description:
      - What wrote O(import_file). V(ss) and V(netstat) are the text of C(-tuln) or C(-tulnp), V(goss) is a goss file
        with a section C(port), V(nmap) is XML (C(-oX)).
    type: str
    choices: [auto, ss, netstat, goss, nmap]
    default: auto
  import_host:
    description:
      - The host that O(import_file) is about. A report of nmap names its hosts itself.
    type: str
  import_vantage:
    description:
      - The vantage point from which nmap looked.
    type: str
attributes:
  action:
    description: >-
      Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  check_mode:
    description: >-
      Can run in C(check_mode) and return the status without modifying anything.
    support: full
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: full
    details:
      - The difference is a patch for C(git apply).
seealso:
  - module: vigil.ports.audit
"""

EXAMPLES = r"""
- name: Propose from the last run
  vigil.ports.baseline:
    run_dir: vigil-reports/latest
  run_once: true

- name: Propose for one host from what ss said there
  vigil.ports.baseline:
    import_file: web1-ss.txt
    import_host: web1
  run_once: true
"""

RETURN = r"""
files:
  description: The files that were written, or would be in check mode.
  type: list
  elements: str
  returned: success
  sample: [/srv/inventory/group_vars/web.yml]
entries:
  description: How many entries are proposed for each group and host.
  type: dict
  returned: success
  sample: {"group web": 2, "host web1": 1}
left_out:
  description: What was left out or not seen, and why, by host.
  type: dict
  returned: success
  sample: {"dev1": ["udp/40000 at 0.0.0.0 looks ephemeral, and was left out"]}
refused:
  description: What was not written, why, and the text of the proposals.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The file, or the group or host for which there is none.
      type: str
      sample: /srv/inventory/group_vars/all.yml
    why:
      description: What is in the way, and the way out.
      type: str
      sample: its lines end with a carriage return
    text:
      description: The entries as YAML.
      type: str
      sample: "vigil_ports__proposed:"
"""
