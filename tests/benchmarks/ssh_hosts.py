# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are alike, each with its own network and processes, a real sshd and some listeners, on one bridge.

All of it is in namespaces below those of the caller, and ends with them. As a program this is process 1 of
one host: ``ssh_hosts.py NUMBER FOLDER``.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SSHD = "/usr/sbin/sshd"
LISTENERS = 10
_PREFIX = "198.18.1."  # RFC 2544: never anybody's host
_PYTHON = "/usr/bin/python3"
_PATIENCE = 30.0


def address(number: int) -> str:
    return f"{_PREFIX}{10 + number}"


def start(count: int, folder: Path, firewall: str = "") -> Path:
    """Brings the hosts up and gives back their inventory. They end with the process namespace.

    ``firewall`` is a ruleset of nftables that each host loads.
    """
    for name in ("client", "host"):
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)), check=True)
    _write_configuration(count, folder)
    (folder / "firewall.nft").write_text(firewall, encoding="ascii")
    subprocess.run(("mount", "-t", "tmpfs", "none", "/run"), check=True)  # in our own mount namespace
    Path("/run/sshd").mkdir()
    _ip(f"link set lo up\nlink add br0 type bridge\nlink set br0 up\naddress add {_PREFIX}1/24 dev br0\n")
    for number in range(count):
        argv = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount", _PYTHON)
        host = subprocess.Popen((*argv, __file__, str(number), str(folder)), stdout=subprocess.PIPE, text=True)
        assert host.stdout is not None
        host.stdout.readline()  # it stands in its namespaces, and unshare itself in the same network namespace
        _ip(f"link add veth{number} type veth peer name eth0 netns {host.pid}\nlink set veth{number} master br0 up\n")
        if host.stdout.readline() != "up\n":
            raise SystemExit(f"host {number} did not come up")
    return folder / "inventory.yml"


def _write_configuration(count: int, folder: Path) -> None:
    key = " ".join((folder / "host.pub").read_text(encoding="ascii").split()[:2])
    known = "".join(f"{address(number)} {key}\n" for number in range(count))
    (folder / "known_hosts").write_text(known, encoding="ascii")
    (folder / "sshd_config").write_text(
        f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/client.pub\nStrictModes no\nUsePAM no\nUseDNS no\n"
        "PermitRootLogin prohibit-password\nPrintMotd no\n",
        encoding="ascii",
    )
    import yaml  # only here: the Python of a host may not have it

    variables = {
        "ansible_user": "root",
        "ansible_python_interpreter": _PYTHON,
        "ansible_ssh_private_key_file": str(folder / "client"),
        "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={folder}/known_hosts -o GlobalKnownHostsFile=none",
    }
    hosts = {f"host{number}": {"ansible_host": address(number)} for number in range(count)}
    inventory = {"all": {"hosts": hosts, "vars": variables}}
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")


def _ip(batch: str) -> None:
    subprocess.run(("ip", "-batch", "-"), input=batch.encode(), check=True)


def _be_host(number: int, folder: Path) -> None:
    """Process 1: waits for its device, starts sshd, listens, and stays."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("apart", flush=True)
    deadline = time.monotonic() + _PATIENCE
    while "eth0" not in (name for _index, name in socket.if_nameindex()):
        if time.monotonic() > deadline:
            raise SystemExit("no device was given")
        time.sleep(0.01)
    _ip(f"link set lo up\naddress add {address(number)}/24 dev eth0\nlink set eth0 up\n")
    subprocess.run(("nft", "-f", str(folder / "firewall.nft")), check=True)
    subprocess.Popen((SSHD, "-D", "-f", str(folder / "sshd_config")))
    kept = [socket.create_server((address(number), 8000 + each)) for each in range(LISTENERS)]
    while not _answers(address(number)):
        if time.monotonic() > deadline:
            raise SystemExit("sshd does not answer")
        time.sleep(0.02)
    print("up", flush=True)
    while kept:
        signal.pause()


def _answers(host: str) -> bool:
    try:
        socket.create_connection((host, 22), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    _be_host(int(sys.argv[1]), Path(sys.argv[2]))
