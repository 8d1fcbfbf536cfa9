# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the first inputs of the corpus from real things: this kernel, this machine's files, nmap, and an audit.

    unshare --net python tests/fuzz/capture.py

It listens and scans in the network namespace that it is started in, which must be a new one.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._listeners import netlink
from ansible_collections.vigil.ports.plugins.module_utils._scan.import_engine import import_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.result import result
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.tests.fuzz.corpus_files import save
from ansible_collections.vigil.ports.tests.fuzz.targets import nmap_report
from ansible_collections.vigil.ports.tests.fuzz.targets.pieces import joined
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

SYSTEMCTL = b"""Id=ssh.socket
Triggers=ssh.service
Listen=0.0.0.0:22 (Stream)
Listen=[::]:22 (Stream)

Id=cups.socket
Triggers=cups.service
Listen=/run/cups/cups.sock (Stream)

Id=syslog-relay.socket
Triggers=syslog-relay.service
Listen=[fe80::1]:514%eth0 (Datagram)
"""
SERVICES = b"""ExecStart={ path=/usr/sbin/sshd ; argv[]=/usr/sbin/sshd -D ; ignore_errors=no ; start_time=[n/a] ; \
stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }
ExecStartEx={ path=/usr/sbin/sshd ; argv[]=/usr/sbin/sshd -D ; flags=privileged ; start_time=[n/a] ; \
stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }
RootDirectory=
RootImage=
User=nobody
Id=ssh.service
LoadState=loaded
"""
INVENTORY: dict[str, Any] = {
    "vigil_ports__web": [
        {
            "port": [443, "8000-8010"],
            "protocol": "tcp",
            "address": ["192.0.2.0/24", "loopback"],
            "service": "https",
            "process": "nginx",
            "reachable_from": ["internet"],
            "required": False,
            "justification": "Public web site",
            "owner": "web-team",
            "review_by": "2027-01-31",
        }
    ],
    "vigil_exceptions__migration": [
        {"port": 8080, "reason": "Until the cut-over", "owner": "web-team", "expires": "2026-12-15"}
    ],
    "vigil_addresses": {"internet": ["192.0.2.10"], "default": ["web1.example"]},
}


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    listening = [listen(socket.AF_INET, "127.0.0.1", 80), listen(socket.AF_INET6, "::", 8000)]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("0.0.0.0", 53))
    capture_kernel()
    capture_files()
    capture_scan()
    save("socket_units", "systemctl", SYSTEMCTL)
    save("socket_units", "services", SERVICES)
    save("inventory", "whole", as_json(INVENTORY))
    save(
        "evidence", "listing", as_json(build.listening([build.listener(443), build.listener(53, "::", protocol="udp")]))
    )
    save("inventory", "edits", bytes((0, 3, 200, 9, 0, 1, 7, 1, 1)))
    save("evidence", "edits", bytes((0, 1, 3, 200, 9, 2, 1, 255, 0, 1)))
    save("port_sets", "ports", joined(b"22,80,8000-8010", b"1-65535"))
    save("scan_targets", "name", b"web1.example\n192.0.2.10\n2001:db8::10")
    save("scan_targets", "mapped", b"::ffff:192.0.2.10")
    for number in range(9):
        save("command_lines", f"form{number}", bytes((number,)) + joined(b"--config\0/etc/app.conf", b"--port=80\0-v"))
    for made in (*listening, datagrams):
        made.close()


def listen(family: int, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    made.bind((address, port))
    made.listen()
    return made


def as_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode("ascii") + b"\n"


def capture_kernel() -> None:
    """Datagrams and messages of this kernel."""
    request = struct.Struct("=BBBBI48x")
    for name, family, number, state in (("tcp4", 2, 6, 10), ("tcp6", 10, 6, 10), ("udp4", 2, 17, 7)):
        with netlink.open_netlink(netlink.SOCK_DIAG) as opened:
            body = request.pack(family, number, 0, 0, 1 << state)
            opened.send(struct.pack("=IHHII", 16 + len(body), 20, 0x301, 1, 0) + body)
            datagram = opened.recv(1 << 17)
        save("netlink", name, datagram)
        save("inet_diag", name, next(netlink.messages(datagram)).body)
    with netlink.open_netlink(netlink.ROUTE) as opened:
        opened.send(struct.pack("=IHHIIBBBBI", 24, 22, 0x301, 1, 0, 0, 0, 0, 0, 0))
        datagram = opened.recv(1 << 17)
    save("netlink", "addresses", datagram)
    for number, message in enumerate(netlink.messages(datagram)):
        save("own_addresses", f"lo{number}", message.body)


def capture_files() -> None:
    for name in ("tcp", "tcp6", "udp", "protocols"):
        save("proc_net", name, Path("/proc/self/net", name).read_bytes())
    save("proc_net", "port-range", Path("/proc/sys/net/ipv4/ip_local_port_range").read_bytes())
    unit = b"0::/system.slice/nginx.service\n"
    pod = b"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + b"ab" * 32 + b".scope\n"
    save("cgroups", "unit", unit)
    save("cgroups", "container", b"12:pids:/docker/" + b"cd" * 32 + b"\n1:name=systemd:/init.scope\n" + pod)
    save("cgroups", "mounts", b"30 23 0:26 / /sys/fs/cgroup\\040two rw - cgroup2 cgroup2 rw\n"
         b"99 24 0:4 net:[4026532301] /run/netns/blue rw - nsfs nsfs rw\n")  # fmt: skip
    save("processes", "nginx", joined(b"nginx", b"nginx: master process\0-g\0daemon off;\0", unit, b"/usr/sbin/nginx"))
    save("processes", "own", joined(b"python3", Path("/proc/self/cmdline").read_bytes()[-40:], pod, b"/x (deleted)"))
    stanza = b"Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-9\n\n"
    save(
        "dpkg_database", "nginx", joined(stanza * 2, b"/.\n/usr\n/usr/sbin\n/usr/sbin/nginx\n", b"/x\n/y\n:\n", b"1\n")
    )


def capture_scan() -> None:
    """What nmap writes of this namespace, and what is made of it."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        ports = "T:22,80,443,8000-8010,U:53"
        scan = ["nmap", "-n", "-Pn", "-sS", "-sU", "-sV", "--version-intensity", "0", "-p", ports, "-oX", report]
        subprocess.run([*scan, "127.0.0.1"], check=True, stdout=subprocess.DEVNULL)
        nmap = Path(report).read_bytes()
        save("nmap_report", "loopback", nmap)
        save("nmap_report", "cut", nmap[: len(nmap) * 2 // 3])
        outcome = import_report(nmap_report.REQUEST, nmap)
        told = result(nmap_report.TARGETS, outcome, "asked for", nmap_report.NOW, nmap_report.NOW)
        save("evidence", "scan", as_json({key: told[key] for key in ("targets", "coverage")}))
        save("results_file", "results", results(Path(folder, "run")))


def results(folder: Path) -> bytes:
    """``results.json`` of a run of one host, made in ``folder``."""
    run = RunDirectory(folder)
    for part in (run.path / "evidence/hosts", run.path / "evidence/scans"):
        part.mkdir(parents=True)
    run.write_run(build.run())
    run.write(HOSTS, build.host_evidence([build.declared(443)], [build.listener(443)]))
    judge_run(run)
    return run.results.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
