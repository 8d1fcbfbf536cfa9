# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scans of hosts behind default-drop firewalls and of one without, against nmap and against what the packets cost.

nmap needs eight minutes for the ten hosts, so it does that once. With ``BENCH_QUICK=1`` it sweeps one of them, and
the row says that its time was multiplied.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bench
from firewalled_hosts import MUTE, FirewalledHosts, firewalled_hosts

COMMAND = "tests/benchmarks/bench_scan.py"
SCANNING = Path(__file__).with_name("scanning.py")
EVERYTHING = 65535
#: Declared ports, ports seen listening, ports seen open before: as a plan of depth "known" has them.
KNOWN = (22, 25, 53, 80, 443, 3306, 5432, 6379, 8080, 9100)
_LISTENING = (9100,)  # what each host listens on besides, and its firewall keeps in
_PRODUCTS = {22: "OpenSSH", 53: "dnsmasq", 80: "nginx", 443: "nginx", 3306: "MariaDB", 6379: "Redis key-value store"}
_STEADY = 5000  # packets per second


def rows() -> Iterator[bench.Row]:
    with firewalled_hosts() as hosts:
        yield _connects(hosts)
        yield _closed(hosts)
        for engine in ("nmap", "connect"):
            yield _silent(hosts, engine)
        yield _known(hosts)
        yield _mute(hosts)


def _mute(hosts: FirewalledHosts) -> bench.Row:
    """What versions add where services never speak: at most ten seconds, whatever their number."""
    targets = [{"host": address, "address": address} for address in (*hosts.silent, hosts.answering)]
    options = {"targets": targets, "ports": [*KNOWN, *MUTE], "canaries": 6, "confirm": True}
    found = _scan(hosts, {**options, "versions": True})()
    told = {(t["address"], e["port"]): e for t in found["targets"] for e in t["endpoints"]}
    expected = {(address, port) for address, ports in hosts.silent.items() for port in ports}
    identified = {place for place, endpoint in told.items() if endpoint["identification"] == "identified"}
    if identified != expected | {(hosts.answering, port) for port in (22, 80, 443)}:
        raise SystemExit(f"other services were identified than there are: {sorted(identified ^ expected)}")
    if {told[hosts.answering, port]["identification"] for port in MUTE} != {"timed-out"}:
        raise SystemExit("a service that never speaks must be timed-out")
    pair = bench.in_turn(
        _scan(hosts, {**options, "versions": True}), _scan(hosts, {**options, "versions": False}), rounds=3, warm_up=0
    )
    ours, without = statistics.median(pair.ours), statistics.median(pair.theirs)
    work = f"the same scan with a host more, {len(MUTE)} services of which never speak"
    times = f"{bench.seconds(ours)} / {bench.seconds(without)} + 10 s"
    return bench.Row(work, "without versions, and ten seconds", ours / (without + 10), 1.0, times, COMMAND)


def _known(hosts: FirewalledHosts) -> bench.Row:
    targets = [
        {"host": address, "address": address, "listening": [*ports, *_LISTENING]}
        for address, ports in hosts.silent.items()
    ]
    options = {"targets": targets, "ports": KNOWN, "canaries": 6, "confirm": True, "versions": True}
    _is_right(hosts, _scan(hosts, options)())
    ours = statistics.median(bench.timed(_scan(hosts, options)) for _round in range(5))
    quick = os.environ.get("BENCH_QUICK") == "1"
    swept = list(hosts.silent)[:1] if quick else list(hosts.silent)
    theirs = bench.timed(_nmap_finds(hosts, swept)) * len(hosts.silent) / len(swept)
    against = "`nmap -p- -T4` of the same hosts" + (", one of them swept and its time taken 10 times" if quick else "")
    work = f"`known` scan of 10 default-drop hosts: {len(KNOWN)} ports, 6 canaries, confirmed, with versions"
    times = f"{bench.seconds(ours)} / {bench.seconds(theirs)}"
    return bench.Row(work, against, ours / theirs, 0.01, times, COMMAND)


def _closed(hosts: FirewalledHosts) -> bench.Row:
    options = {"targets": _target(hosts.answering), "ports": [f"1-{EVERYTHING}"], "rate": _STEADY}
    (argv,) = _scan(hosts, options)()["coverage"]["commands"]
    with tempfile.TemporaryDirectory() as folder:
        argv[argv.index("-oX") + 1] = f"{folder}/nmap.xml"
        pair = bench.in_turn(_scan(hosts, options), bench.program(hosts.inside(*argv)), rounds=3, warm_up=0)
    work = f"`full` scan, closed answers, {_STEADY} packets/s"
    return bench.Row(work, "bare nmap with the same flags", pair.ratio, 1.05, pair.times, COMMAND)


def _silent(hosts: FirewalledHosts, engine: str) -> bench.Row:
    (address, opened), *_others = hosts.silent.items()
    options = {"targets": _target(address), "ports": [f"1-{EVERYTHING}"], "rate": _STEADY, "engine": engine}
    result: dict[str, Any] = {}
    took = bench.timed(lambda: result.update(_scan(hosts, options)()))
    if tuple(e["port"] for e in result["targets"][0]["endpoints"]) != opened or not result["coverage"]["complete"]:
        raise SystemExit(f"the {engine} engine did not see what was planted at {address}")
    least = EVERYTHING * (1 + result["coverage"]["retries"]) / _STEADY
    work = f"`full` scan of a default-drop host, {engine} engine, {_STEADY} packets/s"
    times = f"{bench.seconds(took)} / {bench.seconds(least)}"
    return bench.Row(work, "probes x (1 + retries) / rate", took / least, 1.15, times, COMMAND)


def _connects(hosts: FirewalledHosts) -> bench.Row:
    options = {"targets": _target(hosts.answering), "ports": [f"1-{EVERYTHING}"], "rate": 10**6, "engine": "connect"}
    argv = hosts.inside("nmap", "-n", "-Pn", "-sT", "-p-", "-T4", hosts.answering)
    pair = bench.in_turn(_scan(hosts, options), bench.program(argv), rounds=9)
    return bench.Row("connect engine, 65,535 ports", "`nmap -sT -p- -T4`", pair.ratio, 1.2, pair.times, COMMAND)


def _target(address: str) -> list[dict[str, str]]:
    return [{"host": address, "address": address}]


def _scan(hosts: FirewalledHosts, options: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    asked = json.dumps(options).encode()
    argv = hosts.inside(sys.executable, str(SCANNING))

    def run() -> dict[str, Any]:
        done = subprocess.run(argv, input=asked, capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the scan ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def _is_right(hosts: FirewalledHosts, result: dict[str, Any]) -> None:
    """A fast answer that is wrong is worth nothing."""
    for target in result["targets"]:
        found = {e["port"]: e["service"]["product"] for e in target["endpoints"] if e["service"]["method"] == "probed"}
        expected = {port: _PRODUCTS[port] for port in hosts.silent[target["address"]]}
        if target["status"] != "complete" or found != expected:
            raise SystemExit(f"the known scan did not see what was planted at {target['address']}: {found}")


def _nmap_finds(hosts: FirewalledHosts, addresses: Sequence[str]) -> Callable[[], None]:
    """nmap's own sweep; it must agree about every port, or its time is worth nothing."""
    argv = hosts.inside("nmap", "-p-", "-T4", "-oG", "-", *addresses)

    def run() -> None:
        told = subprocess.run(argv, capture_output=True, check=True, text=True).stdout
        for address in addresses:
            line = next(line for line in told.splitlines() if line.startswith(f"Host: {address} ") and "Ports:" in line)
            found = tuple(int(port) for port in re.findall(r"(\d+)/open/tcp", line))
            if found != hosts.silent[address]:
                raise SystemExit(f"nmap did not see what was planted at {address}: {found}")

    return run


def _measured() -> Iterator[bench.Row]:
    """With its modules compiled, as those of an installed program are; the first run compiles them."""
    with tempfile.TemporaryDirectory() as compiled:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = compiled
        yield from rows()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).resolve().parents[2] / ".cache" / "tree"))
    bench.main(_measured)
