# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call from its options to its result: choose the engine, run it, put the result together.

This module is private to the collection.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._scan.canaries import FEWEST, MOST, choose_canaries
from ansible_collections.vigil.ports.plugins.module_utils._scan.connect_scan import scan_by_connects
from ansible_collections.vigil.ports.plugins.module_utils._scan.identification import AskNmap, identified
from ansible_collections.vigil.ports.plugins.module_utils._scan.import_engine import import_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.known_open import is_asked, known_open
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_arguments import SCRIPT_NAME
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_engine import NmapScan
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_identification import NmapQuestions
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import (
    NmapProgram,
    find_nmap,
    may_send_raw_packets,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import Outcome, ScanError, ScanRequest
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import NO_PORTS, PortError, PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.result import result, services_result
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import (
    Resolver,
    Target,
    read_targets,
    system_resolver,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.top_ports import top_ports

HIGHEST_RATE = 1_000_000
_HIGHEST_RETRIES = 10
_HIGHEST_SECONDS = 7 * 24 * 3600
_NUMBERS = (
    ("rate", 1, HIGHEST_RATE, "packets per second"),
    ("target_rate", 0, HIGHEST_RATE, "packets per second for each target, 0 for no limit"),
    ("canaries", 0, MOST, "how many ports"),
    ("retries", 0, _HIGHEST_RETRIES, "tries after the first"),
    ("timeout", 0, _HIGHEST_SECONDS, "seconds, 0 for no limit"),
    ("host_timeout", 0, _HIGHEST_SECONDS, "seconds, 0 for no limit"),
    ("top_ports", 0, 65535, "how many ports"),
)


@dataclass(frozen=True)
class Surroundings:
    """What a scan needs of the machine it runs on; tests put other things in."""

    workdir: str
    resolver: Resolver = system_resolver
    nmap: Callable[[], NmapProgram | None] = find_nmap


def scan(options: Mapping[str, Any], around: Surroundings, stop: Stop) -> dict[str, Any]:
    """The result of the module for its ``options``. Raises ScanError when nothing can be begun."""
    tcp, udp = _checked(options)
    started = _now()
    program = around.nmap()
    list_of = ""
    if options["top_ports"]:
        ports, list_of = top_ports(options["top_ports"], program)
        tcp |= ports
    engine, why = _engine(options, program, around)
    targets = _targets(options, around)
    listening = _listening(targets)
    canaries = NO_PORTS
    if options["canaries"] and tcp and engine != "import":
        used = NO_PORTS
        for ports in listening.values():
            used |= ports
        canaries = choose_canaries(options["canaries"], tcp, used)
    request = ScanRequest(
        addresses=tuple(dict.fromkeys(address for target in targets for address in target.addresses)),
        tcp=tcp,
        udp=udp,
        rate=options["rate"],
        retries=options["retries"],
        host_timeout=options["host_timeout"],
        versions=options["versions"],
        scripts=tuple(options["scripts"]),
        canaries=canaries,
        target_rate=options["target_rate"],
        confirm=options["confirm"],
        listening=listening,
    )
    known = is_asked(options["targets"])
    if known:
        version = program.version if engine == "nmap" and program else None
        outcome = known_open(targets, request, engine, version, engine == "nmap")
    else:
        outcome = _run(engine, request, program, options["import_file"], around, stop)
    if engine != "import" and (request.versions or request.scripts):
        outcome = identified(
            outcome, request, _ask_nmap(options["engine"], outcome, request, program, around, stop), stop
        )
    give = services_result if known else result
    return give(targets, outcome, "; ".join(filter(None, (why, list_of))), started, _now())


def _targets(options: Mapping[str, Any], around: Surroundings) -> list[Target]:
    try:
        return read_targets(options["targets"] or (), around.resolver)
    except PortError as error:
        raise ScanError(str(error)) from error


def _listening(targets: Sequence[Target]) -> dict[str, PortSet]:
    """What listens behind each address; hosts that share one are asked for the ports of all."""
    found: dict[str, PortSet] = {}
    for target in targets:
        for address in target.addresses:
            found[address] = found.get(address, NO_PORTS) | target.listening
    return found


def _run(
    engine: str,
    request: ScanRequest,
    program: NmapProgram | None,
    import_file: str | None,
    around: Surroundings,
    stop: Stop,
) -> Outcome:
    if engine == "import":
        return import_report(request, _content(import_file))
    if engine == "nmap" and program is not None:
        return NmapScan(request, program, around.workdir, stop).run()
    return scan_by_connects(request, stop)


def _ask_nmap(
    asked: str,
    outcome: Outcome,
    request: ScanRequest,
    program: NmapProgram | None,
    around: Surroundings,
    stop: Stop,
) -> AskNmap | None:
    """How nmap is asked what answers; None where it is not there, or another engine was asked for."""
    if asked == "connect" or program is None:
        return None
    pace = replace(request, retries=request.retries + 1)
    return NmapQuestions(program, around.workdir, outcome.privileged, pace, stop).ask


def _engine(options: Mapping[str, Any], program: NmapProgram | None, around: Surroundings) -> tuple[str, str]:
    """The engine to take, and why."""
    asked = options["engine"]
    if asked == "connect":
        return "connect", "asked for"
    if asked == "import":
        return "import", "asked for"
    if program is None:
        if asked == "nmap":
            raise ScanError("there is no nmap on PATH that runs: install it, or use the engine connect or auto")
        return "connect", "auto: there is no nmap on PATH that runs"
    how = "asked for" if asked == "nmap" else "auto"
    if not may_send_raw_packets(program):
        # nmap's own connects say "filtered" or "closed" where this machine refused to send.
        return "connect", f"{how}: nmap {program.version} may not send raw packets here and is asked for services only"
    return "nmap", "asked for" if asked == "nmap" else f"auto: nmap {program.version} is there"


def _checked(options: Mapping[str, Any]) -> tuple[PortSet, PortSet]:
    """The ports asked for. Raises ScanError with everything that is wrong with the options."""
    errors: list[str] = []
    tcp, udp = _ports(options, "ports", errors), _ports(options, "udp_ports", errors)
    for name, lowest, highest, unit in _NUMBERS:
        if not lowest <= options[name] <= highest:
            errors.append(f"{name}: {options[name]} is not between {lowest} and {highest} ({unit})")
    if 0 < options["canaries"] < FEWEST:
        errors.append(f"canaries: {options['canaries']} can prove nothing: take 0 for none, or {FEWEST} and more")
    errors += [
        f"scripts: {name!r} is not the name of an nmap script (a-z, 0-9 and -)"
        for name in options["scripts"]
        if not SCRIPT_NAME.match(name)
    ]
    errors += _nothing_asked(options, bool(tcp or udp or options["top_ports"]), bool(errors))
    if errors:
        raise ScanError("; ".join(errors))
    return tcp, udp


def _nothing_asked(options: Mapping[str, Any], asks_ports: bool, is_wrong: bool) -> Iterator[str]:
    """What is missing, or too much, in what is to be asked of whom."""
    if options["engine"] == "import":
        if not options["import_file"]:
            yield "import_file: the engine import needs the report to import"
    elif not options["targets"]:
        yield "targets: there is nothing to scan"
    elif is_asked(options["targets"]):
        if asks_ports:
            yield "targets: open and open_udp ask for services only, and go without ports of the call"
        if not options["versions"]:
            yield "versions: without it there is nothing to ask of targets with open or open_udp"
    elif not is_wrong and not asks_ports:
        yield "ports, udp_ports, top_ports: no port was asked for"


def _ports(options: Mapping[str, Any], name: str, errors: list[str]) -> PortSet:
    try:
        return PortSet.parse(options[name])
    except PortError as error:
        errors += [f"{name}: {one}" for one in error.errors]
        return PortSet()


def _content(path: str | None) -> bytes:
    try:
        with open(str(path), "rb") as report:
            return report.read()
    except OSError as error:
        raise ScanError(f"import_file: the report cannot be read: {error}") from error


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
