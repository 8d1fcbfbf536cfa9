# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each host of a report: declared, listening and reachable side by side. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._audit.rules import not_assessed, wrong_service
from .ink import Cell, Ink
from .reach_text import reach_cell
from .subjects import neighbours

Row = Mapping[str, Any]

LEGEND = (
    "Declared, listening and reachable side by side; neighbouring ports of which all of it is the same are one row."
    " Bold: a finding says that it is not to be so. An empty cell: of another network namespace, which no vantage point"
    " reaches by itself."
)
_ALIKE = ("declared", "listening", "reachable", "verdicts")


def host_lines(ink: Ink, row: Row, vantages: Sequence[str]) -> Iterator[str]:
    """What is said of one host, without its name."""
    about = row["about"] or {}
    facts = ", ".join(ink.code(about[key]) for key in ("hostname", "kernel") if about.get(key))
    addresses = sorted({address for some in row["addresses"].values() for address in some})
    assessed = "Assessed" if row["assessed"] else "Not fully assessed"
    scanned = f"Scanned as {ink.names(addresses)}." if addresses else "No address of it was scanned."
    yield from ink.paragraph(f"{assessed}: {ink.code(row['status'])}{f', {facts}' if facts else ''}. {scanned}")
    if row.get("unscanned"):
        unscanned = "; ".join(_unscanned(ink, one) for one in row["unscanned"])
        yield from ink.paragraph(f"Not scanned: {unscanned}.")
    if row["message"]:
        yield from ink.paragraph(ink.said(row["message"]))
    if row["relisted"]:
        yield from ink.paragraph(_relisted(ink, row["relisted"]))
    yield from ink.table(
        f"Ports of {ink.code(row['host'])}",
        ("port", "declared", "listening", *map(ink.code, vantages), "verdict"),
        (_port(ink, span, port, vantages) for span, port in neighbours(row["ports"], _ALIKE)),
    )


def _unscanned(ink: Ink, row: Row) -> str:
    where = f"{ink.code(row['address'])} on {ink.code(row['interface'])} from {ink.names(row['vantages'])}"
    return f"{where} ({ink.code(row['reason'])})"


def _relisted(ink: Ink, row: Row) -> str:
    asked = sorted(row["asked"].items())
    ports = ", ".join(f"{ink.code(protocol)} {ink.code(text, 60)}" for protocol, text in asked if text)
    if row["status"] != "listed":
        reason = ink.code(row["message"] or row["status"])
        return f"It was to be listed again for {ports}, and could not be: {reason}."
    tried = "tried with" if row["bind_tried"] else "not tried with"
    return f"Listed again at {ink.code(row['finished'])} for {ports}, {tried} {ink.code('bind()')}."


def _port(ink: Ink, span: str, row: Row, vantages: Sequence[str]) -> Iterator[str | Cell]:
    inside = f" in {ink.code(row['namespace'])}" if row["namespace"] != "host" else ""
    yield ink.code(f"{row['protocol']}/{span}") + inside
    yield ", ".join(map(ink.code, row["declared"])) or "not declared"
    listening = row["listening"]
    yield "not known" if listening is None else ", ".join(map(ink.code, listening)) or "nothing"
    yield from (reach_cell(ink, row["reachable"].get(vantage)) for vantage in vantages)
    verdicts = ", ".join(map(_verdict, row["verdicts"]))
    failed = any(one["status"] == "fail" for one in row["verdicts"])
    untold = any(one["status"] == "not_assessed" for one in row["verdicts"])
    yield Cell(verdicts or "as declared", "wrong" if failed else "untold" if untold else "")


def _verdict(one: Row) -> str:
    """What a rule says of a row. Where nobody could tell, no rule spoke."""
    if one == {"rule": wrong_service.RULE.id, "status": "not_assessed"}:
        return "service not known"
    return "not known" if one["rule"] == not_assessed.RULE.id else f"{one['rule']} ({one['status'].replace('_', ' ')})"
