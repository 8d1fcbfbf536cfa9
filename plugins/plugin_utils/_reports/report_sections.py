# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sections that a report has whatever it is written as: its head, findings, exceptions, and how it was done.

Every text that did not come from this file goes through the ink. This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._audit.rule import SEVERITIES
from .._audit.rules.registry import CATALOGUE
from .._evidence.results_file import Results
from .ink import Cell, Ink, Item
from .shared_gaps import shared_gaps, shared_line
from .subjects import Subject
from .verdict import counted, severity_counts

Row = Mapping[str, Any]

#: The file with the ways out, and how rows refer to it.
WAYS_OUT = "ways-out.md"
_EXCEPTION_KEYS = ("reason", "owner", "approved_by", "change", "expires")


def about_the_run(ink: Ink, results: Results) -> Iterator[str]:
    """What stands below the verdict: counts, gaps that most hosts share, which run, and whether it is signed."""
    run = results["run"]
    yield from ink.paragraph(f"Findings: {severity_counts(results)}.")
    for gap in shared_gaps(results):
        yield from ink.paragraph(shared_line(gap, ink.code, ink.text))
    label = f" ({ink.code(run['label'])})" if run["label"] else ""
    yield from ink.paragraph(f"Run {ink.code(run['run_id'])}{label}, judged as of {ink.code(run['audit_date'])} (UTC).")
    yield from ink.paragraph(_signing(ink, run["signing"]))


def _signing(ink: Ink, key: Row | None) -> str:
    if key is None:
        return "This run is not signed: who can write its directory can also make up all of it."
    by = f"{ink.code(key['key_type'])} key {ink.code(key['fingerprint'])}"
    return f"This run is signed in {ink.code('manifest.json.sig')} with the {by}. Do not trust it without that file."


def findings_legend(ink: Ink, some: Sequence[Subject]) -> Iterator[str]:
    """How many rows there are, and what their cells mean."""
    if not some:
        yield from ink.paragraph("No rule failed.")
        return
    hosts = len({one.host for one in some if one.host is not None})
    findings = counted(sum(len(one.rows) for one in some), "finding")
    yield from ink.paragraph(
        f"Counted: {findings} about {counted(len(some), 'subject')} on {counted(hosts, 'host')}. A row is one subject:"
        " a port, or neighbouring ports of which the same is wrong. From: the vantage points that a finding of it "
        f"names. Since: when its first finding was opened. Way out: its number in {ink.code(WAYS_OUT)}."
    )


def findings_tables(ink: Ink, some: Sequence[Subject], level: int = 3) -> Iterator[str]:
    """A table for each severity, gravest first."""
    for severity in reversed(SEVERITIES):
        rows = [one for one in some if one.severity == severity]
        if rows:
            yield from ink.heading(level, f"{severity.capitalize()} ({len(rows)})")
            yield from ink.table(
                f"Findings of severity {severity}",
                ("host", "port", "what is wrong", "from", "owner", "since", "way out", "rules"),
                (_subject(ink, one) for one in rows),
            )


def rules_table(ink: Ink, some: Iterable[Subject]) -> Iterator[str]:
    """What the rules of the findings mean, and what to do."""
    failed = {rule for one in some for rule in one.rules}
    rules = [rule for rule in CATALOGUE.values() if rule.id in failed]
    if rules:
        yield from ink.heading(3, "What to do")
        yield from ink.table(
            "Rules that failed",
            ("rule", "meaning", "remedy", "controls"),
            ((rule.id, ink.text(rule.title), ink.text(rule.remedy), "; ".join(rule.controls)) for rule in rules),
        )


def _subject(ink: Ink, one: Subject) -> tuple[str | Cell, ...]:
    inside = f" in {ink.code(one.namespace)}" if one.namespace not in (None, "host") else ""
    return (
        ink.code(one.host) or "the run",
        ink.code(one.endpoint) + inside if one.endpoint else "",
        ink.said(one.message),
        ink.names(one.vantages),
        ink.code(one.owner),
        ink.code(one.open_since),
        "" if one.way is None else str(one.way),
        ", ".join(one.rules),
    )


def exceptions(ink: Ink, results: Results) -> Iterator[str]:
    """One row for each approval of a host, with all that it excuses."""
    yield from ink.heading(2, "Exceptions")
    by_approval: dict[tuple[Any, ...], list[Row]] = {}
    for row in results.notable:
        if row["exception"]:
            approval = row["exception"]
            keys = ("protocol", "port", "namespace", *_EXCEPTION_KEYS)
            by_approval.setdefault((row["host"], *(str(approval[key]) for key in keys)), []).append(row)
    if not by_approval:
        yield from ink.paragraph("No host that was judged has one.")
        return
    yield from ink.paragraph("A row is one approval. What: the rules that it excuses, or what is said of itself.")
    yield from ink.table(
        "Exceptions",
        ("host", "port", "what", "reason", "owner", "approved by", "change", "expires"),
        (_exception(ink, rows) for rows in by_approval.values()),
    )


def _exception(ink: Ink, rows: Sequence[Row]) -> tuple[str, ...]:
    approval = rows[0]["exception"]
    excused = list(dict.fromkeys(row["rule"] for row in rows if row["status"] == "excepted"))
    about = dict.fromkeys(row["rule"] for row in rows if row["status"] not in ("excepted", "pass"))
    what = [f"excuses {', '.join(excused)}"] if excused else []
    what += about or ([] if excused else ["in force"])
    port = ink.code(f"{approval['protocol']}/{approval['port']}")
    inside = f" in {ink.code(approval['namespace'])}" if approval["namespace"] not in (None, "host") else ""
    reason, *others = (approval[key] for key in _EXCEPTION_KEYS)
    said = (ink.said(reason), *map(ink.code, others))
    return (ink.code(rows[0]["host"]), port + inside, "; ".join(what), *said)


def method(ink: Ink, results: Results) -> Iterator[str]:
    """How the run was done, so that it can be done again."""
    yield from ink.heading(2, "How this was done")
    yield from ink.items(_steps(ink, results))


def _steps(ink: Ink, results: Results) -> Iterator[Item]:
    code, run = ink.code, results["run"]
    inventory, controller = run["inventory"], run["controller"]
    dirty = {True: ", with uncommitted changes", False: "", None: ""}[inventory["dirty"]]
    yield f"Started {code(run['started'])}, last evidence {code(run['finished'])}.", ()
    if "opened_before" in run:
        later = f"run {code(run['opened_before'])} was complete before this one was opened"
        yield f"The clock of the control node was set back: {later}. Names do not tell which came first.", ()
    check_mode = " in check mode" if run["check_mode"] else ""
    job = f", CI job {code(controller['ci_job'])}" if controller["ci_job"] else ""
    where = f"{code(controller['host'])}, {code(controller['kernel'])}{job}"
    yield f"By {code(controller['user'])} on {where}{check_mode}.", ()
    yield f"Started as {code(' '.join(run['command']), 2000)}.", ()
    versions = (f"{code(name)} {code(version)}" for name, version in sorted(run["versions"].items()))
    yield f"Versions: {', '.join(versions)}.", ()
    yield f"Inventory: commit {code(inventory['commit']) or 'not known (no git checkout)'}{dirty}.", ()
    for vantage in results["coverage"]["vantages"]:
        for scanner in vantage["scanners"]:
            about = scanner["coverage"]
            if about:
                times = f"{code(about['started'])} to {code(about['finished'])}"
                scan = f"Scan from {code(vantage['name'])} by {code(scanner['scanner'])}"
                commands = [code(" ".join(command), 2000) for command in about["commands"]]
                problems = [f"problem: {code(one['code'])} {code(one['message'])}" for one in about["problems"]]
                yield f"{scan}, {times}; {code(about['why'])}.", [*commands, *problems]
    files = f"Evidence is in {code('evidence/')} beside this file, the results as data in {code('results.json')}"
    digests = f"digests of every file in {code('manifest.json')}"
    yield f"{files}, {digests}. {code('vigil.ports.verify')} checks all of it, and computes it again.", ()
