# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What listens on a host, by its own listing; and what it declares, which is kept in the same file.

This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._evidence.records.host import HOSTS
from ..._evidence.translated import translated_of
from ..finding import Finding
from ..gaps import host_gap, listing_gaps
from ..leg import Leg, Looked
from ..rules.not_assessed import assessed
from ..translation_gaps import translation_gaps


def _gaps(looked: Looked) -> Iterator[Finding]:
    view, evidence = looked.view, LEG.of(looked.evidence)
    if evidence is None:  # the host is not judged at all
        return
    if evidence.listening is None:
        yield host_gap(view.host, evidence.status, evidence.message)
        return
    protocols = {declaration.protocol for declaration in view.inventory.declarations}
    namespaces = {declaration.namespace for declaration in view.inventory.declarations}
    gaps = [
        *listing_gaps(view.host, evidence.listening.coverage, protocols, namespaces),
        *translation_gaps(view, translated_of(evidence.listening)),
    ]
    yield from gaps
    if not gaps:
        yield assessed(view.host, f"{len(evidence.listening.listeners)} listeners were listed on the host")


def _told(looked: Looked) -> bool:
    evidence = LEG.of(looked.evidence)
    return evidence is not None and evidence.listening is not None


LEG = Leg(name="listening", title="what listens, by the host's own listing", kept=HOSTS, told=_told, gaps=_gaps)
