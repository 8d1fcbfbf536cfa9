# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host said when it was listed again after the scans. This module is private to the collection.

Without it the rules judge by the first listing. ``hidden-listener`` says so when a host was to be listed again.
"""

from __future__ import annotations

from ..._evidence.records.host import RELISTED
from ..leg import Leg, Looked


def _told(looked: Looked) -> bool:
    evidence = LEG.of(looked.evidence)
    return evidence is not None and evidence.listening is not None


LEG = Leg(name="relisted", title="what listens, when it was listed again", kept=RELISTED, told=_told)
