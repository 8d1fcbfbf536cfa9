# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One audit of many hosts, each poisoned with a text of its own wherever a text can come in.

Text goes in where it really does: as the bytes that the kernel gives, as nmap writes them into its XML, as a variable,
as what a taken host answers, as what ssh says. From there on it goes the way of every text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from ansible_collections.vigil.ports.plugins.module_utils._listeners.endpoints import Knowledge, listeners
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import (
    OWN,
    BoundSocket,
    Package,
    Place,
    Process,
    SocketsSeen,
    Walk,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_report import read_report
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import Outcome
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.result import result as scan_result
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import read_targets
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, OUTPUT_LIMIT, visible
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import changed
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS, HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.listening import Listening
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import Results, read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import (
    listing_of,
    scan_problem,
    why_no_answer,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import taken_in
from ansible_collections.vigil.ports.plugins.plugin_utils._plan.new_run import name_problems
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]

#: What the schemas fix, or rules read, in an answer of a module: everything else is a taken host's to choose.
_FIXED = frozenset(
    (
        "protocol",
        "family",
        "address",
        "port",
        "owners_state",
        "status",
        "state",
        "identification",
        "executable_seen_as",
        "ports",
        "started",
        "finished",
        "asked",
    )
) | {"sources", "namespace", "manager", "host", "engine", "v6only"}


def audited(texts: Sequence[str], folder: Path) -> tuple[RunDirectory, Results]:
    """A run whose evidence, results and reports hold each text, on hosts ``<kind><number of the text>`` and on a host
    of that very name where it may be one."""
    run = RunDirectory.create(folder, dt.datetime(2026, 11, 20, 13, 15, tzinfo=dt.UTC))
    hosts: dict[str, HostEvidence] = {}
    for number, text in enumerate(texts):
        for kind, evidence in _KINDS.items():
            hosts[f"{kind}{number}"] = evidence(text)
        if text and text not in hosts and not name_problems([text]):
            hosts[text] = _said(text)
    hosts = {name: changed(evidence, host=name) for name, evidence in hosts.items()}
    some: Any = taken_in(list(texts[:40]))
    about = build.run(
        sorted(hosts),
        label=taken_in(" ".join(texts[:40])),
        limit=taken_in(texts[0]),
        left_out=some,
        accept_gaps=texts[:40],
        controller={"host": some[0], "user": some[1], "kernel": some[2], "ci_job": some[3]},
        command=some,
    )
    build.validator("evidence").validate(about)
    run.write_run(about)
    for evidence in hosts.values():
        run.write(HOSTS, evidence)
    scanned = [_scanned(text) for text in texts]
    share = build.share(list(_targets(texts, scanned)))
    share["coverage"]["problems"] = [problem for one in scanned for problem in one["coverage"]["problems"][:1]]
    run.put_scan("internet", share)
    run.put_scan(
        "internet", build.share([], "two", status="failed", message=visible(texts[-1], MESSAGE_LIMIT), coverage=None)
    )
    judge_run(run)
    results = read_results(run.results)
    for name, chunks in reports(results):
        run.write_file(name, chunks)
    return run, results


def _observed(text: str) -> HostEvidence:
    """A host whose every name is ``text``, in bytes, and whose declarations hold it where the schema takes any text."""
    raw = text.encode("utf-8", "surrogatepass")
    place = Place(unit=text, container=text)
    process = Process(7, raw, raw, False, True, (raw, raw), 4_000_000_000, place)
    socket = BoundSocket("tcp", "ipv4", "0.0.0.0", 8080, text, None, 4_000_000_000, 1, None)
    seen = {OWN: SocketsSeen((socket,), {}, {}, (), None), f"netns/{text}": SocketsSeen((socket,), {}, {}, (), None)}
    known = Knowledge(
        Walk({1: (7,)}, {7: process}, 0), packages={raw: Package(text, text, "dpkg")}, commands="full", owners="all"
    )
    heard = [*listeners(seen, known), build.listener(443), build.listener(8081)]
    texts = dict.fromkeys(("owner", "approved_by", "change"), text)
    variables = {
        "vigil_ports__web": [
            {**build.declared(443), **texts, "justification": text, "user": text},
            {**build.declared("8000-8010"), **texts, "review_by": "2026-01-01"},
        ],
        "vigil_exceptions__web": [{**build.exception(8081), **texts, "reason": text}],
    }
    return build.host_evidence(inventory=taken_in(variables), listening=taken_in(build.listening(heard), OUTPUT_LIMIT))


def _taken(text: str) -> HostEvidence:
    """A host that answers ``text`` wherever the schema lets it."""
    row = build.listening(
        [
            build.listener(
                8081, owners=[build.owner(command="x", package={"name": "x", "version": "x", "manager": "dpkg"})]
            )
        ],
        not_looked_at=[{"what": "sctp", "reason": "x"}],
        problems=[{"code": "x", "message": "x"}],
        namespaces={"asked": "all", "seen": ["host"], "missed": [{"namespace": "x", "reason": "x"}]},
    )
    listening = listing_of(_replaced(row, lambda _text: text))
    assert isinstance(listening, Listening), listening
    return changed(build.host_evidence([build.declared(443)]), listening=listening)


def _misdeclares(text: str) -> HostEvidence:
    """An inventory with errors that hold ``text``: as a key, as a value, as what could not be resolved."""
    variables = {
        "vigil_ports__web": [{**build.declared(443), text or "x": text}, {**build.declared(80), "protocol": text}],
        "vigil_addresses": {text: [text]},
    }
    error = {"place": "vigil_ports", "value": "a template", "message": visible(text), "allowed": "a value"}
    outside = {"default": [visible(text)]}
    return build.host_evidence(inventory=taken_in(variables), inventory_errors=[error], outside_addresses=outside)


def _said(text: str) -> HostEvidence:
    """A host of which only a message is known: of ssh, of a module that failed, of an answer that breaks the schema."""
    broken: Json = {**build.listening(), text or "x": {text: [text]}, "host": text}
    messages = (
        visible(text, MESSAGE_LIMIT),
        why_no_answer({"module_stdout": text, "module_stderr": f"x\n{text}", "rc": 1}),
        why_no_answer({"msg": text}),
        str(listing_of(broken)),
    )
    return build.host_evidence(status="failed", message=visible("; ".join(messages), MESSAGE_LIMIT), listening=None)


def _scanned(text: str) -> Json:
    """What scan_info says of one host whose services answer ``text``, from the XML that nmap would write."""
    value = quoteattr("".join(map(_as_nmap_writes, text))).replace("&amp;#x", "&#x")
    xml = f"""<?xml version="1.0"?><nmaprun args={value} version={value}>
<scaninfo type="syn" protocol="tcp" numservices="2" services="443,9000"/>
<host><status state="up" reason={value}/><address addr="192.0.2.10" addrtype="ipv4"/><ports>
<port protocol="tcp" portid="443"><state state="open" reason={value}/>
<service name={value} product={value} version={value} extrainfo={value} method="probed" conf="10">
<cpe>{value[1:-1]}</cpe></service>
<script id={value} output={value}/>
</port>
<port protocol="tcp" portid="9000"><state state="closed" reason={value}/></port></ports></host>
<runstats><finished exit="success" errormsg={value}/><hosts up="1" down="0" total="1"/></runstats></nmaprun>"""
    report = read_report(xml.encode("utf-8", "surrogatepass"))
    tcp = PortSet.parse(["443,9000"])
    outcome = Outcome("nmap", report.version, "syn", True, report.seen, tcp, PortSet(), problems=report.problems)
    row = scan_result(
        read_targets([{"host": "web1", "address": "192.0.2.10"}, {"host": "web2", "address": text}], _no_address),
        outcome,
        "asked for",
        build.TIME,
        build.TIME,
    )
    machine = {"id": None, "stack": None, "addresses": [text]}
    taken: Any = taken_in({**row, "machine": machine}, OUTPUT_LIMIT)
    assert scan_problem(taken) is None, scan_problem(taken)
    return dict(taken)


def _no_address(name: str) -> list[str]:
    raise OSError(f"no such name: {name}")


def _targets(texts: Sequence[str], scanned: Sequence[Json]) -> Iterator[Json]:
    """What was seen of the hosts from outside; each target is one of those that a scan of the text gave."""
    for number, text in enumerate(texts):
        answered, refused = scanned[number]["targets"]
        yield {**answered, "host": f"observed{number}"}
        yield {**refused, "host": f"misdeclares{number}"}
        taken = _replaced({**build.target([8081]), "reason": "x", "status": "partial"}, lambda _text, text=text: text)
        yield {**taken_in(taken), "host": f"taken{number}"}  # type: ignore[dict-item]


def _as_nmap_writes(character: str) -> str:
    """nmap writes what XML forbids as references (nmap#2657)."""
    return f"&#x{ord(character):x};" if character < " " or "\x7f" <= character <= "\x9f" else character


def _replaced(value: Any, change: Callable[[str], str], key: str = "") -> Any:
    if key in _FIXED:
        return value
    if isinstance(value, dict):
        return {name: _replaced(entry, change, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [_replaced(entry, change, key) for entry in value]
    return change(value) if isinstance(value, str) else value


_KINDS: dict[str, Callable[[str], Json]] = {
    "observed": _observed,
    "taken": _taken,
    "misdeclares": _misdeclares,
    "said": _said,
}
