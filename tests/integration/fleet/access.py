# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of the fleet, and the one ssh_config by which tests and Ansible reach it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable

from .hosts import HOSTS, NAMES, UNREACHABLE
from .layout import CLIENT_KEY, CONTROL_SOCKETS, KNOWN_HOSTS, PREFIX4, SSH_CONFIG, STATE, host_dir, ipv6


def _make_key(path: str) -> None:
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vigil-fleet", "-f", path), check=True)


def write_state() -> None:
    """A fresh state directory with a client key, a key for each host, known_hosts and ssh_config."""
    STATE.mkdir(mode=0o700)
    CONTROL_SOCKETS.mkdir(mode=0o700)
    _make_key(str(CLIENT_KEY))
    known = []
    for host in HOSTS.values():
        host_dir(host.name).mkdir(parents=True, mode=0o700)
        key = host_dir(host.name) / "host_key"
        _make_key(str(key))
        public = " ".join(key.with_suffix(".pub").read_text(encoding="ascii").split()[:2])
        known.append(f"{host.name},{NAMES[host.name]},{ipv6(host.octet)} {public}\n")
    KNOWN_HOSTS.write_text("".join(known), encoding="ascii")
    named = "".join(f"Host {name}\n  HostName {address}\n" for name, address in NAMES.items())
    SSH_CONFIG.write_text(
        f"""{named}
Host noroot1 {NAMES["noroot1"]}
  User auditor
Host * !{UNREACHABLE}
  User root
  IdentityFile {CLIENT_KEY}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {KNOWN_HOSTS}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  PasswordAuthentication no
  BatchMode yes
  ConnectTimeout 5
  ServerAliveInterval 5
  ServerAliveCountMax 3
  ControlMaster auto
  ControlPersist 60s
  ControlPath {CONTROL_SOCKETS}/%C
  LogLevel ERROR
# Any other address of the fleet's network: {PREFIX4}0/24
""",
        encoding="ascii",
    )


def end_connections() -> None:
    """End the shared SSH connections, which would stay for a minute."""
    sockets: Iterable[str] = [str(path) for path in CONTROL_SOCKETS.glob("*")] if CONTROL_SOCKETS.is_dir() else ()
    for path in sockets:
        subprocess.run(
            ("ssh", "-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "fleet"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=10,
        )


def remove_state() -> None:
    if STATE.is_symlink():
        raise NotADirectoryError(f"{STATE} is a link that the fleet did not make")
    if STATE.exists():
        shutil.rmtree(STATE)
