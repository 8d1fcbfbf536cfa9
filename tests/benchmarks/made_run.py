# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run directory with evidence of many hosts, as large as a fleet's, made without a fleet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import converted
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOST_SHAPE, HOSTS, HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.part import InventoryNames
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.seal_part import seal_part

DECLARATIONS = 40
LISTENERS = 45
_TIME = "2026-11-20T12:00:00Z"
_SETTINGS = {
    "fail_on": "medium",
    "every": 0,
    "accept_gaps": [],
    "expiring_days": 14,
    "too_broad_ports": 500,
    "too_broad_days": 730,
    "verify_bind": "disagreements",
    "scan_depth": "common",
    "scan_engine": "auto",
    "scan_versions": True,
    "scan_rate": 2000,
    "scan_target_rate": 500,
    "scan_retries": 1,
    "scan_timeout": 3600,
    "scan_host_timeout": 0,
}


def make_run(report_dir: Path, hosts: int) -> RunDirectory:
    """A run over so many hosts, each with 40 declarations and 45 listeners: 5 undeclared, one of these open."""
    run = begun(report_dir, [f"host{number:05}.example" for number in range(hosts)])
    for number, name in enumerate(run.read_run()["hosts"]):
        run.write(HOSTS, _host(number, name, _listeners(1000, LISTENERS)))
    run.put_scan("control", _share([_target(number, name) for number, name in enumerate(run.read_run()["hosts"])]))
    return run


def make_crowded_run(report_dir: Path, findings: int) -> RunDirectory:
    """A run over one host on which so many ports listen that nobody declared, and are open."""
    name, first = "crowded.example", 2000
    run = begun(report_dir, [name])
    run.write(HOSTS, _host(0, name, _listeners(first, findings)))
    run.put_scan(
        "control",
        _share([_target_with(0, name, range(first, first + findings), f"{first}-{first + findings - 1}", "1-1999")]),
    )
    return run


def make_parts(report_dir: Path, parts: int, hosts: int) -> Path:
    """The same evidence as of one run over all hosts, in sealed parts; returns the directory in which they are."""
    names = [f"host{number:05}.example" for number in range(parts * hosts)]
    inventory = InventoryNames({"all": names}).digest()
    for first in range(0, len(names), hosts):
        mine = names[first : first + hosts]
        part = {"campaign": "bench", "inside": True, "vantages": ["control"], "inventory": inventory}
        left_out = [*names[:first], *names[first + hosts :]]
        run = begun(report_dir, mine, part=part, left_out=left_out)
        numbered = list(enumerate(mine, first))
        for number, name in numbered:
            run.write(HOSTS, _host(number, name, _listeners(1000, LISTENERS)))
        run.put_scan("control", _share([_target(number, name) for number, name in numbered]))
        seal_part(run, dt.datetime(2026, 11, 20, 12, 5, tzinfo=dt.UTC))
    return report_dir


def begun(report_dir: Path, names: list[str], **more: Any) -> RunDirectory:
    """A run that was opened over these hosts."""
    run = RunDirectory.create(report_dir, dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC))
    run.write_run(
        {
            "run_id": run.run_id,
            "started": _TIME,
            "label": None,
            "audit_date": "2026-11-20",
            "check_mode": False,
            "settings": _SETTINGS,
            "vantages": [{"name": "control", "scanners": ["localhost"]}],
            "hosts": names,
            "left_out": [],
            "limit": None,
            "versions": {"vigil.ports": "0.1.0"},
            "controller": {"host": "control", "user": "audit", "kernel": "Linux 6.1.0", "ci_job": None},
            "command": ["ansible-playbook", "vigil.ports.audit"],
            "scanners": {"localhost": {"addresses": ["10.255.255.1"]}},
            "signing": None,
            "due": None,
            "inventory": {"commit": None, "dirty": None},
            **more,
        }
    )
    return run


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _host(number: int, name: str, listeners: Iterator[dict[str, Any]]) -> HostEvidence:
    declared = [
        {
            "port": 1000 + index,
            "process": f"service{index}",
            "reachable_from": ["control"] if index < 3 else [],
            "justification": f"Service {index} of the platform",
            "owner": f"team-{index % 7}",
            "approved_by": "netsec",
            "change": f"CHG-{1000 + index}",
        }
        for index in range(DECLARATIONS)
    ]
    row = {
        "shape": HOST_SHAPE,
        "host": name,
        "inventory": {"vigil_ports__platform": declared},
        "inventory_errors": [],
        "outside_addresses": {"default": [_address(number)]},
        "is_control": False,
        "status": "gathered",
        "message": None,
        "listening": {
            "listeners": list(listeners),
            "addresses": [{"interface": "eth0", "address": _address(number), "prefix": 8, "family": "ipv4"}],
            "host": {"hostname": name, "kernel": "6.1.0", "python": "3.11.2"},
            "coverage": _listing_coverage(),
        },
    }
    return converted(HostEvidence, row, "host")


def _listeners(first: int, count: int) -> Iterator[dict[str, Any]]:
    for index in range(count):
        owner = {
            "pid": 1000 + index,
            "name": f"service{index}",
            "executable": f"/usr/sbin/service{index}",
            "executable_deleted": False,
            "command": f"/usr/sbin/service{index} --config /etc/service{index}.conf",
            "uid": 100 + index,
            "user": f"service{index}",
            "unit": f"service{index}.service",
            "container": None,
            "package": {"name": f"service{index}", "version": "1.2.3-4", "manager": "dpkg"},
        }
        yield {
            "protocol": "tcp",
            "family": "ipv4",
            "address": "0.0.0.0",
            "port": first + index,
            "interface": None,
            "v6only": None,
            "namespace": "host",
            "uid": 100 + index,
            "user": f"service{index}",
            "unit": f"service{index}.service",
            "activates": None,
            "activated": None,
            "container": None,
            "owners": [owner],
            "owners_state": "known",
            "sockets": 1,
            "ephemeral": False,
        }


def _listing_coverage() -> dict[str, Any]:
    return {
        "started": _TIME,
        "finished": _TIME,
        "privileged": True,
        "sources": {"tcp_ipv4": "netlink", "tcp_ipv6": "netlink", "udp_ipv4": "netlink", "udp_ipv6": "netlink"},
        "not_looked_at": [],
        "owners": {"asked": "all", "complete": True, "unknown": 0},
        "namespaces": {"asked": "host", "seen": ["host"], "missed": []},
        "packages": {"asked": True, "manager": "dpkg", "complete": True},
        "problems": [],
    }


def _share(targets: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "scanner": "localhost",
        "instead_of": [],
        "plan": {
            "depth": "common",
            "targets": [],
            "refused": [],
            "known": "1000-1044",
            "udp_ports": "",
            "sweep": "",
            "top_ports": 1000,
        },
        "status": "scanned",
        "message": None,
        "targets": targets,
        "coverage": {
            "started": _TIME,
            "finished": _TIME,
            "engine": "nmap",
            "engine_version": "7.93",
            "why": "auto",
            "technique": "syn",
            "privileged": True,
            "rate": 500,
            "retries": 1,
            "asked": {"tcp": "1-1044", "udp": ""},
            "sent": None,
            "answered": 4,
            "timed_out": 0,
            "commands": [["nmap"]],
            "complete": True,
            "problems": [],
        },
    }


def _target(number: int, name: str) -> dict[str, Any]:
    opened = (1000, 1001, 1002, 1000 + DECLARATIONS)
    return _target_with(number, name, opened, "1000-1002,1040", "1-999,1003-1039,1041-1044")


def _target_with(number: int, name: str, opened: Iterable[int], as_text: str, filtered: str) -> dict[str, Any]:
    return {
        "host": name,
        "address": _address(number),
        "status": "complete",
        "reason": None,
        "states": [
            {"protocol": "tcp", "state": "open", "reason": "syn-ack", "ports": as_text},
            {"protocol": "tcp", "state": "filtered", "reason": "no-response", "ports": filtered},
        ],
        "unknown": [],
        "endpoints": [
            {"protocol": "tcp", "port": port, "state": "open", "reason": "syn-ack", "service": None, "scripts": []}
            for port in opened
        ],
    }
