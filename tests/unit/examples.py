# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many examples a property test makes: few with each change, more where there is time (``make test-long``)."""

from __future__ import annotations

import os

_TIMES = int(os.environ.get("VIGIL_EXAMPLES_TIMES", "1"))


def examples(usual: int) -> int:
    """The usual number, times what the environment says."""
    return usual * _TIMES
