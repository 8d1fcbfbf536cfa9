# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listing as a program of its own, without Ansible: what ``ss`` is held against. ``listing.py unit|first|all``."""

import json
import sys

from ansible_collections.vigil.ports.plugins.module_utils._listeners.observe import Host, Request, observe

sys.stdout.write(json.dumps(observe(Request(owners=sys.argv[1]), Host())))
