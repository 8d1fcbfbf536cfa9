# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ten hosts behind default-drop firewalls, one without a firewall, and a place to look from: network namespaces on a
bridge, with the services that such hosts have.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

NETWORK = "198.18.210"
#: On the host without a firewall: services that take connections and never say a word.
MUTE = (7001, 7002, 8088, 9443, 50000)
_MUTE_PROGRAM = """
import socket, sys, time
kept = [socket.create_server(("0.0.0.0", int(port))) for port in sys.argv[1:]]
time.sleep(86400)
"""
_OPENED = (22, 53, 80, 443, 3306, 6379)
_FIREWALL = f"""
table inet host {{
  chain input {{
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    tcp dport {{ {", ".join(map(str, _OPENED))} }} accept
  }}
}}
"""
_NGINX = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 80; listen 443 ssl; ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key;
            location / {{ return 200 'here'; }} }}
}}
"""


@dataclasses.dataclass(frozen=True)
class FirewalledHosts:
    """``silent``: address to its open ports, default drop otherwise. ``answering``: closed ports say so."""

    vantage: str
    silent: dict[str, tuple[int, ...]]
    answering: str

    def inside(self, *argv: str) -> list[str]:
        """A command as it is run at the place that looks."""
        return ["ip", "netns", "exec", self.vantage, *argv]


_WEB, _CACHE, _DATABASE, _NAMES = (22, 80, 443), (22, 6379), (22, 3306), (22, 53)


@contextlib.contextmanager
def firewalled_hosts() -> Iterator[FirewalledHosts]:
    """Needs root, and ends what it started."""
    kinds = [_WEB] * 4 + [_CACHE] * 2 + [_DATABASE] * 2 + [_NAMES] * 2
    silent = {f"{NETWORK}.{11 + number}": kind for number, kind in enumerate(kinds)}
    answering = f"{NETWORK}.30"
    mark = os.getpid()
    bridge, vantage = f"benchbr{mark}", f"benchfrom{mark}"
    spaces = {address: f"bench{address.rpartition('.')[2]}x{mark}" for address in (*silent, answering)}
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            _run(
                f"ip netns add {bridge}", f"ip -n {bridge} link add br0 type bridge", f"ip -n {bridge} link set br0 up"
            )
            _plug(bridge, vantage, f"{NETWORK}.1", 0)
            for number, (address, space) in enumerate(spaces.items(), 1):
                _plug(bridge, space, address, number)
            for address, ports in {**silent, answering: (22, 80)}.items():
                own = Path(folder, address)
                own.mkdir(mode=0o755)
                if address in silent:
                    nft = ["ip", "netns", "exec", spaces[address], "nft", "-f", "-"]
                    subprocess.run(nft, input=_FIREWALL.encode(), check=True)
                mute = [[sys.executable, "-c", _MUTE_PROGRAM, *map(str, MUTE)]] if address == answering else []
                for command in (*_services(ports, own), *mute):
                    started = ["ip", "netns", "exec", spaces[address], *command]
                    running.append(
                        subprocess.Popen(
                            started, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                        )
                    )
            found = FirewalledHosts(vantage, silent, answering)
            _wait_for({**silent, answering: (22, 80, *MUTE)}, found)
            yield found
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(20)
            for space in (vantage, *spaces.values(), bridge):
                subprocess.run(["ip", "netns", "del", space], check=False, stderr=subprocess.DEVNULL)


def _plug(bridge: str, space: str, address: str, number: int) -> None:
    _run(
        f"ip netns add {space}",
        f"ip -n {space} link add eth0 type veth peer name port{number} netns {bridge}",
        f"ip -n {bridge} link set port{number} master br0 up",
        f"ip -n {space} addr add {address}/24 dev eth0",
        f"ip -n {space} link set lo up",
        f"ip -n {space} link set eth0 up",
    )


def _services(ports: Sequence[int], folder: Path) -> Iterator[list[str]]:
    if 22 in ports:
        key, config = folder / "host_key", folder / "sshd.conf"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        config.write_text(
            f"HostKey {key}\nPidFile none\nUseDNS no\nUsePAM no\nMaxStartups 200:30:400\n", encoding="utf-8"
        )
        # "ip netns exec" gives a mount namespace of its own: nothing is left in /run.
        sshd = f"mount -t tmpfs run /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -f {config}"
        yield ["sh", "-c", sshd]
    if 80 in ports:
        certificate = (
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=web -days 2"
            f" -keyout {folder}/tls.key -out {folder}/tls.crt"
        )
        subprocess.run(certificate.split(), check=True, stderr=subprocess.DEVNULL)
        config = folder / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder), encoding="utf-8")
        yield ["nginx", "-e", str(folder / "error.log"), "-c", str(config), "-g", "daemon off;"]
    if 6379 in ports:
        yield shlex.split(f"redis-server --bind 0.0.0.0 --port 6379 --protected-mode no --save '' --dir {folder}")
    if 3306 in ports:
        own = (
            f"--no-defaults --datadir={folder}/data --user=root --innodb-buffer-pool-size=16M --innodb-log-file-size=8M"
        )
        subprocess.run(
            ["mariadb-install-db", *own.split(), "--skip-test-db", "--auth-root-authentication-method=normal"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        yield [
            "mariadbd",
            *own.split(),
            f"--socket={folder}/socket",
            f"--pid-file={folder}/pid",
            "--bind-address=0.0.0.0",
        ]
    if 53 in ports:
        yield shlex.split(f"dnsmasq -k -C /dev/null --no-resolv --no-hosts --user=root --pid-file={folder}/dnsmasq.pid")


def _wait_for(hosts: dict[str, tuple[int, ...]], there: FirewalledHosts) -> None:
    """Until each service takes connections, asked from where the benchmark looks."""
    asks = "import socket,sys\nfor a in sys.argv[1:]: h,p=a.split(':'); socket.create_connection((h,int(p)),2).close()"
    everything = [f"{address}:{port}" for address, ports in hosts.items() for port in ports]
    for _attempt in range(60):
        if (
            subprocess.run(
                there.inside("python3", "-c", asks, *everything), check=False, stderr=subprocess.DEVNULL
            ).returncode
            == 0
        ):
            return
        time.sleep(0.5)
    raise SystemExit("the hosts of the benchmark did not come up within 30 seconds")


def _run(*commands: str) -> None:
    for command in commands:
        subprocess.run(command.split(), check=True)
