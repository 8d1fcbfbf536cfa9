# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real scans of real listeners behind real firewalls: both engines, both families, with and without root."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ByPort = Callable[[dict[str, Any]], dict[tuple[str, int], str]]
ENGINES = ["nmap", "connect"]
PORTS = ["1-5", 21, 22, 53, 443, 8443]

# The planted truth: what a TCP port is from the vantage point, by address and port.
TRUTH = {
    "open_": {1: "closed", 5: "closed", 21: "open", 22: "closed", 53: "open", 443: "open", 8443: "closed"},
    "open6": {1: "closed", 5: "closed", 21: "closed", 53: "open", 443: "closed", 8443: "open"},
    "silent": {1: "filtered", 21: "filtered", 22: "closed", 53: "filtered", 443: "open", 8443: "closed"},
    "silent6": {1: "filtered", 22: "closed", 443: "closed", 8443: "open"},
    "rejecting": {1: "filtered", 2: "filtered", 3: "closed", 4: "filtered", 5: "filtered", 21: "open", 443: "open"},
    "rejecting6": {1: "filtered", 2: "filtered", 3: "closed", 4: "filtered", 5: "filtered", 8443: "open"},
}


@pytest.mark.parametrize("engine", ENGINES)
def test_both_engines_see_the_planted_states(lab: Any, engine: str, by_port: ByPort) -> None:
    result = lab.scan([getattr(lab, name) for name in TRUTH], ports=PORTS, engine=engine)
    assert result["coverage"]["complete"], result["coverage"]
    assert result["coverage"]["sent"] >= len(TRUTH) * 10
    for name, target in zip(TRUTH, result["targets"], strict=True):
        assert target["status"] == "complete"
        seen = by_port(target)
        assert len(seen) == 10
        assert {port: seen["tcp", port] for port in TRUTH[name]} == TRUTH[name], name
        assert [e["port"] for e in target["endpoints"]] == [p for (_tcp, p), s in sorted(seen.items()) if s == "open"]


def test_both_engines_give_equal_states_and_the_same_shape(lab: Any, by_port: ByPort) -> None:
    results = [lab.scan([lab.open_, lab.silent6, lab.rejecting], ports=["1-100", 443], engine=e) for e in ENGINES]
    assert [by_port(t) for t in results[0]["targets"]] == [by_port(t) for t in results[1]["targets"]]
    assert _shape(results[0]["targets"]) == _shape(results[1]["targets"])
    assert results[0]["coverage"].keys() == results[1]["coverage"].keys()


def _shape(targets: list[dict[str, Any]]) -> list[Any]:
    return [(sorted(t), sorted({key for e in t["endpoints"] for key in e})) for t in targets]


def test_reasons_tell_a_reject_from_a_closed_port(lab: Any) -> None:
    for engine in ENGINES:
        result = lab.scan([lab.rejecting, lab.rejecting6], ports=["1-5"], engine=engine)
        for target in result["targets"]:
            reasons = {row["ports"]: (row["state"], row["reason"]) for row in target["states"]}
            assert reasons["1"] == ("filtered", "port-unreach"), engine
            assert reasons["2"] == ("filtered", "admin-prohibited")
            assert reasons["3"][0] == "closed"
            assert reasons["4"] == ("filtered", "host-unreach")
            assert reasons["5"] == ("filtered", "no-response")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_host_that_is_not_there_is_unknown_not_filtered(lab: Any, engine: str, by_port: ByPort) -> None:
    addresses = [lab.missing, lab.open_, lab.missing6, "198.19.255.1", "fd00:dead::1"]
    result = lab.scan(addresses, ports=["1-60"], engine=engine)
    statuses = {t["address"]: t["status"] for t in result["targets"]}
    assert statuses == {a: "complete" if a == lab.open_ else "failed" for a in addresses}
    for target in result["targets"]:
        if target["status"] == "failed":
            assert target["reason"]
            assert set(by_port(target).values()) == {"unknown"}
    assert not result["coverage"]["complete"]


def test_hostile_targets_are_refused_and_the_others_scanned(lab: Any) -> None:
    hostile = ["-oN /etc/passwd", "a b", "$(id)", "10.0.0.0/8", "0x7f.1", "no-such-name.invalid"]
    result = lab.scan([*hostile, lab.open_], ports=[443], engine="nmap")
    assert [t["status"] for t in result["targets"]] == ["refused"] * 5 + ["failed", "complete"]
    for argv in result["coverage"]["commands"]:
        assert not set(hostile) & set(argv)
        assert argv[-1] == lab.open_


def test_udp_is_open_closed_or_open_filtered(lab: Any, by_port: ByPort) -> None:
    result = lab.scan([lab.open_, lab.silent, lab.open6], udp_ports=[53, 69], ports=[443], engine="nmap", retries=2)
    seen = [by_port(target) for target in result["targets"]]
    assert [(s["udp", 53], s["udp", 69]) for s in seen] == [
        ("open", "closed"),
        ("open|filtered", "open|filtered"),
        ("open", "closed"),
    ]
    silent = [e["state"] for e in result["targets"][1]["endpoints"] if e["protocol"] == "udp"]
    assert silent == ["open|filtered"] * 2


def test_versions_are_asked_of_open_ports_only_and_banners_are_made_visible(lab: Any) -> None:
    before = time.monotonic()
    result = lab.scan(
        [lab.open_, lab.silent],
        ports=[21, 22, 53],
        udp_ports=[53, 69],
        engine="nmap",
        versions=True,
        scripts=["banner"],
    )
    assert time.monotonic() - before < 60  # a silent UDP port in the version run costs 36 s and more
    endpoints = {(e["protocol"], e["port"]): e for e in result["targets"][0]["endpoints"]}
    assert endpoints["udp", 53]["service"]["product"] == "dnsmasq"
    assert endpoints["udp", 53]["service"]["method"] == "probed"
    assert endpoints["tcp", 53]["service"]["cpes"][0].startswith("cpe:/a:thekelleys:dnsmasq")
    text = json.dumps(endpoints["tcp", 21], ensure_ascii=False)
    assert "\\u001b" not in text
    assert all(character.isprintable() for character in text)
    (banner,) = [script["output"] for script in endpoints["tcp", 21]["scripts"] if script["id"] == "banner"]
    assert banner.startswith("220 ")
    assert "x1b" in banner.lower()
    second = [argv for argv in result["coverage"]["commands"] if "-sV" in argv]
    assert len(second) == 1
    assert second[0][-1] == lab.open_
    assert second[0][second[0].index("-p") + 1] == "T:21,53,U:53"


def test_without_root_the_module_asks_itself_and_nmap_only_what_answers(lab: Any, by_port: ByPort) -> None:
    """nmap's own connects call filtered what was never sent."""
    result = lab.scan([lab.open_, lab.silent], ports=[21, 22], udp_ports=[53], engine="nmap", unprivileged=True)
    coverage = result["coverage"]
    assert (coverage["technique"], coverage["privileged"], coverage["complete"]) == ("connect", False, True)
    assert by_port(result["targets"][0]) == {("tcp", 21): "open", ("tcp", 22): "closed", ("udp", 53): "open"}
    assert by_port(result["targets"][1]) == {
        ("tcp", 21): "filtered",
        ("tcp", 22): "closed",
        ("udp", 53): "open|filtered",
    }
    assert {t["status"] for t in result["targets"]} == {"complete"}
    assert "may not send raw packets" in coverage["why"]
    assert not [argv for argv in coverage["commands"] if "-sT" in argv and "-sV" not in argv]


def test_auto_takes_connect_where_nmap_is_not_on_path(lab: Any) -> None:
    done = subprocess.run(
        ["ip", "netns", "exec", lab.vantage, "env", "PATH=/nowhere", *lab.command()[4:]],
        input=json.dumps({"targets": [{"host": "h", "address": lab.open_}], "ports": [21], "top_ports": 5}).encode(),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[5] / ".cache" / "tree")},
        capture_output=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert result["coverage"]["engine"] == "connect"
    assert "no nmap" in result["coverage"]["why"]
    assert "built-in list" in result["coverage"]["why"]
    assert result["targets"][0]["status"] == "complete"


def test_top_ports_come_from_nmaps_list(lab: Any) -> None:
    result = lab.scan([lab.open_], top_ports=10, engine="nmap")
    assert result["coverage"]["asked"]["tcp"] == "21-23,25,80,110,139,443,445,3389"
    assert "list of nmap" in result["coverage"]["why"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, None])
def test_what_was_seen_is_kept_when_the_scan_is_ended(
    lab: Any, engine: str, number: signal.Signals | None, by_port: ByPort
) -> None:
    """At 50 packets/s the silent host takes minutes: the scan is ended, by a signal or its time-out, after 4 s."""
    options = {
        "targets": [{"host": "h", "address": a} for a in (lab.silent, lab.open_)],
        "ports": [21, 443, "1000-9000"],
        "engine": engine,
        "rate": 50,
        "timeout": 0 if number else 4,
    }
    process = subprocess.Popen(
        lab.command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[5] / ".cache" / "tree")},
    )
    assert process.stdin
    process.stdin.write(json.dumps(options).encode())
    process.stdin.close()
    process.stdin = None
    if number:
        time.sleep(4)
        process.send_signal(number)
    before = time.monotonic()
    output, _errors = process.communicate(timeout=30)
    assert time.monotonic() - before < 12
    result = json.loads(output)
    coverage = result["coverage"]
    assert not coverage["complete"]
    silent, opened = result["targets"]
    assert silent["status"] in ("partial", "failed")
    assert (number.name if number else "time-out of 4 s") in f"{silent['reason']} {opened['reason']}"
    seen = by_port(silent)
    assert len(seen) == 8003
    assert list(seen.values()).count("unknown") > 6000
    assert "closed" not in set(seen.values())
    if engine == "connect":
        assert by_port(opened)["tcp", 443] == "open"
        assert seen["tcp", 443] == "open"
        assert seen["tcp", 21] in ("filtered", "unknown")
    assert not _nmap_in(lab.vantage)


def test_nmap_killed_in_mid_scan_is_partial_never_filtered(lab: Any, by_port: ByPort) -> None:
    options = {
        "targets": [{"host": "h", "address": lab.silent}],
        "ports": [443, "1000-9000"],
        "engine": "nmap",
        "rate": 1000,
    }
    process = subprocess.Popen(
        lab.command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[5] / ".cache" / "tree")},
    )
    assert process.stdin
    process.stdin.write(json.dumps(options).encode())
    process.stdin.close()
    process.stdin = None
    time.sleep(6)
    running = _nmap_in(lab.vantage)
    assert len(running) == 1
    os.kill(running[0], signal.SIGKILL)
    output, _errors = process.communicate(timeout=30)
    result = json.loads(output)
    seen = by_port(result["targets"][0])
    assert seen.pop(("tcp", 443)) == "open", "what nmap had told by then is kept"
    assert set(seen.values()) == {"unknown"}
    assert result["targets"][0]["status"] == "partial"
    assert "nmap ended with status -9" in result["targets"][0]["reason"]
    assert not result["coverage"]["complete"]


def test_no_nmap_is_left_when_the_scan_itself_is_killed(lab: Any) -> None:
    process = subprocess.Popen(
        lab.command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[5] / ".cache" / "tree")},
    )
    assert process.stdin
    target = {"host": "h", "address": lab.silent}
    process.stdin.write(json.dumps({"targets": [target], "ports": ["1-9000"], "engine": "nmap", "rate": 50}).encode())
    process.stdin.close()
    time.sleep(3)
    assert _nmap_in(lab.vantage)
    process.kill()
    process.wait()
    time.sleep(0.5)
    assert not _nmap_in(lab.vantage)


def _nmap_in(namespace: str) -> list[int]:
    told = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, check=True).stdout.split()
    return [int(pid) for pid in told if _name(int(pid)) == "nmap"]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def test_a_narrow_port_range_makes_self_connects_that_are_never_open(lab: Any, by_port: ByPort) -> None:
    """With two source ports to choose from, the kernel often takes the target port itself."""
    sysctl = ["ip", "netns", "exec", lab.vantage, "sysctl", "-qw"]
    subprocess.run([*sysctl, "net.ipv4.ip_local_port_range=40000 40003"], check=True)
    try:
        for _round in range(5):
            result = lab.scan(["127.0.0.1"], ports=["40000-40003"], engine="connect")
            assert set(by_port(result["targets"][0]).values()) <= {"closed", "unknown"}
    finally:
        subprocess.run([*sysctl, "net.ipv4.ip_local_port_range=32768 60999"], check=True)


def test_few_file_descriptors_slow_the_scan_and_falsify_nothing(lab: Any, by_port: ByPort) -> None:
    wrapped = ["ip", "netns", "exec", lab.vantage, "prlimit", "--nofile=80:80", *lab.command()[4:]]
    done = subprocess.run(
        wrapped,
        input=json.dumps(
            {"targets": [{"host": "h", "address": lab.silent}], "ports": ["1-60", 443], "engine": "connect"}
        ).encode(),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[5] / ".cache" / "tree")},
        capture_output=True,
        check=True,
    )
    seen = by_port(json.loads(done.stdout)["targets"][0])
    assert {p for (_tcp, p), state in seen.items() if state != "filtered"} == {22, 443}
    assert "unknown" not in seen.values()
