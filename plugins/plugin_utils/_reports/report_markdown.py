# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``report.md``: what an auditor reads, months later. This module is private to the collection.

Order: the verdict, scope and coverage, what changed, findings by severity with their ways out, each host's ports,
exceptions, and how it was done. Every text that did not come from this file stands in a code span.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._audit.finding import by_gravity
from .._audit.rule import SEVERITIES
from .._audit.rules import not_assessed, wrong_service
from .._audit.rules.registry import CATALOGUE
from .._evidence.results_file import Results
from .markdown_text import code, names, table
from .open_changes import open_change
from .overview import Overview
from .parts_text import parts_section
from .reach_text import cell_text
from .shared_gaps import shared_gaps, shared_line
from .verdict import severity_counts, verdict
from .ways_out_text import ways_out_section
from .what_changed import what_changed

Row = Mapping[str, Any]

_DEPTHS = {
    "none": "none. This run looked from inside only, and says nothing of who reaches what",
    "known": "only ports that are declared or were seen listening; nothing is said of any other port",
    "common": "ports that are declared or were seen listening, and the most frequent; nothing is said of any other",
    "full": "all 65,535 TCP ports, and UDP ports that are declared or were seen listening",
}


def report_lines(results: Results) -> Iterator[str]:
    """The report line by line, without line ends."""
    run = results["run"]
    yield "# Port audit"
    yield ""
    yield f"**{verdict(results)}**"
    yield ""
    yield f"Findings: {severity_counts(results)}."
    for gap in shared_gaps(results):
        yield ""
        yield shared_line(gap, code)
    yield ""
    label = f" ({code(run['label'])})" if run["label"] else ""
    yield f"Run {code(run['run_id'])}{label}, judged as of {code(run['audit_date'])} (UTC)."
    yield ""
    yield _signing(run["signing"])
    yield ""
    overview = Overview(results["hosts"], [vantage["name"] for vantage in results["coverage"]["vantages"]])
    yield from _scope(results)
    yield from overview.listing()
    yield from what_changed(results)
    yield from _findings(results)
    yield from overview.matrix()
    yield from _hosts(results)
    yield from _exceptions(results)
    yield from _method(results)


def _signing(key: Row | None) -> str:
    if key is None:
        return "This run is not signed: who can write its directory can also make up all of it."
    by = f"{code(key['key_type'])} key {code(key['fingerprint'])}"
    return f"This run is signed in `manifest.json.sig` with the {by}. Do not trust it without that file."


def _scope(results: Results) -> Iterator[str]:
    coverage, run = results["coverage"], results["run"]
    yield "## Scope and coverage"
    yield ""
    hosts = coverage["hosts"]
    due = run["due"]
    if due:
        since = f"; {due['missed']} missing since {code(due['last_run_id'])}" if due["missed"] else "; none is missing"
        yield f"- Runs of this label are due every {due['every']} seconds{since}."
    yield from (f"- {open_change(row, code)}." for row in run.get("open_changes", ()))
    yield f"- Hosts in scope: {hosts['in_scope']}; fully assessed: {hosts['assessed']}."
    limit = f" (limit {code(run['limit'])})" if run["limit"] else ""
    if coverage["left_out"]:
        left_out = coverage["left_out"]
        yield f"- Hosts of the inventory left out of this run{limit}: {len(left_out)}: {names(left_out)}."
    if "absent_scanners" in run:
        yield f"- Scanners of the vantage points that the inventory does not have: {names(run['absent_scanners'])}."
    yield f"- Ports asked from outside: {_DEPTHS[run['settings']['scan_depth']]}."
    accepted = coverage["accepted_gaps"]
    yield f"- Gaps accepted by name: {names(accepted)}." if accepted else "- Gaps accepted by name: none."
    fail_on = code(run["settings"]["fail_on"])
    yield f"- The gate fails on: {fail_on}, and on everything not assessed that was not accepted."
    yield ""
    yield from table(
        ("vantage point", "scanner", "engine", "targets seen in full", "ports asked", "probes a second", "state"),
        _scanners(coverage),
    )
    yield from parts_section(run.get("merged"))
    yield from _not_assessed(results)


def _scanners(coverage: Row) -> Iterator[tuple[str, ...]]:
    for vantage in coverage["vantages"]:
        if not vantage["scanners"]:
            yield (code(vantage["name"]), "", "", "", "", "", "no scanner reported")
        for scanner in vantage["scanners"]:
            about = scanner["coverage"] or {}
            asked = about.get("asked", {})
            ports = ", ".join(f"{code(protocol)} {code(text, 60)}" for protocol, text in sorted(asked.items()) if text)
            engine = " ".join(
                filter(
                    None, (code(about.get("engine")), code(about.get("engine_version")), code(about.get("technique")))
                )
            )
            yield (
                code(vantage["name"]),
                code(scanner["scanner"])
                + (f" instead of {names(scanner['instead_of'])}" if scanner["instead_of"] else ""),
                engine,
                f"{scanner['complete']} of {scanner['targets']}",
                ports,
                code(about.get("rate")),
                f"{scanner['status']}{': ' + code(scanner['message']) if scanner['message'] else ''}",
            )


def _not_assessed(results: Results) -> Iterator[str]:
    rows = [row for row in results.notable if row["status"] == "not_assessed"]
    yield "### Not assessed"
    yield ""
    if not rows:
        yield "Everything in scope was looked at."
        yield ""
    for row in sorted(rows, key=by_gravity):
        accepted = " (accepted)" if row["accepted"] else ""
        yield f"- {code(row['host'] or 'the run')}: {code(row['message'])}; gap {code(row['gap'])}{accepted}"
        yield from (f"  - {code(detail)}" for detail in row["details"])
    yield ""


def _findings(results: Results) -> Iterator[str]:
    yield "## Findings"
    yield ""
    failed = [row for row in results.notable if row["status"] == "fail"]
    if not failed:
        yield "No rule failed."
        yield ""
    for severity in reversed(SEVERITIES):
        rows = sorted((row for row in failed if row["severity"] == severity), key=by_gravity)
        if rows:
            yield f"### {severity.capitalize()} ({len(rows)})"
            yield ""
            yield from table(("host", "port", "rule", "what", "owner", "open since", "finding"), map(_finding, rows))
    rules = [rule for rule in CATALOGUE.values() if any(row["rule"] == rule.id for row in failed)]
    if rules:
        yield "### What to do"
        yield ""
        yield from table(
            ("rule", "meaning", "remedy", "controls"),
            ((rule.id, rule.title, rule.remedy, "; ".join(rule.controls)) for rule in rules),
        )
    yield from ways_out_section(failed)


def _finding(row: Row) -> tuple[str, ...]:
    port = f"{row['protocol']}/{row['port']}" if row["port"] is not None else ""
    texts = (row["message"], row["owner"], row["open_since"], row["id"])
    return (code(row["host"]), code(port), row["rule"], *map(code, texts))


def _hosts(results: Results) -> Iterator[str]:
    yield "## Hosts"
    yield ""
    yield "Declared, listening and reachable side by side. Bold: a finding says that it is not to be so."
    yield "An empty cell: of another network namespace, which no vantage point reaches by itself."
    yield ""
    vantages = [vantage["name"] for vantage in results["coverage"]["vantages"]]
    for row in results["hosts"]:
        yield f"### {code(row['host'])}"
        yield ""
        about = row["about"] or {}
        facts = ", ".join(code(about[key]) for key in ("hostname", "kernel") if about.get(key))
        addresses = sorted({address for some in row["addresses"].values() for address in some})
        assessed = "Assessed" if row["assessed"] else "Not fully assessed"
        scanned = f"Scanned as {names(addresses)}." if addresses else "No address of it was scanned."
        yield f"{assessed}: {code(row['status'])}{f', {facts}' if facts else ''}. {scanned}"
        if row.get("unscanned"):
            yield ""
            yield f"Not scanned: {'; '.join(map(_unscanned, row['unscanned']))}."
        if row["message"]:
            yield ""
            yield code(row["message"])
        if row["relisted"]:
            yield ""
            yield _relisted(row["relisted"])
        yield ""
        yield from table(
            ("port", "declared", "listening", *map(code, vantages), "verdict"),
            (_port(port, vantages) for port in row["ports"]),
        )


def _unscanned(row: Row) -> str:
    return f"{code(row['address'])} on {code(row['interface'])} from {names(row['vantages'])} ({code(row['reason'])})"


def _relisted(row: Row) -> str:
    ports = ", ".join(f"{code(protocol)} {code(text, 60)}" for protocol, text in sorted(row["asked"].items()) if text)
    if row["status"] != "listed":
        return f"It was to be listed again for {ports}, and could not be: {code(row['message'] or row['status'])}."
    tried = "tried with `bind()`" if row["bind_tried"] else "not tried with `bind()`"
    return f"Listed again at {code(row['finished'])} for {ports}, {tried}."


def _port(row: Row, vantages: Iterable[str]) -> tuple[str, ...]:
    inside = f" in {code(row['namespace'])}" if row["namespace"] != "host" else ""
    listening = "not known" if row["listening"] is None else ", ".join(map(code, row["listening"])) or "nothing"
    verdicts = ", ".join(map(_verdict, row["verdicts"]))
    return (
        code(f"{row['protocol']}/{row['port']}") + inside,
        ", ".join(map(code, row["declared"])) or "not declared",
        listening,
        *(cell_text(row["reachable"].get(vantage)) for vantage in vantages),
        verdicts or "as declared",
    )


def _verdict(one: Row) -> str:
    """What a rule says of a row. Where nobody could tell, no rule spoke."""
    if one == {"rule": wrong_service.RULE.id, "status": "not_assessed"}:
        return "service not known"
    return "not known" if one["rule"] == not_assessed.RULE.id else f"{one['rule']} ({one['status'].replace('_', ' ')})"


def _exceptions(results: Results) -> Iterator[str]:
    yield "## Exceptions"
    yield ""
    rows = [row for row in results.notable if row["exception"]]
    if not rows:
        yield "No host that was judged has one."
        yield ""
    yield from table(
        ("host", "port", "what", "reason", "owner", "approved by", "change", "expires"),
        (_exception(row) for row in rows),
    )


def _exception(row: Row) -> tuple[str, ...]:
    approval = row["exception"]
    what = {"excepted": f"excuses {row['rule']}", "pass": "in force"}.get(row["status"], str(row["rule"]))
    keys = ("reason", "owner", "approved_by", "change", "expires")
    return (code(row["host"]), code(f"{row['protocol']}/{row['port']}"), what, *(code(approval[key]) for key in keys))


def _method(results: Results) -> Iterator[str]:
    run = results["run"]
    inventory = run["inventory"]
    dirty = {True: ", with uncommitted changes", False: "", None: ""}[inventory["dirty"]]
    yield "## How this was done"
    yield ""
    yield f"- Started {code(run['started'])}, last evidence {code(run['finished'])}."
    if "opened_before" in run:
        later = f"run {code(run['opened_before'])} was complete before this one was opened"
        yield f"- The clock of the control node was set back: {later}. Names do not tell which came first."
    check_mode = " in check mode" if run["check_mode"] else ""
    controller = run["controller"]
    job = f", CI job {code(controller['ci_job'])}" if controller["ci_job"] else ""
    where = f"{code(controller['host'])}, {code(controller['kernel'])}{job}"
    yield f"- By {code(controller['user'])} on {where}{check_mode}."
    yield f"- Started as {code(' '.join(run['command']), 2000)}."
    versions = (f"{code(name)} {code(version)}" for name, version in sorted(run["versions"].items()))
    yield f"- Versions: {', '.join(versions)}."
    yield f"- Inventory: commit {code(inventory['commit']) or 'not known (no git checkout)'}{dirty}."
    for vantage in results["coverage"]["vantages"]:
        for scanner in vantage["scanners"]:
            about = scanner["coverage"]
            if about:
                times = f"{code(about['started'])} to {code(about['finished'])}"
                scan = f"Scan from {code(vantage['name'])} by {code(scanner['scanner'])}"
                yield f"- {scan}, {times}; {code(about['why'])}."
                yield from (f"  - {code(' '.join(command), 2000)}" for command in about["commands"])
                yield from (f"  - problem: {code(one['code'])} {code(one['message'])}" for one in about["problems"])
    yield "- Evidence is in `evidence/` beside this file, the results as data in `results.json`,"
    yield "  digests of every file in `manifest.json`. `vigil.ports.verify` checks all of it, and computes it again."
    yield ""
