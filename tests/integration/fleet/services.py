# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real services, each as its unit on a Debian host would start it."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path

from .layout import host_dir

PYTHON = "/usr/bin/python3"
PLANTED_SOURCE = Path(__file__).with_name("planted_socket.py")
PLANTED_SOCKET = "/run/fleet/planted_socket.py"
HIDING_SOURCE = Path(__file__).with_name("hide_port.c")
HIDING = "/run/fleet/hide_port.so"
AUTHORIZED_KEYS = "/run/fleet/authorized_keys"

Command = tuple[str | bytes, ...]


@dataclasses.dataclass(frozen=True)
class Service:
    """A process of a host, and what must be there before the host counts as up."""

    unit: str  # path of its control group
    command: Command
    listens: tuple[str, ...]  # "tcp/80": awaited
    user: str = "root"
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    before: tuple[Command, ...] = ()
    after: tuple[Command, ...] = ()
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


def unit(name: str) -> str:
    return f"system.slice/{name}"


def sshd(host: str, *, port: int = 22, name: str = "ssh", hides: int | None = None) -> Service:
    """``hides``: a TCP port that nobody sees who looks at the host through this server."""
    config = f"/run/fleet/{name}.conf"
    # MaxStartups: three scanners that try versions at once must not be turned away by chance.
    text = f"""
Port {port}
PidFile /run/{name}.pid
HostKey {host_dir(host)}/host_key
AuthorizedKeysFile {AUTHORIZED_KEYS}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
StrictModes no
PrintMotd no
X11Forwarding no
LoginGraceTime 20
MaxStartups 200:30:400
MaxSessions 50
Subsystem sftp internal-sftp
"""
    before: tuple[Command, ...] = ()
    if hides is not None:
        text += f"SetEnv LD_PRELOAD={HIDING}\n"
        before = (
            ("gcc", "-Wall", "-Werror", "-shared", "-fPIC", f"-DHIDDEN={hides}", "-o", HIDING, str(HIDING_SOURCE)),
        )
    return Service(
        unit=unit(f"{name}.service"),
        command=("/usr/sbin/sshd", "-D", "-e", "-f", config),
        listens=(f"tcp/{port}",),
        files={config: text},
        before=before,
    )


def nginx(*servers: str, listens: tuple[str, ...], before: tuple[Command, ...] = ()) -> Service:
    body = "\n".join(f"server {{ {server} location / {{ return 200 'fleet\\n'; }} }}" for server in servers)
    text = f"""
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx-error.log;
events {{ worker_connections 256; }}
http {{ access_log off; server_tokens on; {body} }}
"""
    config = "/run/fleet/nginx.conf"
    return Service(
        unit=unit("nginx.service"),
        command=("/usr/sbin/nginx", "-e", "/var/log/nginx-error.log", "-c", config, "-g", "daemon off;"),
        listens=listens,
        files={config: text},
        before=before,
    )


def words(text: str) -> Command:
    return tuple(shlex.split(text))


def certificate(name: str) -> Command:
    """A self-signed certificate below /run/fleet."""
    return words(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -days 30"
        " -keyout /run/fleet/tls.key -out /run/fleet/tls.crt"
    )


def redis(*addresses: str) -> Service:
    return Service(
        unit=unit("redis-server.service"),
        command=words(
            f"/usr/bin/redis-server --bind {' '.join(addresses)} --port 6379 --protected-mode no --save ''"
            " --dir /var/lib/redis"
        ),
        listens=("tcp/6379",),
        user="redis",
    )


def mariadb() -> Service:
    common = "--no-defaults --datadir=/var/lib/mysql --innodb-buffer-pool-size=16M --innodb-log-file-size=8M"
    return Service(
        unit=unit("mariadb.service"),
        command=words(
            f"/usr/sbin/mariadbd {common} --socket=/run/mysqld/mysqld.sock --pid-file=/run/mysqld/mysqld.pid"
            " --bind-address=0.0.0.0 --port=3306 --skip-name-resolve --max-connect-errors=1000000"
        ),
        listens=("tcp/3306",),
        user="mysql",
        before=(
            words(f"mariadb-install-db {common} --user=mysql --skip-test-db --auth-root-authentication-method=normal"),
        ),
    )


def dnsmasq(names: Mapping[str, str]) -> Service:
    hosts = "\n".join(f"{address} {name}" for name, address in names.items()) + "\n"
    return Service(
        unit=unit("dnsmasq.service"),
        command=words(
            "/usr/sbin/dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts"
            " --addn-hosts=/run/fleet/names --user=dnsmasq --pid-file=/run/fleet/dnsmasq.pid"
        ),
        listens=("tcp/53", "udp/53"),
        files={"/run/fleet/names": hosts},
    )


def planted(
    address: str,
    port: int,
    *options: str,
    unit_path: str = "system.slice/planted.service",
    user: str = "nobody",
    rest: tuple[str | bytes, ...] = (),
    prefix: Command = (),
    name: bytes | None = None,
    banner: bytes | None = None,
) -> Service:
    """One planted socket; see ``planted_socket.py`` for the options."""
    command: list[str | bytes] = [*prefix, PYTHON, PLANTED_SOCKET, address, str(port), *options]
    if name is not None:
        command += ["--name", name.hex()]
    if banner is not None:
        command += ["--banner", banner.hex()]
    if rest:
        command += ["--rest", *rest]
    protocol = "udp" if "--udp" in options else "tcp"
    # A socket in another network namespace is not seen from the host's: waited for by the tests.
    awaited = () if prefix else (f"{protocol}/{port}",)
    return Service(unit=unit_path, command=tuple(command), listens=awaited, user=user)
