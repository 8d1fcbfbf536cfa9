#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write the reports of a run
version_added: 0.1.0
description:
  - Renders C(report.html), C(junit.xml), C(report.md), C(summary.md) and C(ways-out.md) from the C(results.json) of the
    run, in the formats of O(vigil.ports.run#module:formats). Seals the run with C(manifest.json), which contains the
    digest of every file, and links C(latest) to it.
  - A sealed run is only rendered again if the bytes are the same. Its seal is not changed.
extends_documentation_fragment:
  - vigil.ports.stage
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  into:
    version_added: 0.2.0
    description:
      - Another directory for the reports. It is created if it is missing. Nothing in the run directory is changed then.
    type: path
  signing_key:
    version_added: 0.2.0
    description:
      - A private OpenSSH key, or a public one whose private half is in C(ssh-agent), to sign C(manifest.json) with.
      - It must be the key that was given to M(vigil.ports.run). A sealed run is not signed again.
    type: path
seealso:
  - module: vigil.ports.verify
  - module: vigil.ports.audit
  - module: vigil.ports.gate
"""

EXAMPLES = r"""
- name: Write the reports
  vigil.ports.report:
    run_dir: "{{ opened.run_dir }}"
  run_once: true
"""

RETURN = r"""
reports:
  description: The files that were written.
  type: list
  elements: str
  returned: success
  sample:
    - /srv/audits/20261120T131500Z-1f0c2a/report.html
    - /srv/audits/20261120T131500Z-1f0c2a/junit.xml
    - /srv/audits/20261120T131500Z-1f0c2a/report.md
    - /srv/audits/20261120T131500Z-1f0c2a/summary.md
    - /srv/audits/20261120T131500Z-1f0c2a/ways-out.md
manifest_sha256:
  description: The digest of C(manifest.json). Store it elsewhere to detect later changes.
  type: str
  returned: when O(into) is not given
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""
