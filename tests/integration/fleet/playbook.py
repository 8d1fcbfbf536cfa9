# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks on the fleet, started as an operator starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fleet.layout import CHECKOUT, CONTROL_SOCKETS, INTEGRATION, STATE

INVENTORY = INTEGRATION / "inventory" / "hosts.yml"


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(CHECKOUT / ".cache" / "tree")),
        "ANSIBLE_CONFIG": str(INTEGRATION / "ansible.cfg"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(CONTROL_SOCKETS),
        "ANSIBLE_HOME": str(STATE / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "VIGIL_FLEET_STATE": str(STATE),
    }


def start(
    playbook: str, *arguments: str, inventory: Path = INVENTORY, around: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """The playbook, running, in a session of its own. Its output, errors among it, is in ``stdout``.

    ``around`` is a program with its arguments that runs ansible-playbook: env, faketime, a shell.
    """
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = (*around, program, "-i", str(inventory), playbook, *arguments)
    return subprocess.Popen(
        command,
        env=environment(),
        cwd=STATE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(playbook: str, *arguments: str, seconds: float = 900, inventory: Path = INVENTORY) -> tuple[int, str]:
    """Exit status and output of the finished playbook."""
    with start(playbook, *arguments, inventory=inventory) as started:
        output, _errors = started.communicate(timeout=seconds)
        return started.returncode, output
