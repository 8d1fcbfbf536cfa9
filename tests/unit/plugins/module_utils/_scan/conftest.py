# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A vantage point and hosts in network namespaces, with real listeners and real firewalls."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.vigil.ports.tests.unit.readable_tree import UNPRIVILEGED, readable_python, readable_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HERE = Path(__file__).resolve().parent

FIREWALL = """
table inet lab {
  chain input {
    type filter hook input priority 0; policy accept;
    meta l4proto icmpv6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    ip daddr 198.18.200.3 jump silent
    ip6 daddr fd00:c8::3 jump silent
    ip daddr 198.18.200.4 jump rejecting
    ip6 daddr fd00:c8::4 jump rejecting
  }
  chain silent {
    tcp dport { 22, 443, 8443 } accept
    drop
  }
  chain rejecting {
    tcp dport 1 reject
    tcp dport 2 reject with icmpx type admin-prohibited
    tcp dport 3 reject with tcp reset
    tcp dport 4 reject with icmpx type host-unreachable
    tcp dport 5 drop
  }
  chain everywhere {
    type nat hook prerouting priority dstnat;
    ip daddr 198.18.200.5 tcp dport 1-65535 redirect to :21
    ip6 daddr fd00:c8::5 tcp dport 1-65535 redirect to :8443
  }
}
"""


@dataclass(frozen=True)
class Lab:
    """``open_``: no firewall; ``silent``: default drop, 22 and 443 let through; ``shielded``: every port answers
    open; ``fickle``: 21 and 443 as the rules of a test say (``with_rules``); ``missing``: nobody."""

    vantage: str
    hosts: str
    open_: str = "198.18.200.2"
    silent: str = "198.18.200.3"
    rejecting: str = "198.18.200.4"
    shielded: str = "198.18.200.5"
    fickle: str = "198.18.200.6"
    missing: str = "198.18.200.9"
    open6: str = "fd00:c8::2"
    silent6: str = "fd00:c8::3"
    rejecting6: str = "fd00:c8::4"
    shielded6: str = "fd00:c8::5"
    missing6: str = "fd00:c8::9"

    def command(self, *, unprivileged: bool = False, python: str | None = None) -> list[str]:
        drop = UNPRIVILEGED if unprivileged else ()
        python = python or (readable_python() if unprivileged else sys.executable)
        program = (HERE / "scan_program.py").read_text(encoding="utf-8")  # who has dropped privileges may not read it
        return ["ip", "netns", "exec", self.vantage, *drop, python, "-c", program]

    def scan(
        self, addresses: Sequence[str], *, unprivileged: bool = False, env: dict[str, str] | None = None, **options: Any
    ) -> dict[str, Any]:
        listening = options.pop("listening", [])
        targets = [{"host": f"host of {a}", "address": a, "listening": listening} for a in addresses]
        done = subprocess.run(
            self.command(unprivileged=unprivileged),
            input=json.dumps({"targets": targets, **options}).encode(),
            env={**scan_environment(), **(env or {})},
            capture_output=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    @contextmanager
    def with_rules(self, rules: str) -> Iterator[None]:
        """While it lasts, the firewall of ``fickle`` has these rules, one a line."""
        nft = ["ip", "netns", "exec", self.hosts, "nft"]
        chain = f"type filter hook input priority -1; policy accept; ip daddr != {self.fickle} accept\n{rules}\n"
        subprocess.run(
            [*nft, "-f", "-"], input=f"table ip fickle {{\nchain input {{\n{chain}}}\n}}\n".encode(), check=True
        )
        try:
            yield
        finally:
            subprocess.run([*nft, "delete", "table", "ip", "fickle"], check=True)

    def rules_of_fickle(self) -> str:
        """The rules as nft lists them, with their counters."""
        listed = ["ip", "netns", "exec", self.hosts, "nft", "list", "table", "ip", "fickle"]
        return subprocess.run(listed, capture_output=True, check=True, text=True).stdout


def scan_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(readable_tree()), "PYTHONDONTWRITEBYTECODE": "1"}


def _by_port(target: dict[str, Any]) -> dict[tuple[str, int], str]:
    """The state of every single port of a target; fails when a port is in two rows."""
    found: dict[tuple[str, int], str] = {}
    for row in [*target["states"], *({**row, "state": "unknown"} for row in target["unknown"])]:
        for part in row["ports"].split(","):
            first, _dash, last = part.partition("-")
            for port in range(int(first), int(last or first) + 1):
                assert (row["protocol"], port) not in found, "a port in two rows"
                found[row["protocol"], port] = row["state"]
    return found


@pytest.fixture(scope="session")
def by_port() -> Callable[[dict[str, Any]], dict[tuple[str, int], str]]:
    return _by_port


@pytest.fixture(scope="session")
def nmap_path() -> str:
    found = shutil.which("nmap")
    if found is None:
        pytest.skip("needs the nmap program")
    return found


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if os.geteuid() != 0:
        pytest.skip("needs root: makes network namespaces")
    missing = [tool for tool in ("ip", "nft", "dnsmasq", "setpriv") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    vantage, hosts = f"scanfrom{os.getpid()}", f"scanhosts{os.getpid()}"
    running: list[subprocess.Popen[bytes]] = []
    try:
        _network(vantage, hosts)
        subprocess.run(["ip", "netns", "exec", hosts, "nft", "-f", "-"], input=FIREWALL.encode(), check=True)
        running.append(
            subprocess.Popen(
                ["ip", "netns", "exec", hosts, sys.executable, str(HERE / "listeners_program.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        assert running[0].stdout
        assert sorted(running[0].stdout.readline() for _listener in range(3)) == [b"21\n", b"443\n", b"8443\n"]
        pid_file = tmp_path_factory.mktemp("dnsmasq") / "pid"
        dns = ["dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--user=root", f"--pid-file={pid_file}"]
        listen = ["--bind-interfaces", "--listen-address=198.18.200.2", "--listen-address=fd00:c8::2"]
        running.append(subprocess.Popen(["ip", "netns", "exec", hosts, *dns, *listen], stderr=subprocess.DEVNULL))
        _wait_for_udp(hosts)
        yield Lab(vantage, hosts)
    finally:
        for process in running:
            process.kill()
            process.communicate()
        left = subprocess.run(["ip", "netns", "pids", vantage], capture_output=True, check=False).stdout.split()
        for pid in left:  # of a test that failed
            os.kill(int(pid), signal.SIGKILL)
        for name in (vantage, hosts):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def _network(vantage: str, hosts: str) -> None:
    commands = [
        f"ip netns add {vantage}",
        f"ip netns add {hosts}",
        f"ip -n {vantage} link add lab0 type veth peer name lab1 netns {hosts}",
        f"ip -n {vantage} addr add 198.18.200.1/24 dev lab0",
        f"ip -n {vantage} addr add fd00:c8::1/64 dev lab0 nodad",
        *(f"ip -n {hosts} addr add 198.18.200.{last}/24 dev lab1" for last in (2, 3, 4, 5, 6)),
        *(f"ip -n {hosts} addr add fd00:c8::{last}/64 dev lab1 nodad" for last in (2, 3, 4, 5)),
        *(f"ip -n {name} link set lo up" for name in (vantage, hosts)),
        f"ip -n {vantage} link set lab0 up",
        f"ip -n {hosts} link set lab1 up",
        f"ip netns exec {hosts} sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0",
    ]
    for command in commands:
        subprocess.run(command.split(), check=True)
    for name, link in ((vantage, "lab0"), (hosts, "lab1")):
        _wait_for(lambda namespace=name, device=link: _has_link_local(namespace, device), "link-local addresses")


def _has_link_local(namespace: str, device: str) -> bool:
    """nmap asks for IPv6 neighbours from this address, which takes a second or two to be its own (RFC 4862)."""
    show = ["ip", "-n", namespace, "-6", "addr", "show", "dev", device, "scope", "link"]
    told = subprocess.run(show, capture_output=True, check=True).stdout
    return b"fe80:" in told and b"tentative" not in told


def _wait_for_udp(hosts: str) -> None:
    listening = ["ip", "netns", "exec", hosts, "ss", "-Hlun"]
    _wait_for(lambda: subprocess.run(listening, capture_output=True, check=True).stdout.count(b":53 ") >= 2, "dnsmasq")


def _wait_for(is_there: Callable[[], bool], what: str) -> None:
    for _attempt in range(100):
        if is_there():
            return
        time.sleep(0.1)
    raise TimeoutError(f"{what}: not there after 10 seconds")
