# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small evidence: what a healthy run looks like, and single things to change in it."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import jsonschema
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.reconcile import audit
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import Record, converted, encoded
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence, RelistedEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.reachable import ScanEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._history.changes import Belief, fold
from ansible_collections.vigil.ports.plugins.plugin_utils._history.look import Look, host_state
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.new_run import SETTINGS

Json = dict[str, Any]
R = TypeVar("R", bound=Record)

TODAY = "2026-11-20"
TIME = "2026-11-20T13:15:00Z"
ADDRESS = "192.0.2.10"
SCHEMAS = Path(__file__).resolve().parents[4] / "schemas"


def declared(port: int | str | list[int | str], **more: Any) -> Json:
    """A declaration as somebody writes it."""
    return {"port": port, "justification": "needed", "owner": "web-team", **more}


def exception(port: int | str | list[int | str], **more: Any) -> Json:
    """An exception as somebody writes it; it holds for a month from TODAY."""
    return {"port": port, "reason": "until the cut-over", "owner": "web-team", "expires": "2026-12-20", **more}


def owner(**more: Any) -> Json:
    """A process that holds a socket."""
    row = {"pid": 812, "name": "nginx", "executable": "/usr/sbin/nginx", "executable_deleted": False, "command": None}
    row |= {"executable_seen_as": "host", "child_of": None}
    return {**row, "uid": 33, "user": "www-data", "unit": "nginx.service", "container": None, "package": None, **more}


def listener(port: int, address: str = "0.0.0.0", **more: Any) -> Json:
    """A row of listeners_info."""
    row: Json = {
        "protocol": "tcp",
        "family": f"ipv{ipaddress.ip_address(address).version}",
        "address": address,
        "port": port,
        "interface": None,
        "v6only": None if ":" not in address else False,
        "namespace": "host",
        "uid": 33,
        "user": "www-data",
        "unit": "nginx.service",
        "activates": None,
        "activated": None,
        "container": None,
        "owners": [owner()],
        "owners_state": "known",
        "sockets": 1,
        "ephemeral": False,
    }
    return {**row, **more}


def unowned(port: int, address: str = "0.0.0.0", **more: Any) -> Json:
    """A listener of which an unprivileged look tells no owner."""
    nobody: Json = {"owners": [], "owners_state": "unknown", "uid": None, "user": None, "unit": None}
    return listener(port, address, **{**nobody, **more})


def raw_socket(kind: str = "packet", **more: Any) -> Json:
    """A DHCP client's, unless another is given."""
    row: Json = {
        "kind": kind,
        "family": None if kind == "packet" else "ipv4",
        "number": 0x0800 if kind == "packet" else 1,
        "receives": True,
        "interface": "eth0" if kind == "packet" else None,
        "address": None if kind == "packet" else "0.0.0.0",
        "namespace": "host",
        "uid": 0,
        "user": "root",
        "unit": "ifup@eth0.service",
        "container": None,
        "owners": [
            owner(name="dhclient", executable="/usr/sbin/dhclient", uid=0, user="root", unit="ifup@eth0.service")
        ],
        "owners_state": "known",
        "sockets": 1,
    }
    return {**row, **more}


def listing_coverage(**more: Any) -> Json:
    whole: Json = {
        "started": TIME,
        "finished": TIME,
        "privileged": True,
        "sources": {
            **dict.fromkeys(("tcp_ipv4", "tcp_ipv6", "udp_ipv4", "udp_ipv6"), "netlink"),
            **dict.fromkeys(("packet", "raw_ipv4", "raw_ipv6"), "proc"),
        },
        "not_looked_at": [],
        "owners": {"asked": "all", "complete": True, "unknown": 0},
        "namespaces": {"asked": "host", "seen": ["host"], "missed": [], "left_out": []},
        "packages": {"asked": False, "manager": None, "complete": True},
        "problems": [],
    }
    return {**whole, **more}


def own_address(address: str, interface: str = "eth0", *, inner: bool = False) -> Json:
    return {
        "interface": interface,
        "address": address,
        "prefix": 24,
        "family": f"ipv{ipaddress.ip_address(address).version}",
        "inner": inner,
    }


def listening(listeners: Iterable[Json] = (), addresses: Iterable[Json] | None = None, **coverage: Any) -> Json:
    own = [own_address("127.0.0.1", "lo"), own_address(ADDRESS)] if addresses is None else list(addresses)
    return {
        "listeners": list(listeners),
        "raw_sockets": [],
        "translated": [],
        "addresses": own,
        "machine": machine("web1", ADDRESS),
        "host": {"hostname": "web1", "kernel": "6.1.0", "python": "3.11.2"},
        "coverage": listing_coverage(**coverage),
    }


def host_evidence(
    ports: Iterable[Json] = (), listeners: Iterable[Json] = (), exceptions: Iterable[Json] = (), **more: Any
) -> HostEvidence:
    """What is on disk for one host; a row that no host could send is refused here already."""
    inventory: Json = {"vigil_ports__web": list(ports)}
    if exceptions:
        inventory["vigil_exceptions__web"] = list(exceptions)
    row: Json = {
        "shape": "vigil.ports/evidence/host/1",
        "host": "web1",
        "inventory": inventory,
        "inventory_errors": [],
        "outside_addresses": {"default": [ADDRESS]},
        "is_control": False,
        "status": "gathered",
        "message": None,
        "listening": {**listening(listeners), "machine": machine(str(more.get("host", "web1")), ADDRESS)},
    }
    return converted(HostEvidence, {**row, **more}, "host")


def bound(state: str, ports: str, protocol: str = "tcp", reason: str | None = None, namespace: str = "host") -> Json:
    """A row of what bind() told."""
    return {"namespace": namespace, "protocol": protocol, "ports": ports, "state": state, "reason": reason}


def relisted(listeners: Iterable[Json] = (), bind: Iterable[Json] | None = None, **more: Any) -> RelistedEvidence:
    """The second listing of a host; ``bind`` is what bind() told, None when it was not asked."""
    rows = None if bind is None else list(bind)
    asked = {
        protocol: ",".join(row["ports"] for row in rows or () if row["protocol"] == protocol and row["ports"])
        for protocol in ("tcp", "udp")
    }
    seen: Json = listening(listeners)
    if rows is not None:
        seen["bind"] = {"asked": asked, "bound_are_listed": more.pop("bound_are_listed", True), "ports": rows}
    row: Json = {"shape": "vigil.ports/evidence/relisted/1", "host": "web1", "asked": asked, "status": "listed"}
    return converted(RelistedEvidence, {**row, "message": None, "listening": seen, **more}, "relisted")


def lost(status: str = "unreachable", message: str = "no route to host") -> RelistedEvidence:
    """A host that could not be listed again."""
    return relisted(bind=[bound("free", "8080")], status=status, message=message, listening=None)


def service(name: str, **more: Any) -> Json:
    row = {"name": name, "product": None, "version": None, "extra": None, "tunnel": None, "method": "probed"}
    return {**row, "confidence": 10, "cpes": [], **more}


def target(opened: Iterable[int] = (), asked: str = "1-1000,8000-8100", **more: Any) -> Json:
    """One address with all that was asked of it: these TCP ports open, the others closed."""
    opened = sorted(opened)
    row: Json = {
        "host": "web1",
        "address": ADDRESS,
        "status": "complete",
        "reason": None,
        "states": states(opened, asked),
        "unknown": [],
        "endpoints": [endpoint(port) for port in opened],
    }
    return {**row, **more}


def states(opened: Iterable[int], asked: str, rest: str = "closed") -> list[Json]:
    """Rows that share no port: those that are open, and the rest of what was asked."""
    opened = set(opened)
    ports: set[int] = set()
    for part in asked.split(","):
        first, _dash, last = part.partition("-")
        ports |= set(range(int(first), int(last or first) + 1))
    rows = [
        {"protocol": "tcp", "state": "open", "reason": "syn-ack", "ports": ",".join(map(str, sorted(opened)))},
        {"protocol": "tcp", "state": rest, "reason": "reset", "ports": spans(ports - opened)},
    ]
    return [row for row in rows if row["ports"]]


def spans(ports: Iterable[int]) -> str:
    """``{1, 2, 3, 7}`` as ``1-3,7``."""
    found: list[list[int]] = []
    for port in sorted(ports):
        if found and found[-1][1] == port - 1:
            found[-1][1] = port
        else:
            found.append([port, port])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def endpoint(port: int, **more: Any) -> Json:
    row = {"protocol": "tcp", "port": port, "state": "open", "reason": "syn-ack", "service": None, "scripts": []}
    row["identification"] = "identified" if (more.get("service") or {}).get("method") == "probed" else "not-asked"
    return {**row, **more}


def scan_coverage(**more: Any) -> Json:
    whole: Json = {
        "started": TIME,
        "finished": "2026-11-20T13:16:00Z",
        "engine": "nmap",
        "engine_version": "7.93",
        "why": "auto: nmap and python-nmap are there",
        "technique": "syn",
        "privileged": True,
        "rate": 1000,
        "retries": 1,
        "asked": {"tcp": "1-1000,8000-8100", "udp": ""},
        "sent": 1101,
        "answered": 1101,
        "timed_out": 0,
        "commands": [["nmap", "-sS", ADDRESS]],
        "complete": True,
        "problems": [],
    }
    return {**whole, **more}


def machine(name: str = "control1", *addresses: str, **more: Any) -> Json:
    """Which machine answered; each name is another one."""
    return {
        "id": f"id of {name}",
        "stack": f"stack of {name}",
        "addresses": list(addresses or ("192.0.2.200",)),
        **more,
    }


def plan(targets: Iterable[Json]) -> Json:
    """What a scanner was sent to ask."""
    nothing = {"known": "", "udp_ports": "", "sweep": "", "top_ports": 0}
    return {"depth": "known", "targets": list(targets), "refused": [], **nothing}


def share(targets: Iterable[Json], scanner: str = "control1", **more: Any) -> Json:
    """One scanner's part: it was sent to what it reports on."""
    targets = list(targets)
    planned = [{"host": row["host"], "address": row["address"]} for row in targets]
    row: Json = {
        "scanner": scanner,
        "status": "scanned",
        "message": None,
        "instead_of": [],
        "machines": [machine()],
        "known_as": None,
        "plan": plan(planned),
        "targets": targets,
        "coverage": scan_coverage(),
    }
    return {**row, **more}


def scan(targets: Iterable[Json], vantage: str = "internet", **more: Any) -> ScanEvidence:
    return scan_by([share(targets, **more)], vantage)


def scan_by(shares: Iterable[Json], vantage: str = "internet") -> ScanEvidence:
    """What several scanners of a vantage point saw; a row that none could send is refused here already."""
    row = {"shape": "vigil.ports/evidence/scan/1", "vantage": vantage, "shares": list(shares)}
    return converted(ScanEvidence, row, "scan")


def run(hosts: Iterable[str] = ("web1",), vantages: Iterable[Json] | None = None, **more: Any) -> Json:
    """What a run was asked; settings by their own names."""
    settings = {name: option["default"] for name, option in SETTINGS.items()}
    settings |= {key: more.pop(key) for key in list(more) if key in settings}
    row: Json = {
        "shape": "vigil.ports/evidence/run/1",
        "run_id": "20261120T131500Z-abcdef",
        "started": TIME,
        "label": None,
        "audit_date": TODAY,
        "check_mode": False,
        "settings": settings,
        "vantages": [{"name": "internet", "scanners": ["control1"]}] if vantages is None else list(vantages),
        "hosts": list(hosts),
        "left_out": [],
        "limit": None,
        "versions": {"vigil.ports": "0.1.0", "python": "3.11.2"},
        "controller": {"host": "control1", "user": "operator", "kernel": "Linux 6.1.0", "ci_job": None},
        "command": ["ansible-playbook", "vigil.ports.audit"],
        "scanners": {"control1": {"addresses": ["192.0.2.1"]}},
        "signing": None,
        "inventory": {"commit": None, "dirty": None},
        "due": None,
    }
    return {**row, **more}


class Remembered:
    """What history knew of earlier runs: their results, oldest first. Passed gates make a run green."""

    def __init__(self, *runs: Json) -> None:
        self._rows: dict[str, Json] = {}
        for results in runs:
            for row in results["hosts"]:
                self._look(results, row)
        last = None if not runs else {key: runs[-1]["run"][key] for key in ("run_id", "started")}
        green = next((row for row in self._rows.values() if row["green"]), None)
        started = {results["run"]["run_id"]: results["run"]["started"] for results in runs}
        self.head: Json = {
            "state": "ok" if runs else "first run",
            "message": None,
            "imported": 0,
            "unrecorded": 0,
            "last": last,
            "green": green and {"run_id": green["green"], "started": started[green["green"]]},
            "trend": [],
        }

    def _look(self, results: Json, row: Json) -> None:
        findings = [one for one in results["findings"] if one["host"] == row["host"]]
        look = Look(host_state(row, findings), results["known_ports"])
        known = self._rows.get(row["host"])
        belief, _changes = fold(Belief.read(known["now"]) if known else None, look, results["run"]["started"])
        now, run_id = belief.as_dict(), results["run"]["run_id"]
        green, at_green = (known["green"], known["at_green"] or known["now"]) if known else (None, None)
        if results["gate"]["passed"]:
            green, at_green = run_id, None
        self._rows[row["host"]] = {
            "host": row["host"],
            "last": run_id,
            "green": green,
            "now": now,
            "at_green": at_green if green and at_green != now else None,
        }

    def of(self, host: str) -> Json | None:
        return self._rows.get(host)


def judged(
    evidence: HostEvidence | None,
    scans: Iterable[ScanEvidence] | None = None,
    about: Json | None = None,
    *,
    valid: bool = True,
    before: Remembered | None = None,
    again: RelistedEvidence | None = None,
) -> Json:
    """The results for one host seen from ``internet``; they and the evidence are as their schemas say."""
    scans = [scan([target()])] if scans is None else list(scans)
    about = run() if about is None else about
    if valid:
        for part in filter(None, (about, evidence, again, *scans)):
            validator("evidence").validate(on_disk(part))
    results = audit(about, [("web1", evidence)], scans, before, {"web1": again} if again else None)
    if valid:
        validator("results").validate(results)
    return results


def changed(evidence: R, **more: Any) -> R:
    """The evidence with other values of some fields, given as rows."""
    return converted(type(evidence), {**on_disk(evidence), **more}, "evidence")


def edited(evidence: R, edit: Callable[[Json], object]) -> R:
    """The evidence after an edit of what its file holds."""
    row = on_disk(evidence)
    edit(row)
    return converted(type(evidence), row, "evidence")


def on_disk(evidence: Record | Json) -> Json:
    """The evidence as its file holds it."""
    return json.loads(encoded(evidence)) if isinstance(evidence, Record) else evidence  # type: ignore[no-any-return]


@functools.cache
def validator(name: str) -> Any:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def of_rule(results: Mapping[str, Any], rule: str) -> list[Json]:
    return [row for row in results["findings"] if row["rule"] == rule]


def statuses(results: Mapping[str, Any], rule: str) -> list[str]:
    return [row["status"] for row in of_rule(results, rule)]


def failures(results: Mapping[str, Any]) -> set[str]:
    """The rules that did not pass."""
    return {row["rule"] for row in results["findings"] if row["status"] != "pass"}


def days_from_today(days: int) -> str:
    return (dt.date.fromisoformat(TODAY) + dt.timedelta(days)).isoformat()
