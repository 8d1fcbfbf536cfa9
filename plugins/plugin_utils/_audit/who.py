# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds a socket, and what two listings say of it, in words. This module is private to the collection."""

from __future__ import annotations

from .._evidence.observed import Listener
from .owner_match import Held, behind, first_of_families, runners, shown_user, waits_for_a_call

#: What two listings of a host say of a listener.
_MEANWHILE = {
    "always": "",
    "restarted": " (restarted meanwhile)",
    "before": " (gone when the host was listed again)",
    "since": " (started meanwhile: seen when the host was listed again)",
}


def meanwhile(listener: Listener) -> str:
    """What to add to a sentence about a listener that was not the same in both listings of its host."""
    return _MEANWHILE[listener.seen]


def who(listener: Held) -> str:
    """The owner of a socket in a few words."""
    owners = first_of_families(behind(listener))
    names = [owners[0].name] if len(owners) == 1 else sorted({owner.name for owner in owners})
    process = (
        " and ".join(names)
        if names
        else "a process that is unknown"
        if listener.owners_state != "kernel"
        else "the kernel"
    )
    users = " and ".join(sorted(shown_user(one) for one in runners(listener) if one))
    deleted = " from a deleted executable" if any(owner.executable_deleted for owner in owners) else ""
    started = f", started by {listener.unit}," if waits_for_a_call(listener) else ""
    return f"{process}{f' ({users})' if users else ''}{deleted}{started}"
