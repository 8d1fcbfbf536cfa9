# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that would close a port, for a person to read and to run on the host. Private to the collection.

Every command is made of plain names (see ``pasteable``). Where there is none the reason is given: a wrong
command that is ready to paste is worse than none.
"""

from __future__ import annotations

import os.path
import re
import shlex
from collections.abc import Sequence
from typing import Any

from .._evidence.observed import Owner
from .._inventory.pasteable import plain_name
from .owner_match import Held, units_involved

_STOPPABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]*\.(service|socket)")
_REMOVE = {"dpkg": ("apt-get", "remove"), "rpm": ("dnf", "remove"), "apk": ("apk", "del")}

#: Their package is not what listens: another program runs in them.
_INTERPRETER = re.compile(
    r"(python|perl|ruby|node|nodejs|java|php|php-fpm|bash|dash|sh|zsh|ksh|busybox|lua|tclsh|beam\.smp|dotnet|mono|qemu.*)[0-9.]*"
)
#: Without these the host is not to be reached, or does not start.
_WAY_IN = re.compile(r"(ssh|sshd|systemd-networkd|systemd-resolved|NetworkManager|init)(@.*)?\.(service|socket)")
_NEEDED = frozenset(("openssh-server", "systemd", "systemd-sysv", "init", "dbus", "util-linux", "network-manager"))


def closing(listeners: Sequence[Held]) -> dict[str, Any]:
    """``commands``, each with ``what`` it does and the ``command``, and a ``note`` where there is none."""
    if not listeners:
        return told("nothing that the host lists would be stopped by a command there")
    if any(one.namespace != "host" for one in listeners):
        return told("it listens in another network namespace: stop it by what made that namespace")
    owners = [owner for one in listeners for owner in one.owners]
    if any(owner.container for owner in owners):
        return told("it runs in a container: stop it by the container's runtime")
    units = sorted({unit for one in listeners for unit in units_involved(one)})
    if not units:
        return told("no systemd unit is known for it: find out what started it")
    if not all(_STOPPABLE.fullmatch(unit) for unit in units):
        kinds = sorted({unit.rpartition(".")[2] for unit in units if plain_name(unit)})
        told_kinds = f" (what runs it is a {' and a '.join(kinds)})" if kinds and kinds != ["service"] else ""
        return told(
            f"no unit that can be disabled, or no name that may be pasted{told_kinds}: find out what started it"
        )
    if any(_WAY_IN.fullmatch(unit) for unit in units):
        return told("the host may be reached or run by it: close it by hand, with another way in at hand")
    commands = [_command("stop and disable the unit", ["systemctl", "disable", "--now", "--", *units])]
    return {"commands": [*commands, *_removal(owners)], "note": None}


def told(note: str) -> dict[str, Any]:
    """No command, and why."""
    return {"commands": [], "note": note}


def _removal(owners: Sequence[Owner]) -> list[dict[str, str]]:
    """The removal of the package that all owners belong to; nothing where that would take more away."""
    packages = {(owner.package.manager, owner.package.name) for owner in owners if owner.package}
    if len(packages) != 1 or not all(owner.package for owner in owners):
        return []
    ((manager, name),) = packages
    runs_others = any(_INTERPRETER.fullmatch(os.path.basename(owner.executable or "")) for owner in owners)
    if manager not in _REMOVE or plain_name(name) is None or runs_others or name in _NEEDED:
        return []
    return [_command("remove the package", [*_REMOVE[manager], "--", name])]


def _command(what: str, words: Sequence[str]) -> dict[str, str]:
    return {"what": what, "command": shlex.join(words)}
