# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Process 1 of a host: makes the host's own view, starts its services, waits until they listen, and reaps.

Started by ``keeper`` in new namespaces as ``python -m fleet.host_init NAME``. It talks in lines: says ``apart`` when it
stands in its namespaces, is told ``linked`` when ``eth0`` was put there, says ``up`` or ``failed <why>``. When it ends,
the kernel ends everything in its process namespace.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import cgroups, mounts
from .hosts import HOSTS, NAMES, Host
from .layout import CLIENT_KEY, INNER4, STATE, host_dir, ipv4, ipv6
from .services import AUTHORIZED_KEYS, PLANTED_SOCKET, PLANTED_SOURCE, Command, Service

PATIENCE = 30.0  # seconds until every service listens
# What a service sees; FLEET marks whose it is.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "FLEET": str(STATE)}


class HostFailedError(Exception):
    """The host cannot be what it was planned to be."""


def run(command: Command, log: int, text: str | None = None) -> None:
    done = subprocess.run(
        command,
        input=None if text is None else text.encode(),
        stdout=log,
        stderr=log,
        env=ENVIRONMENT,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode != 0:
        raise HostFailedError(f"{command[0]!r} ended with {done.returncode}")


def set_network(host: Host, log: int) -> None:
    """Addresses are there at once: no duplicate detection, no router asked."""
    for key in ("accept_dad", "accept_ra"):
        for device in ("all", "default", "eth0"):
            Path(f"/proc/sys/net/ipv6/conf/{device}/{key}").write_text("0", encoding="ascii")
    batch = f"""
link set lo up
address add {ipv4(host.octet)}/24 dev eth0
address add {ipv6(host.octet)}/64 dev eth0 nodad
link set eth0 up
"""
    run(("ip", "-batch", "-"), log, batch)
    for name, value in host.sysctl:
        Path("/proc/sys", *name.split(".")).write_text(value, encoding="ascii")
    if host.firewall:
        run(("nft", "-f", "-"), log, host.firewall)
    if host.namespace:
        add_namespace(host.namespace, log)


def add_namespace(name: str, log: int) -> None:
    """A network namespace with a wire to the host, as a container has it."""
    outside = f"""
netns add {name}
link add to-{name} type veth peer name eth0 netns {name}
address add {INNER4}1/30 dev to-{name}
link set to-{name} up
"""
    inside = f"""
link set lo up
address add {INNER4}2/30 dev eth0
link set eth0 up
route add default via {INNER4}1
"""
    run(("ip", "-batch", "-"), log, outside)
    run(("ip", "-n", name, "-batch", "-"), log, inside)


def set_identity(host: Host) -> None:
    socket.sethostname(host.name)
    names = "127.0.0.1 localhost\n::1 localhost\n" + "".join(f"{address} {name}\n" for name, address in NAMES.items())
    mounts.own_file("/etc/hostname", f"{host.name}\n")
    mounts.own_file("/etc/hosts", names)
    mounts.own_file("/etc/resolv.conf", f"nameserver {NAMES['dns1']}\noptions timeout:1 attempts:1\n")
    accounts = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
    # bash reads ~/.bashrc when sshd starts it: this machine's must have no say.
    accounts = [":".join((*one.split(":")[:6], "/bin/sh")) if one.startswith("root:") else one for one in accounts]
    mounts.own_file("/etc/passwd", "\n".join([*accounts, *host.accounts]) + "\n")
    for line in host.accounts:
        account, _password, uid, gid, _gecos, home, _shell = line.split(":")
        mounts.own_file("/etc/shadow", Path("/etc/shadow").read_text(encoding="utf-8") + f"{account}:*:1::::::\n")
        mounts.own_file("/etc/group", Path("/etc/group").read_text(encoding="utf-8") + f"{account}:x:{gid}:\n")
        os.mkdir(home, 0o700)
        os.chown(home, int(uid), int(gid))


def _become(service: Service, groups: Path | None) -> Callable[[], None]:
    entry = pwd.getpwnam(service.user)

    def prepare() -> None:
        if groups is not None:
            cgroups.enter(groups, service.unit)
        os.setsid()
        if service.user != "root":
            os.initgroups(service.user, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)

    return prepare


def start(service: Service, groups: Path | None, log: int) -> subprocess.Popen[bytes]:
    for path, text in service.files.items():
        Path(path).write_text(text, encoding="utf-8")
    for command in service.before:
        run(command, log)
    return subprocess.Popen(
        service.command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env={**ENVIRONMENT, **service.environment},
        preexec_fn=_become(service, groups),
    )


def hold(unit_name: str, port: int, groups: Path | None) -> socket.socket:
    """A socket of process 1 itself, made inside the socket unit's group as systemd does."""
    if groups is not None:
        cgroups.enter(groups, f"system.slice/{unit_name}")
    held = socket.create_server(("127.0.0.1", port))
    if groups is not None:
        cgroups.enter(groups, "init.scope")
    return held


def listening() -> set[str]:
    """Ports of this namespace on which something listens, as ``tcp/80``."""
    found = set()
    for protocol, state in (("tcp", "0A"), ("udp", "07")):
        for table in (protocol, protocol + "6"):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == state:
                    found.add(f"{protocol}/{int(fields[1].rpartition(':')[2], 16)}")
    return found


def await_services(running: dict[int, Service]) -> None:
    deadline = time.monotonic() + PATIENCE
    wanted = {port for service in running.values() for port in service.listens}
    while not wanted <= listening():
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            raise HostFailedError(f"{running[pid].unit} ended with status {os.waitstatus_to_exitcode(status)}")
        if time.monotonic() > deadline:
            raise HostFailedError(f"nothing listens on {sorted(wanted - listening())} after {PATIENCE:.0f} s")
        time.sleep(0.02)


def bring_up(host: Host, log: int) -> tuple[list[tuple[Service, subprocess.Popen[bytes]]], list[socket.socket]]:
    in_group = Path("/proc/self/cgroup").read_text(encoding="ascii")
    groups = Path("/sys/fs/cgroup") if os.environ.get("FLEET_UNITS") == "yes" and "0::/" in in_group else None
    mounts.make_view(groups)
    # Copies that every account can read, wherever the checkout and the fleet's state lie.
    shutil.copy(PLANTED_SOURCE, PLANTED_SOCKET)
    shutil.copy(CLIENT_KEY.with_suffix(".pub"), AUTHORIZED_KEYS)
    set_identity(host)
    if groups is not None:
        cgroups.enter(groups, "init.scope")
    set_network(host, log)
    held = [hold(name, port, groups) for name, port in host.held_by_init]
    started = [(service, start(service, groups, log)) for service in host.services]
    await_services({process.pid: service for service, process in started})
    for service in host.services:
        for command in service.after:
            run(command, log)
    return started, held


def reap(running: dict[int, Service]) -> None:
    """For as long as the host lives. A planted service that ends is written down: the truth no longer holds."""
    while True:
        pid, status = os.wait()
        if pid in running:
            print(f"{running[pid].unit} ended with status {os.waitstatus_to_exitcode(status)}", file=sys.stderr)
            print("lost", running.pop(pid).unit, flush=True)


def main() -> None:
    host = HOSTS[sys.argv[1]]
    Path("/proc/self/comm").write_text("init", encoding="ascii")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = os.open(host_dir(host.name) / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    os.umask(0o022)
    print("apart", flush=True)
    if sys.stdin.readline() != "linked\n":
        raise SystemExit("the keeper is gone")
    try:
        started, _held = bring_up(host, log)
    except (HostFailedError, OSError, subprocess.SubprocessError) as error:
        print(f"failed {type(error).__name__}: {error}".replace("\n", " "), flush=True)
        raise
    print("up", flush=True)
    reap({process.pid: service for service, process in started})


if __name__ == "__main__":
    main()
