#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: baseline
short_description: Propose declarations for the listeners of a run
version_added: 0.2.0
description:
  - Proposes a declaration for each listener of a run that is neither declared, proposed nor excepted, and writes the
    proposals to the variables files of the inventory. Entries that all hosts of a group share are written to its file.
  - Proposals have separate layers, C(vigil_ports__proposed) for a host and C(vigil_ports__proposed_GROUP) for a
    group. An audit reports them as C(unapproved) until a person fills them in and moves them to another layer.
  - Everything else in a file stays unchanged, byte for byte. A file for which this cannot be guaranteed is not written;
    it is named, and its proposals are printed.
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
      - The directory of C(group_vars) and C(host_vars). Default is the directory of the inventory.
    type: path
  owner:
    description:
      - The owner of all proposals. Without it, a placeholder is written.
    type: str
  share:
    description:
      - The percentage of hosts of a group that must share an entry for it to be proposed for the group. Hosts that were
        not assessed do not share it. Below V(100), entries that not all hosts share have C(required=false).
    type: int
    default: 100
  patch:
    description:
      - A file on the control node for the patch, also in check mode. Apply it with C(git apply) in O(directory).
    type: path
  import_file:
    description:
      - Propose from the output of another tool instead of a run.
    type: path
  import_format:
    description:
      - The format of O(import_file). V(ss) and V(netstat) are the text of C(-tuln) or C(-tulnp), V(goss) is a goss file
        with a section C(port), V(nmap) is XML (C(-oX)).
    type: str
    choices: [auto, ss, netstat, goss, nmap]
    default: auto
  import_host:
    description:
      - The host of O(import_file). Reports of nmap contain their hosts.
    type: str
  import_vantage:
    description:
      - The vantage point of the nmap scan.
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

- name: Propose for one host from the output of ss
  vigil.ports.baseline:
    import_file: web1-ss.txt
    import_host: web1
  run_once: true
"""

RETURN = r"""
files:
  description: The files that were written, or would be written in check mode.
  type: list
  elements: str
  returned: success
  sample: [/srv/inventory/group_vars/web.yml]
entries:
  description: Number of proposed entries for each group and host.
  type: dict
  returned: success
  sample: {"group web": 2, "host web1": 1}
left_out:
  description: What was not proposed or not assessed, with the reason, by host.
  type: dict
  returned: success
  sample: {"dev1": ["udp/40000 at 0.0.0.0 looks ephemeral, and was left out"]}
refused:
  description: Files that were not written, the reason, and the text of the proposals.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The file, or the group or host that has no file.
      type: str
      sample: /srv/inventory/group_vars/all.yml
    why:
      description: The reason, and what to do.
      type: str
      sample: its lines end with a carriage return
    text:
      description: The entries as YAML.
      type: str
      sample: "vigil_ports__proposed:"
"""
