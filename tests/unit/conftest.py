# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of every unit test."""

from __future__ import annotations

from ansible_collections.vigil.ports.tests.unit.examples import examples
from hypothesis import settings

# How long one example takes says something of the machine, and nothing of the code.
settings.register_profile("vigil", deadline=None, max_examples=examples(100))
settings.load_profile("vigil")
